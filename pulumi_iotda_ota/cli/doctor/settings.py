"""Where every setting stands: each place that has it, and which one counts. Secrets are masked. Sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.cli.session import HIDDEN, safe
from pulumi_iotda_ota.iotda.auth.credentials import masked_key
from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.iotda.sanitize import REDACTED
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.auth.sources import Sources, SourceValues

_SECRET = frozenset(setting.name for setting in SETTINGS if setting.secret)


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


def places(sources: Sources, resolved: ResolvedConnection | None) -> list[Place]:
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


def secrets_in(sources: Sources) -> set[str]:
    """Return every text among them that must not be printed."""
    return {text for found in sources.all for setting in HIDDEN if (text := found.text(setting.name))}


def _of(name: str, sources: Sources) -> Iterator[Place]:
    """Return each place that has a setting."""
    for values in sources.all:
        if name in values.values:
            origin = render(values.origin(name), COMMAND_LINE)
            yield Place(name, _display_value(name, values), origin, used=sources.counts(name, values))


def _display_value(name: str, found: SourceValues) -> str:
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
