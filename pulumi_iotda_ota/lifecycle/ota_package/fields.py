"""What makes a package the same package: the body that creates it, and how two of them compare. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.api.requests import OBS_FIELDS
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.sanitize import quoted
from pulumi_iotda_ota.lifecycle.base import holds_unknown
from pulumi_iotda_ota.lookup.details import contradictions

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.models import OtaPackage
    from pulumi_iotda_ota.lifecycle.base import Properties

#: What a package is: two that agree in these are twins.
IDENTITY = ("package_type", "app_id", "product_id", "module_name", "version")
#: A change of one of these is another file, for devices of its own kind.
FILE_INPUTS = (*IDENTITY, "obs_location")
#: What is written about a package. The service can not change it either.
TEXTS = ("support_source_versions", "description", "custom_info")

_HIDDEN = ("description", "custom_info")  # too long to be told, and nobody's business
_SIGN_METHOD = "SHA256"  # what the API takes where none is given


def new_package(inputs: Properties) -> Properties:
    """Return the body of CreateOtaPackage."""
    body = {name: inputs[name] for name in (*IDENTITY, *TEXTS) if name in inputs}
    return {**body, "file_location": {"obs_location": inputs["obs_location"]}}


def changed_inputs(olds: Properties, news: Properties) -> tuple[str, ...]:
    """Return the inputs by which two packages differ; one that is not known yet may differ, and counts."""
    unknown = {name for name in (*FILE_INPUTS, *TEXTS) if holds_unknown(news.get(name))}
    before = _compared(olds)
    after = _compared({name: value for name, value in news.items() if name not in unknown})
    differing = {name.partition(".")[0] for name in before if before[name] != after[name]}
    return tuple(name for name in (*FILE_INPUTS, *TEXTS) if name in differing | unknown)


def kept_key(properties: Properties) -> str:
    """Return what stands for a package while the program declares it: all that is compared, as one text."""
    return repr(sorted(_compared(properties).items()))


def differences(package: OtaPackage, inputs: Properties) -> list[str]:
    """Return a description of each input that a package on the service does not equal.

    A checksum that is not declared is no difference: the service can compute it itself.
    """
    return [_difference(name, found, wanted) for name, found, wanted in _differing(package, inputs)]


def drift(package: OtaPackage, state: Properties) -> list[str]:
    """Return a description of each field that the service now describes differently than the state.

    A field that the service does not return agrees.
    """
    differing = [(name, now, before) for name, now, before in _differing(package, state) if now]
    if contradictions({"create_time": state.get("create_time")}, {"create_time": package.create_time}):
        differing.append(("create_time", package.create_time, state["create_time"]))
    return [_difference(name, now, before) for name, now, before in differing]


def _differing(package: OtaPackage, inputs: Properties) -> list[tuple[str, Any, Any]]:
    """Return the name, the value on the service and the declared value of everything that differs."""
    location = package.file_location.obs_location if package.file_location else None
    fields = {name: getattr(package, name) for name in (*IDENTITY, *TEXTS)}
    found = _compared({**fields, "obs_location": location.model_dump() if location else {}})
    wanted = _compared(inputs)
    if wanted["obs_location.sign"] is None:
        found["obs_location.sign"] = None
    return [(name, found[name], wanted[name]) for name in wanted if found[name] != wanted[name]]


def described(inputs: Properties) -> str:
    """Return what an error or a warning calls a package."""
    module = f", module {inputs['module_name']}" if inputs.get("module_name") else ""
    return f"{inputs['package_type']} of product {inputs['product_id']}{module}, version {inputs['version']}"


def _compared(properties: Properties) -> dict[str, Any]:
    """Return what of a package is compared, each in one form: whatever means the same is equal.

    It is made of inputs that are not judged yet, too.
    """
    location, versions = properties.get("obs_location"), properties.get("support_source_versions")
    obs = {name: location.get(name) if isinstance(location, dict) else None for name in OBS_FIELDS}
    return {
        **{name: properties.get(name) or None for name in IDENTITY},
        **{name: properties.get(name) or "" for name in _HIDDEN},
        "support_source_versions": sorted(
            {str(item) for item in versions} if isinstance(versions, (list, tuple)) else ()
        ),
        **{f"obs_location.{name}": value for name, value in obs.items()},
        "obs_location.sign_method": obs["sign_method"] or _SIGN_METHOD,
        "obs_location.sign": str(obs["sign"]).lower() if obs["sign"] else None,
    }


def _difference(name: str, found: Any, wanted: Any) -> str:
    if name in _HIDDEN:
        return f"{argument(name)} differs"
    return f"{argument(name)} is {_told(found)}, not {_told(wanted)}"


def _told(value: Any) -> str:
    return "none" if value in (None, []) else quoted(value)
