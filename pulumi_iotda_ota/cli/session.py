"""One run of the command line: its environment, its outputs, and the secrets that no text may repeat. Loads little."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.iotda.sanitize import plural, sanitize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

#: The settings whose values no text may repeat. A user's name is none: it can be a word that answers are made of, and
#: stands in messages.
HIDDEN = tuple(setting for setting in SETTINGS if setting.secret and setting.name != "user_name")

_SHOWN_RECORDS = 3
_LONGEST_VALUE = 8_192  # characters; more than any field of the API may have


def safe(value: object) -> str:
    """Return a value as a line of text may show it; the exact one is in the JSON."""
    if isinstance(value, (list, tuple)):
        return ", ".join(safe(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return sanitize("" if value is None else value, limit=_LONGEST_VALUE)


def _passwords_of_proxies(environ: Mapping[str, str]) -> set[str]:
    """Return the passwords of the proxies that variables name, as they stand there, whether or not they are encoded."""
    users = (value.rpartition("@")[0] for name, value in environ.items() if name.lower().endswith("_proxy"))
    return {password for user in users if (password := user.rpartition("://")[2].partition(":")[2])}


class Session:
    """What a command reads and writes.

    Args:
        environ: the environment variables.
        out: where answers go.
        err: where everything else goes: errors, progress, questions.
    """

    def __init__(self, environ: Mapping[str, str], out: TextIO, err: TextIO) -> None:
        self.environ = environ
        self.out = out
        self.err = err
        variables = (name for setting in HIDDEN for name in setting.environment)
        #: What no text may repeat; what is found on the way is added.
        self.secrets = {value for name in variables if (value := environ.get(name, "").strip())}
        self.secrets |= _passwords_of_proxies(environ)

    def is_terminal(self, stream: TextIO) -> bool:
        """Return whether a person reads a stream on a terminal that can do more than print lines."""
        return stream.isatty() and self.environ.get("TERM") not in ("dumb", "unknown")

    def wants_colour(self, stream: TextIO) -> bool:
        """Return whether a stream may be coloured."""
        return self.is_terminal(stream) and not self.environ.get("NO_COLOR")

    def json(self, values: Mapping[str, Any]) -> None:
        """Answer with one JSON object; every character beyond ASCII is escaped, so that it is safe anywhere."""
        click.echo(json.dumps(values, indent=2), file=self.out)

    def line(self, text: str = "") -> None:
        """Answer with a line; the text is printable already."""
        click.echo(text, file=self.out)

    def note(self, text: str) -> None:
        """Tell a line beside the answer; the text is printable already."""
        click.echo(text, file=self.err)

    def labelled(self, label: str, text: str, *, indent: int) -> None:
        """Print a line that begins with a label; a terminal that is too narrow breaks it between words.

        Args:
            label: what stands before the text.
            text: a sentence that is safe to print.
            indent: where the text begins, and goes on in the next lines.
        """
        lines = [text]
        if self.is_terminal(self.out):
            from pulumi_iotda_ota.cli.tables import wrapped  # noqa: PLC0415  rich is loaded for a terminal alone

            lines = wrapped(self.out, text, indent=indent)
        for number, line in enumerate(lines):
            self.line(f"{' ' * indent if number else label}{line}")

    def note_skipped(self, thing: str, records: Sequence[str], count: int = 0) -> None:
        """Report the records of a list that cannot be judged, if there are any.

        Args:
            thing: what they are, such as ``package``.
            records: each of them, or the first ones; the text is printable already.
            count: how many there are; by default those given.
        """
        count = count or len(records)
        if not count:
            return
        shown = ", ".join(records[:_SHOWN_RECORDS])
        rest = count - min(len(records), _SHOWN_RECORDS)
        more = f" and {rest:,} more" if rest else ""
        named = f": {shown}{more}" if records else ""
        self.note(f"skipped {plural(count, thing)} that cannot be judged{named}")

    def rows(self, rows: Sequence[Sequence[object]], *, header: Sequence[str] = (), indent: str = "") -> None:
        """Answer with a table: aligned where a person reads it, else lines with tabs and no header.

        Args:
            rows: the cells; they are made printable here.
            header: the names of the columns, for a person.
            indent: what stands before each line, for a person.
        """
        cells = [[safe(cell) for cell in row] for row in rows]
        if not self.is_terminal(self.out):
            if cells:
                self.line("\n".join("\t".join(row) for row in cells))
            return
        from pulumi_iotda_ota.cli.tables import print_table  # noqa: PLC0415  rich is loaded for a terminal alone

        print_table(self.out, cells, header, indent, colour=self.wants_colour(self.out))
