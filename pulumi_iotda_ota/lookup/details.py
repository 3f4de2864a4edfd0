"""The one rule for details: what ShowOtaPackage returns is held to what was listed, pinned or locked before.

The rules of a selection are applied to the list. So they hold for a detail only if both agree in what the rules read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.lookup.error_messages import contradicted
from pulumi_iotda_ota.selection.rules import EXACT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.iotda.models import OtaPackage

#: The fields that the rules of a selection read. The service cannot change any of them.
READ_BY_RULES = (*EXACT, "support_source_versions", "create_time")

# An empty list of source versions is the same as none.
_LEFT_OUT = (None, (), [])


def contradictions(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the fields in which two descriptions of one package differ; a field that one leaves out agrees.

    Only fields that the rules of a selection read are compared.

    Args:
        before: the package as it was listed, pinned or locked.
        now: the package as the service describes it now.
    """
    known = [name for name in READ_BY_RULES if now.get(name) not in _LEFT_OUT and before.get(name) is not None]
    return [name for name in known if _comparable(name, before[name]) != _comparable(name, now[name])]


def held_to(listed: OtaPackage, detail: OtaPackage) -> OtaPackage:
    """Return a listed package with the file location of its detail.

    Raises:
        ProtocolError: the detail contradicts the list, so the rules that chose the package do not hold for it.
    """
    before, now = ({name: getattr(package, name) for name in READ_BY_RULES} for package in (listed, detail))
    if differing := contradictions(before, now):
        raise contradicted(listed.package_id, before, now, differing)
    return replace(listed, file_location=detail.file_location)


def _comparable(name: str, value: Any) -> Any:
    """Return a field without its form: the order of a list and its repetitions, and how a time is written."""
    if name == "create_time":
        from pulumi_iotda_ota.iotda.models import read_service_time  # noqa: PLC0415  loaded with the first lookup

        # The forms differ in how finely they tell a time. The documented one has whole seconds.
        time = read_service_time(value)
        return time.replace(microsecond=0) if time else value
    return sorted(set(value)) if isinstance(value, (list, tuple)) else value
