"""One run of the command line: its environment, its outputs, and the secrets that no output may have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.iotda.sanitize import plural, sanitize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

#: The settings whose values are redacted. The name of a user is not: it can be a common word, and messages have it.
HIDDEN = tuple(setting for setting in SETTINGS if setting.secret and setting.name != "user_name")

_MOST_RECORDS = 3
_LONGEST_VALUE = 8_192  # characters; more than any field of the API can have


def safe(value: object) -> str:
    """Return a value as one safe line; the JSON output has the exact value."""
    if isinstance(value, (list, tuple)):
        return ", ".join(safe(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return sanitize("" if value is None else value, limit=_LONGEST_VALUE)


def _passwords_of_proxies(environ: Mapping[str, str]) -> set[str]:
    """Return the passwords in the variables of proxies, as they are written, encoded or not."""
    users = (value.rpartition("@")[0] for name, value in environ.items() if name.lower().endswith("_proxy"))
    return {password for user in users if (password := user.rpartition("://")[2].partition(":")[2])}


class Session:
    """The inputs and outputs of a command.

    Args:
        environ: the environment variables.
        out: the output of results.
        err: the output of everything else: errors, progress, questions.
    """

    def __init__(self, environ: Mapping[str, str], out: TextIO, err: TextIO) -> None:
        self.environ = environ
        self.out = out
        self.err = err
        variables = (name for setting in HIDDEN for name in setting.environment)
        #: The texts that are redacted. A command adds the secrets that it reads.
        self.secrets = {value for name in variables if (value := environ.get(name, "").strip())}
        self.secrets |= _passwords_of_proxies(environ)

    def is_terminal(self, stream: TextIO) -> bool:
        """Return whether a stream is a terminal that can do more than print lines."""
        return stream.isatty() and self.environ.get("TERM") not in ("dumb", "unknown")

    def wants_colour(self, stream: TextIO) -> bool:
        """Return whether a stream may have colours."""
        return self.is_terminal(stream) and not self.environ.get("NO_COLOR")

    def json(self, values: Mapping[str, Any]) -> None:
        """Print a result as one JSON object. All characters beyond ASCII are escaped."""
        click.echo(json.dumps(values, indent=2), file=self.out)

    def line(self, text: str = "") -> None:
        """Print a line of the result; the text must be sanitized."""
        click.echo(text, file=self.out)

    def note(self, text: str) -> None:
        """Print a line on the standard error; the text must be sanitized."""
        click.echo(text, file=self.err)

    def labelled(self, label: str, text: str, *, indent: int) -> None:
        """Print a label and a sanitized sentence, which a terminal wraps between words at ``indent``."""
        lines = [text]
        if self.is_terminal(self.out):
            from pulumi_iotda_ota.cli.terminal import wrapped  # noqa: PLC0415  rich is loaded for a terminal only

            lines = wrapped(self.out, text, indent=indent)
        for number, line in enumerate(lines):
            self.line(f"{' ' * indent if number else label}{line}")

    def note_skipped(self, thing: str, records: Sequence[str], count: int = 0) -> None:
        """Report the records of a list that cannot be judged, if there are any.

        Args:
            thing: the kind of record, such as ``package``.
            records: each of them, or the first ones, sanitized.
            count: how many there are; default: the number of ``records``.
        """
        count = count or len(records)
        if not count:
            return
        rest = count - min(len(records), _MOST_RECORDS)
        more = f" and {rest:,} more" if rest else ""
        named = f": {', '.join(records[:_MOST_RECORDS])}{more}" if records else ""
        self.note(f"skipped {plural(count, thing)} that cannot be judged{named}")

    def rows(self, rows: Sequence[Sequence[object]], *, header: Sequence[str] = (), indent: str = "") -> None:
        """Print a table: aligned on a terminal, otherwise lines with tabs.

        Args:
            rows: the cells, not sanitized.
            header: the names of the columns, for a terminal.
            indent: the beginning of each line, for a terminal.
        """
        cells = [[safe(cell) for cell in row] for row in rows]
        if self.is_terminal(self.out):
            from pulumi_iotda_ota.cli.terminal import print_table  # noqa: PLC0415  rich is loaded for a terminal only

            print_table(self.out, cells, header, indent, colour=self.wants_colour(self.out))
        elif cells:
            self.line("\n".join("\t".join(row) for row in cells))
