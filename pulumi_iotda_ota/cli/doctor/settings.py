"""Where every setting stands: each place that has it, and which one counts. Secrets are masked. Sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.cli.session import HIDDEN, safe
from pulumi_iotda_ota.iotda.auth.credentials import masked_key
from pulumi_iotda_ota.iotda.auth.discovery import KINDS
from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.iotda.sanitize import REDACTED
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, render

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.auth.discovery import Found

_SECRET = frozenset(setting.name for setting in SETTINGS if setting.secret)
# The id and the name of a project come from one place too.
_PROJECT = ("project_id", "project_name")
_PARTS = frozenset(part for kind in KINDS for part in kind.parts)


@dataclass(frozen=True)
class Place:
    """One setting in one place.

    Attributes:
        name: the setting.
        value: its value, a secret masked.
        origin: the place.
        used: whether it counts; another place before it may.
    """

    name: str
    value: str
    origin: str
    used: bool = True

    @property
    def values(self) -> dict[str, Any]:
        """Return it as plain values."""
        return dict(vars(self))


def places(sources: Sequence[Found], resolved: ResolvedConnection | None) -> list[Place]:
    """Return every setting that was found, and those that follow from others, in the table's order.

    Args:
        sources: what every source holds, in their order.
        resolved: what that makes, or None where it makes nothing.
    """
    found = [place for setting in SETTINGS for place in _of(setting.name, sources)]
    known = {place.name for place in found}
    order = [setting.name for setting in SETTINGS]
    derived = [place for place in _derived(resolved) if place.name not in known]
    return sorted([*found, *derived], key=lambda place: order.index(place.name))


def secrets_in(sources: Sequence[Found]) -> set[str]:
    """Return every text among them that must not be printed."""
    return {text for found in sources for setting in HIDDEN if (text := found.text(setting.name))}


def _of(name: str, sources: Sequence[Found]) -> Iterator[Place]:
    """Give the places that have a setting; a credential comes whole from the first that has any part of one."""
    having = [found for found in sources if found.text(name)]
    together = _PARTS if name in _PARTS else _PROJECT if name in _PROJECT else (name,)
    deciding = next((found for found in sources if any(found.text(part) for part in together)), None)
    for found in having:
        origin = render(found.origin(name), COMMAND_LINE)
        # A project's id goes before its name in the same place.
        used = found is deciding and not (name == "project_name" and found.text("project_id"))
        yield Place(name, _display_value(name, found), origin, used=used)


def _display_value(name: str, found: Found) -> str:
    text = found.text(name)
    if name == "access_key":
        return masked_key(text)
    if name in _SECRET or "@" in text:  # an address with a password in it
        return REDACTED
    return safe(found.values[name])


def _derived(resolved: ResolvedConnection | None) -> Iterator[Place]:
    """Give the settings that nobody gave and that follow from others."""
    if resolved is None:
        return
    for name in ("region", "endpoint", "iam_endpoint"):
        if name in resolved.origins:
            yield Place(name, safe(getattr(resolved, name)), render(resolved.origins[name], COMMAND_LINE))
    yield Place("signing", resolved.algorithm, "the endpoint")
    if not resolved.project_id:
        yield Place("project_id", "", "IAM, by project_name" if resolved.project_name else "IAM, by the region")
