"""Holds what a lock file says against the tables, field by field. Reads no file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.durations import parse_time
from pulumi_iotda_ota.iotda.errors import IotdaOtaError
from pulumi_iotda_ota.iotda.limits import LOCK_NAME
from pulumi_iotda_ota.iotda.models import FileLocation, ObsLocation, OtaPackage
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.sanitize import did_you_mean, quoted, sanitize
from pulumi_iotda_ota.lock.entry import PLACE, Entry
from pulumi_iotda_ota.lookup.find import is_signed
from pulumi_iotda_ota.lookup.query import PackageLookup
from pulumi_iotda_ota.schema import outputs, validation
from pulumi_iotda_ota.selection.rules import rules_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pulumi_iotda_ota.schema.outputs import Output

_TYPES: dict[str, tuple[type, str]] = {
    "selection": (dict, "an object"),
    "place": (dict, "an object"),
    "package": (dict, "an object"),
    "locked_at": (str, "a string"),
    "reason": (str, "a string"),
}


class _MisfitError(Exception):
    """What is wrong, as goes behind the name of the entry."""


def entry_of(name: str, value: object) -> tuple[Entry | None, str]:
    """Return one entry of a file, or None and what is wrong with it.

    Args:
        name: its name.
        value: what the file holds under it.
    """
    try:
        return _entry(name, value), ""
    except _MisfitError as misfit:
        return None, f"{quoted(name)}: {misfit}"


def _entry(name: str, value: object) -> Entry:
    if problem := LOCK_NAME.problem(name):
        raise _MisfitError(f"a name {problem}")
    fields = _object("it", value)
    _require_known(fields, _TYPES, "")
    for field, (type_, meaning) in _TYPES.items():
        if not isinstance(fields.get(field), type_):
            raise _MisfitError(f"{field} must be {meaning}, not {_given(fields, field)}")
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


def _given(fields: Mapping[str, Any], field: str) -> str:
    return quoted(fields[field]) if field in fields else "missing"


# Whether a locked package is one that the query beside it can give. Sends nothing.
#
# Who edits an entry by hand, or takes its parts from two sides of a merge, can put a package under a query that never
# gave it. Which one of several that fit it would be, only the service can tell: that is for ``lock check``.


def misfit(entry: Entry) -> str:
    """Return the word of the query that the locked package breaks, and how; empty where it breaks none.

    Args:
        entry: what is locked; valid by the tables.
    """
    try:
        return _broken(PackageLookup.from_arguments(entry.selection), _package(entry.package))
    except IotdaOtaError as error:  # the query, or the time of the upload, cannot be read
        return error.message.headline


def _broken(lookup: PackageLookup, package: OtaPackage) -> str:
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
