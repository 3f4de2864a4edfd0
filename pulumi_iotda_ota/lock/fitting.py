"""Whether a locked package is one that the query beside it can give. Sends nothing.

Who edits an entry by hand, or takes its parts from two sides of a merge, can put a package under a query that never
gave it. Which one of several that fit it would be, only the service can tell: that is for ``lock check``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.errors import IotdaOtaError
from pulumi_iotda_ota.iotda.models import FileLocation, ObsLocation, OtaPackage
from pulumi_iotda_ota.iotda.sanitize import printable
from pulumi_iotda_ota.lookup.find import is_signed
from pulumi_iotda_ota.lookup.query import PackageLookup
from pulumi_iotda_ota.selection.rules import rules_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.lock.entry import Entry

__all__ = ["misfit"]


def misfit(entry: Entry) -> str:
    """Return the word of the query that the locked package breaks, and how; empty where it breaks none.

    Args:
        entry: what is locked; valid by the tables.
    """
    try:
        return _broken(PackageLookup.from_arguments(entry.asked), _package(entry.package))
    except IotdaOtaError as error:  # the query, or the time of the upload, can not be read
        return error.headline


def _broken(lookup: PackageLookup, package: OtaPackage) -> str:
    if lookup.package_id is not None:
        other = lookup.package_id != package.package_id
        return f"package_id: {printable(lookup.package_id)} was asked for" if other else ""
    for rule in rules_of(lookup.policy):
        if reason := rule.reason(package):
            return f"{rule.argument}: {printable(reason)}"
    unsigned = lookup.policy.require_signature and not is_signed(package)
    return "require_signature: there is no SHA-256 checksum" if unsigned else ""


def _package(fields: Mapping[str, Any]) -> OtaPackage:
    known = {name: value for name, value in fields.items() if name in OtaPackage.__dataclass_fields__}
    obs = (fields.get("file_location") or {}).get("obs_location")
    located = FileLocation(obs_location=ObsLocation(**obs) if obs else None)
    sources = tuple(fields["support_source_versions"])
    return OtaPackage(**{**known, "support_source_versions": sources, "file_location": located})
