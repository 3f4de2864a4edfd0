"""Reads and writes the text of a lock file: JSON that git merges. Opens no file.

Entries are sorted by name. Each is a block that ends with a comma and an empty line; the last line is the format. So a
change of one block touches no line of another. Two branches merge unless both change one name, or both add a name
between the same two others.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.durations import parse_time
from pulumi_iotda_ota.errors import LockError
from pulumi_iotda_ota.iotda.errors import IotdaOtaError
from pulumi_iotda_ota.iotda.limits import LOCK_NAME
from pulumi_iotda_ota.iotda.models import FileLocation, ObsLocation, OtaPackage
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.sanitize import did_you_mean, quoted, sanitize
from pulumi_iotda_ota.lock.entry import PLACE, Entry
from pulumi_iotda_ota.lookup.find import is_signed
from pulumi_iotda_ota.lookup.query import PackageLookup
from pulumi_iotda_ota.message_rendering import command, options
from pulumi_iotda_ota.schema import outputs, validation
from pulumi_iotda_ota.selection.rules import rules_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pulumi_iotda_ota.schema.outputs import Output

FORMAT = 2
_NAMES_OF_FORMAT_1 = {"require_signature": "require_checksum", "allow_unscoped": "allow_multiple_scopes"}
_MARKERS = re.compile(r"^(?:<{7}|\|{7}|={7}|>{7})(?: |$)", re.MULTILINE)


def written(entries: Iterable[Entry]) -> str:
    """Return the text of a lock file. It does not depend on the order of the entries."""
    blocks = [
        f"  {json.dumps(entry.name)}: {_indented(_ordered(entry))},\n\n"
        for entry in sorted(entries, key=lambda entry: entry.name)
    ]
    return "".join(["{\n", *blocks, f'  "format": {FORMAT}\n}}\n'])


def read(text: str, file: str) -> dict[str, Entry]:
    """Return the entries of a lock file by name.

    Args:
        text: the content of the file.
        file: the name of the file in an error.

    Raises:
        LockError: it is damaged, has merge conflicts, or has another format.
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
    name = ""
    try:
        for name, value in document.items():
            entries[name] = _entry(name, value)
    except _MisfitError as error:
        raise _damaged(file, f"{quoted(name)}: {error}") from None
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
            raise ValueError(f"{quoted(name)} occurs twice")
        found[name] = value
    return found


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _indented(value: object) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # A reviewer must see every character, so those that do not print are escaped.
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
        "take the file of one side (git checkout --ours or --theirs), and run iotda-ota lock add or update for the "
        "changes of the other side"
    )
    facts = [("file", file), ("cause", f"line {line} is a conflict marker of git"), ("fix", advice)]
    return LockError("the lock file has unresolved merge conflicts", facts=facts)


def _older(file: str, document: Mapping[str, Any]) -> LockError:
    """Return the error of a file of format 1, with the commands that make its entries again."""
    commands = [
        command("lock", "add", name) + f" {options(_selection_of_format_1(value))}" for name, value in document.items()
    ]
    fix = "delete the file and run these commands; they select what matches now, so compare the versions:\n"
    fix += "\n".join(commands)
    facts = [("file", file), ("cause", "format 1 has other names of arguments"), ("fix", fix)]
    return LockError(f"the lock file is of format 1, and this version reads format {FORMAT}", facts=facts)


def _selection_of_format_1(entry: Any) -> dict[str, Any]:
    """Return the selection of an entry of format 1 with the current names of arguments."""
    stored = entry.get("asked") if isinstance(entry, dict) else None
    old = dict(stored) if isinstance(stored, dict) else {}
    by_time = old.pop("order_by", None) == "create_time"
    if old.pop("most_recent", False):
        old["most_recent" if by_time else "highest_version"] = True
    named = {_NAMES_OF_FORMAT_1.get(name, name): value for name, value in old.items()}
    return {word.name: named[word.name] for word in schema.SELECTION if word.name in named}


def _newer(file: str, found: int) -> LockError:
    from importlib.metadata import version  # noqa: PLC0415  slow, and only for the error

    ours = version("pulumi-iotda-ota")
    advice = f"install the version of pulumi-iotda-ota that wrote the file; it is newer than {ours}"
    facts = [
        ("file", file),
        ("cause", f"pulumi-iotda-ota {ours} reads format {FORMAT}"),
        ("fix", advice),
    ]
    return LockError(f"the lock file has format {found}, which is newer than this library", facts=facts)


# Checks an entry field by field, with the tables of the schema.

_TYPES: dict[str, tuple[type, str]] = {
    "selection": (dict, "an object"),
    "place": (dict, "an object"),
    "package": (dict, "an object"),
    "locked_at": (str, "a string"),
    "reason": (str, "a string"),
}


class _MisfitError(Exception):
    """A wrong field, in words that follow the name of the entry."""


def _entry(name: str, value: object) -> Entry:
    if problem := LOCK_NAME.problem(name):
        raise _MisfitError(f"a name {problem}")
    fields = _object("it", value)
    _require_known(fields, _TYPES, "")
    for field, (type_, meaning) in _TYPES.items():
        if not isinstance(fields.get(field), type_):
            raise _MisfitError(f"{field} must be {meaning}, not {_value_of(fields, field)}")
    _check_selection(fields["selection"])
    _check_place(fields["place"])
    _check_fields(fields["package"], outputs.PACKAGE.fields, "package")
    _check_time(fields["locked_at"])
    return Entry(name, **{field: fields[field] for field in _TYPES})


def _check_selection(selection: Mapping[str, Any]) -> None:
    _require_known(selection, [word.name for word in schema.SELECTION], "selection.")
    problems = validation.problems(schema.SELECTION, selection)
    if problems:
        raise _MisfitError(f"selection.{problems[0].text}")


def _check_place(place: Mapping[str, Any]) -> None:
    _require_known(place, PLACE, "place.")
    for name, value in place.items():
        _require_text(f"place.{name}", value)


def _check_fields(value: Mapping[str, Any], table: Iterable[Output], path: str) -> None:
    known = {output.name: output for output in table}
    _require_known(value, known, f"{path}.")
    for name, output in known.items():
        if name in value:
            _check_field(value[name], output, f"{path}.{name}")
        elif not output.optional:
            raise _MisfitError(f"{path}.{name} is missing")


def _check_field(value: object, output: Output, path: str) -> None:
    if output.of is not None:
        _check_fields(_object(path, value), output.of.fields, path)
    elif output.type == "list of strings":
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise _MisfitError(f"{path} must be a list of strings, not {quoted(value)}")
    else:
        _require_text(path, value)


def _check_time(text: str) -> None:
    try:
        parse_time("locked_at", text)
    except IotdaOtaError as error:
        raise _MisfitError(error.message.headline) from None


def _object(path: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _MisfitError(f"{path} must be an object, not {quoted(value)}")
    return value


def _require_text(path: str, value: object) -> None:
    if not isinstance(value, str):
        raise _MisfitError(f"{path} must be a string, not {quoted(value)}")


def _require_known(value: Mapping[str, Any], known: Iterable[str], path: str) -> None:
    names = list(known)
    for name in value:
        if name not in names:
            raise _MisfitError(f"{path}{sanitize(name, limit=60)} is no field of format 2{did_you_mean(name, names)}")


def _value_of(fields: Mapping[str, Any], field: str) -> str:
    return quoted(fields[field]) if field in fields else "missing"


# A person who edits an entry, or merges two sides of it, can put a package under a query that it does not match. Only
# the service knows which of several matches is the right one: ``lock check`` compares that.


def misfit(entry: Entry) -> str:
    """Return the argument that the locked package does not match and why, or an empty string."""
    try:
        return _mismatch(PackageLookup.from_arguments(entry.selection), _package(entry.package))
    except IotdaOtaError as error:  # an argument of the query cannot be read
        return error.message.headline


def _mismatch(lookup: PackageLookup, package: OtaPackage) -> str:
    if lookup.package_id is not None:
        other = lookup.package_id != package.package_id
        return f"{argument('package_id', lookup.package_id)} is requested" if other else ""
    for rule in rules_of(lookup.policy):
        if reason := rule.reason(package):
            return f"{argument(rule.argument)}: {sanitize(reason)}"
    unsigned = lookup.policy.require_checksum and not is_signed(package)
    return f"{argument('require_checksum', True)}: there is no SHA-256 checksum" if unsigned else ""


def _package(fields: Mapping[str, Any]) -> OtaPackage:
    known = {name: value for name, value in fields.items() if name in OtaPackage.__dataclass_fields__}
    obs = (fields.get("file_location") or {}).get("obs_location")
    located = FileLocation(obs_location=ObsLocation(**obs) if obs else None)
    sources = tuple(fields["support_source_versions"])
    return OtaPackage(**{**known, "support_source_versions": sources, "file_location": located})
