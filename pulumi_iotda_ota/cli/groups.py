"""A family of commands: says of one that is not there which may have been meant."""

from __future__ import annotations

import difflib

import click


class Family(click.Group):
    """A group of commands."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; of one that is not there, say which may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            # Later releases of click say it themselves.
            if not near or "did you mean" in error.format_message().lower():
                raise
            meant = f"{error.message.rstrip('.')}. Did you mean {near[0]!r}?"
            raise click.UsageError(meant, ctx) from error
