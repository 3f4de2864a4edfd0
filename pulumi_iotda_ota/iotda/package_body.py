"""Checks the body of CreateOtaPackage against every documented limit. It sends nothing and changes nothing.

That the object is there, and at most 1 GB large, only the service can see: it reads the object with its own agency.
Source: the API page CreateOtaPackage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.limits import (
    APP_ID,
    MAX_CUSTOM_INFO,
    MAX_DESCRIPTION,
    MAX_SOURCE_VERSIONS,
    MODULE_NAME,
    OBS_BUCKET,
    OBS_KEY,
    OBS_REGION,
    PACKAGE_TYPE,
    PRODUCT_ID,
    SIGN,
    SIGN_METHOD,
    VERSION,
    problem_of_length,
    problem_of_module,
    problem_of_object_key,
    require,
    require_at_most,
    require_each,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pulumi_iotda_ota.iotda.limits import Rule

__all__ = ["OBS_FIELDS", "TEXTS", "checked_package_body", "problems_of_obs_location"]

#: The fields of ``obs_location``, with their limits.
OBS_FIELDS: Mapping[str, Rule] = {
    "region_name": OBS_REGION,
    "bucket_name": OBS_BUCKET,
    "object_key": OBS_KEY,
    "sign_method": SIGN_METHOD,
    "sign": SIGN,
}
_OBS_OPTIONAL = ("sign_method", "sign")
#: The free texts of a package, with their greatest lengths.
TEXTS: Mapping[str, int] = {"description": MAX_DESCRIPTION, "custom_info": MAX_CUSTOM_INFO}
_REQUIRED: Mapping[str, Rule] = {
    "app_id": APP_ID,
    "package_type": PACKAGE_TYPE,
    "product_id": PRODUCT_ID,
    "version": VERSION,
}
_FIELDS = frozenset({*_REQUIRED, *TEXTS, "module_name", "support_source_versions", "file_location"})


def problems_of_obs_location(location: Mapping[str, Any], *, unknown: Collection[str] = ()) -> dict[str, str]:
    """Return what is wrong with where the object lies, by the name of the field.

    Args:
        location: the fields that are known.
        unknown: the names of those that are given but not known yet.
    """
    problems = {name: "is no field of it" for name in location if name not in OBS_FIELDS}
    for name, rule in OBS_FIELDS.items():
        problem = rule.problem(location[name]) if name in location else None
        if problem:
            # A key can hold anything, a secret of its owner too.
            problems[name] = problem if name == "object_key" else f"{problem}, not {shown(location[name])}"
        elif name not in location and name not in unknown and name not in _OBS_OPTIONAL:
            problems[name] = "is required"
    if "object_key" in location and "object_key" not in problems:
        problem = problem_of_object_key(location["object_key"])
        problems |= {"object_key": problem} if problem else {}
    return problems


def checked_package_body(body: Mapping[str, object]) -> dict[str, Any]:
    """Return the body as plain values once all of it is within the documented limits.

    Args:
        body: the API's body.

    Raises:
        InputError: a field is unknown, missing, or breaks its limit; it is named as the Python functions spell it.
    """
    checked = {name: value for name, value in body.items() if value is not None}
    unknown = sorted(checked.keys() - _FIELDS)
    if unknown:
        raise InputError(f"a package has no field {shown(unknown[0])}", argument=str(unknown[0]))
    for name, rule in _REQUIRED.items():
        require(name, checked.get(name), rule)
    if "module_name" in checked:
        require("module_name", checked["module_name"], MODULE_NAME)
    _refuse("module_name", problem_of_module(checked["package_type"], module="module_name" in checked))
    _check_texts(checked)
    _check_object(checked.get("file_location"))
    return checked


def _check_texts(body: Mapping[str, Any]) -> None:
    for name, most in TEXTS.items():
        text = body.get(name, "")
        if not isinstance(text, str):
            raise InputError(f"{name} must be text", argument=name)
        _refuse(name, problem_of_length(text, most))
    versions: Sequence[object] = body.get("support_source_versions", ())
    if not isinstance(versions, (list, tuple)):
        raise InputError("support_source_versions must be a list", argument="support_source_versions")
    require_at_most("support_source_versions", versions, MAX_SOURCE_VERSIONS)
    require_each("support_source_versions", versions, VERSION)


def _check_object(file_location: object) -> None:
    location = file_location.get("obs_location") if isinstance(file_location, Mapping) else None
    if not isinstance(location, Mapping):
        raise InputError("obs_location is required", argument="obs_location")
    for name, problem in problems_of_obs_location(location).items():
        raise InputError(f"obs_location.{name} {problem}", argument="obs_location")


def _refuse(argument: str, problem: str | None) -> None:
    if problem:
        raise InputError(f"{argument} {problem}", argument=argument)
