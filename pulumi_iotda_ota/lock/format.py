"""How a lock file is written and read: JSON that git merges. Opens no file.

Entries stand at the top, sorted by name, each a block that ends in a comma and an empty line; the last line is always
that of the format. So a block that is added, changed or removed touches no line of another one, and two branches merge
unless both put a name into the same gap or change the same name.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.errors import LockError
from pulumi_iotda_ota.iotda.sanitize import quoted, sanitize
from pulumi_iotda_ota.lock.entry import PLACE, Entry
from pulumi_iotda_ota.lock.validation import entry_of
from pulumi_iotda_ota.message_rendering import command, options
from pulumi_iotda_ota.schema import outputs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pulumi_iotda_ota.schema.outputs import Output

FORMAT = 2
_NAMES_OF_FORMAT_1 = {"require_signature": "require_checksum", "allow_unscoped": "allow_multiple_scopes"}
_MARKERS = re.compile(r"^(?:<{7}|\|{7}|={7}|>{7})(?: |$)", re.MULTILINE)


def written(entries: Iterable[Entry]) -> str:
    """Return the text of a lock file: the same for the same entries, in whichever order they come."""
    blocks = [
        f"  {json.dumps(entry.name)}: {_indented(_ordered(entry))},\n\n"
        for entry in sorted(entries, key=lambda entry: entry.name)
    ]
    return "".join(["{\n", *blocks, f'  "format": {FORMAT}\n}}\n'])


def read(text: str, file: str) -> dict[str, Entry]:
    """Return the entries of a lock file by name.

    Args:
        text: what the file holds.
        file: how an error names it.

    Raises:
        LockError: it is damaged, not merged to the end, or of a newer format.
    """
    document = _document(text, file)
    written_in = document.pop("format", None)
    if isinstance(written_in, bool) or not isinstance(written_in, int):
        raise _damaged(file, f'"format" must be a number, not {quoted(written_in)}')
    if written_in > FORMAT:
        raise _newer(file, written_in)
    if written_in == 1:
        raise _older(file, document)
    if written_in != FORMAT:
        raise _damaged(file, f"there is no format {written_in}")
    return dict(sorted(_entries(document, file).items()))


def _entries(document: Mapping[str, Any], file: str) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for name, value in document.items():
        entry, problem = entry_of(name, value)
        if entry is None:
            raise _damaged(file, problem)
        entries[name] = entry
    return entries


def _document(text: str, file: str) -> dict[str, Any]:
    marker = _MARKERS.search(text)
    if marker:
        raise _not_merged(file, text.count("\n", 0, marker.start()) + 1)
    try:
        document = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _damaged(file, f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise _damaged(file, sanitize(error)) from None
    if not isinstance(document, dict):
        raise _damaged(file, f"it must be an object, not {quoted(document)}")
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{quoted(name)} is there twice")
        found[name] = value
    return found


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _indented(value: object) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # What hides in a review, such as a character that turns the writing round, is written out.
    safe = "".join(one if one == "\n" or one.isprintable() else json.dumps(one)[1:-1] for one in text)
    return safe.replace("\n", "\n  ")


def _ordered(entry: Entry) -> dict[str, Any]:
    """Return an entry with its fields in the order of the tables."""
    return {
        "selection": {
            word.name: entry.selection[word.name] for word in schema.SELECTION if word.name in entry.selection
        },
        "place": {name: entry.place[name] for name in PLACE if name in entry.place},
        "package": _fields(entry.package, outputs.PACKAGE.fields),
        "locked_at": entry.locked_at,
        "reason": entry.reason,
    }


def _fields(value: Mapping[str, Any], table: Iterable[Output]) -> dict[str, Any]:
    return {
        output.name: _fields(value[output.name], output.of.fields) if output.of else value[output.name]
        for output in table
        if output.name in value
    }


def _damaged(file: str, what: str) -> LockError:
    facts = [
        ("file", file),
        ("cause", what),
        ("fix", "restore it from the last commit (git checkout), and change it only with iotda-ota lock"),
    ]
    return LockError("the lock file is damaged", facts=facts)


def _not_merged(file: str, line: int) -> LockError:
    advice = (
        "take the file of one side (git checkout --ours or --theirs), and run iotda-ota lock add or update for what "
        "the other had changed"
    )
    facts = [("file", file), ("cause", f"line {line} is a conflict marker of git"), ("fix", advice)]
    return LockError("the lock file has unresolved merge conflicts", facts=facts)


def _older(file: str, document: Mapping[str, Any]) -> LockError:
    """Return the error of a file of format 1, with the commands that write its entries anew."""
    commands = [
        command("lock", "add", name) + f" {options(_selection_of_format_1(value))}" for name, value in document.items()
    ]
    fix = "delete the file and run these commands; they select what matches now, so compare the versions:\n"
    fix += "\n".join(commands)
    facts = [("file", file), ("cause", "format 1 has other names of arguments"), ("fix", fix)]
    return LockError(f"the lock file is of format 1, and this version reads format {FORMAT}", facts=facts)


def _selection_of_format_1(entry: Any) -> dict[str, Any]:
    """Return the selection of an entry of format 1 with the names of arguments of today."""
    asked = entry.get("asked") if isinstance(entry, dict) else None
    old = dict(asked) if isinstance(asked, dict) else {}
    by_time = old.pop("order_by", None) == "create_time"
    if old.pop("most_recent", False):
        old["most_recent" if by_time else "highest_version"] = True
    named = {_NAMES_OF_FORMAT_1.get(name, name): value for name, value in old.items()}
    return {word.name: named[word.name] for word in schema.SELECTION if word.name in named}


def _newer(file: str, found: int) -> LockError:
    from importlib.metadata import version  # noqa: PLC0415  slow, and only for the error

    ours = version("pulumi-iotda-ota")
    advice = f"install a pulumi-iotda-ota newer than {ours}, the one that wrote it"
    facts = [
        ("file", file),
        ("cause", f"pulumi-iotda-ota {ours} reads format {FORMAT}"),
        ("fix", advice),
    ]
    return LockError(f"the lock file has format {found}, which is newer than this library", facts=facts)
