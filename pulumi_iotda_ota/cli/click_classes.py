"""Classes of click as this command line needs them: help that can be copied, and options under headings."""

from __future__ import annotations

import difflib
import inspect
import textwrap
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    _Choice = click.Choice[str]
else:
    _Choice = click.Choice  # generic only in later releases of click

#: The heading of the connection options in the help and in the reference.
CONNECTION = "Connection options"
_ELSEWHERE = (
    "The connection options (--region, --endpoint, --stack and more) are options of this command too. "
    "List them: iotda-ota help connection"
)


class Positional(click.Argument):
    """An argument without a name on the command line.

    Args:
        help: the description.
    """

    def __init__(self, *args: Any, help: str, **more: Any) -> None:  # noqa: A002  as click's options have it
        super().__init__(*args, **more)
        self.description = help


class Option(click.Option):
    """An option under a heading of the help.

    Args:
        section: the heading; empty for "Options".
    """

    def __init__(self, *args: Any, section: str = "", **more: Any) -> None:
        super().__init__(*args, **more)
        self.section = section

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the name and the description. A flag with two names is one name with a part in brackets."""
        record = super().get_help_record(ctx)
        if record is None or not self.secondary_opts:
            return record
        return f"--[no-]{self.opts[0][2:]}", record[1]


class OneOf(_Choice):
    """One of several values. An error lists them in one line."""

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None = None) -> str:  # noqa: ARG002
        """Return the values that are allowed."""
        return f"Choose one of {', '.join(map(str, self.choices))}."


class _Formatter(click.HelpFormatter):
    """Writes help in which no option or command is broken at a hyphen, as click breaks them."""

    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        paragraphs = inspect.cleandoc(text).split("\n\n")
        self.write("\n".join(self._filled(paragraph, self.current_indent) for paragraph in paragraphs))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write names, each with its text beside it."""
        rows = list(rows)
        column = self.current_indent + col_spacing + min(col_max, max(len(name) for name, _ in rows))
        for name, text in rows:
            filled = self._filled(text, column)
            head = f"{'':>{self.current_indent}}{name}"
            fits = len(head) + col_spacing <= column
            self.write(f"{head:<{column}}{filled.lstrip(' ')}" if fits else f"{head}\n{filled}")

    def _filled(self, text: str, indent: int) -> str:
        margin = " " * indent
        wrapper = textwrap.TextWrapper(
            self.width,
            initial_indent=margin,
            subsequent_indent=margin,
            break_long_words=False,
            break_on_hyphens=False,
        )
        return wrapper.fill(" ".join(text.split())) + "\n"


class _Context(click.Context):
    formatter_class = _Formatter


class _WithExample(click.Command):
    """A command whose help ends with an example, and whose summary is never cut.

    Args:
        example: lines of a shell, of at most 76 characters.
    """

    context_class = _Context

    def __init__(self, *args: Any, example: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self.example = example

    def get_short_help_str(self, limit: int = 45) -> str:  # noqa: ARG002  click cuts at the limit
        """Return the first paragraph of the help."""
        return " ".join(inspect.cleandoc(self.help or "").partition("\n\n")[0].split())

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the example."""
        write_example(formatter, self.example)


class Command(_WithExample):
    """A command whose help has its options under their headings, without the connection options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, Positional):
                sections["Arguments"].append((str(parameter.metavar), parameter.description))
            elif (record := parameter.get_help_record(ctx)) is not None:
                sections.setdefault(getattr(parameter, "section", "") or "Options", []).append(record)
        connection = sections.pop(CONNECTION, None)
        for heading, records in sections.items():
            write_records(formatter, heading, records)
        if connection:
            formatter.write_paragraph()
            formatter.write_text(_ELSEWHERE)


class Group(_WithExample, click.Group):
    """A group of commands, in the order in which they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the commands."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write each command with its summary."""
        rows = [(name, command.get_short_help_str()) for name, command in self.commands.items()]
        write_records(formatter, "Commands", rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return a command, or suggest the nearest one if there is none."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            nearest = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            # click 8.4 and later suggest one themselves.
            if not nearest or "did you mean" in error.format_message().lower():
                raise
            raise click.UsageError(f"{error.message.rstrip('.')}. Did you mean {nearest[0]!r}?", ctx) from error


def write_records(formatter: click.HelpFormatter, heading: str, records: list[tuple[str, str]]) -> None:
    """Write a heading and the records below it, unless there are none."""
    if records:
        with formatter.section(heading):
            formatter.write_dl(records)


def write_example(formatter: click.HelpFormatter, example: str) -> None:
    """Write an example without wrapping it: a wrapped line cannot be copied."""
    with formatter.section("Example"):
        for line in example.splitlines():
            formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
