"""The report of `doctor`: the sources of each setting, and the findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from pulumi_iotda_ota.cli.session import safe
from pulumi_iotda_ota.iotda.auth.credentials import masked_key
from pulumi_iotda_ota.iotda.auth.settings import BY_NAME, SETTINGS
from pulumi_iotda_ota.iotda.errors import CAUSE, FIX
from pulumi_iotda_ota.iotda.sanitize import REDACTED
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, render

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pulumi_iotda_ota.cli.session import Session
    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.auth.sources import Sources, SourceValues
    from pulumi_iotda_ota.iotda.errors import IotdaOtaError

OK, WARNING, PROBLEM, SKIPPED = "ok", "warning", "problem", "skipped"
_COLOURS = {OK: "green", WARNING: "yellow", PROBLEM: "red", SKIPPED: "bright_black"}
_STATUS = 9  # characters before the text of a finding
_ORDER = {setting.name: number for number, setting in enumerate(SETTINGS)}


@dataclass(frozen=True)
class Place:
    """A setting in one source.

    Attributes:
        name: the setting.
        value: its value; a secret is redacted.
        origin: the source.
        used: whether it counts, because no earlier source has the setting.
    """

    name: str
    value: str
    origin: str
    used: bool = True

    @property
    def values(self) -> dict[str, Any]:
        """Return it as plain values."""
        return dict(vars(self))


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        check: the name of the check.
        status: ``ok``, ``warning``, ``problem``, or ``skipped`` if an earlier check failed.
        text: the result.
        remedy: the fix, or empty.
        facts: more labelled lines.
    """

    check: str
    status: str
    text: str
    remedy: str = ""
    facts: tuple[tuple[str, str], ...] = field(default=())

    @property
    def values(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {**vars(self), "facts": [{"label": label, "text": text} for label, text in self.facts]}


def of_error(check: str, error: IotdaOtaError, session: Session) -> Finding:
    """Return the finding of an error. Its fix is the remedy; its probable cause is one to check."""
    error.redact(session.secrets)
    facts = error.facts_in(COMMAND_LINE)
    steps = [text for label, text in facts if label == FIX]
    causes = [text for label, text in facts if label == CAUSE]
    steps += [text if text.startswith("if ") else f"check whether {text}" for text in causes]
    others = tuple(fact for fact in facts if fact[0] not in (FIX, CAUSE))
    headline = render(error.message.headline, COMMAND_LINE)
    return Finding(check, PROBLEM, headline, "; ".join(steps) or "correct what the lines above name", others)


def places(sources: Sources, resolved: ResolvedConnection | None) -> list[Place]:
    """Return each source of each setting, and the settings that follow from others, in the order of the table.

    Args:
        sources: the values of all sources.
        resolved: the connection, or None if the settings make none.
    """
    found = [
        Place(
            name, _display_value(name, values), render(values.origin(name), COMMAND_LINE), sources.counts(name, values)
        )
        for values in sources.all
        for name in values.values
    ]
    known = {place.name for place in found}
    derived = [place for place in _derived(resolved) if place.name not in known]
    return sorted([*found, *derived], key=lambda place: _ORDER[place.name])


def _display_value(name: str, values: SourceValues) -> str:
    text = values.text(name)
    if name == "access_key":
        return masked_key(text)
    if BY_NAME[name].secret or "@" in text:  # an address with a password in it
        return REDACTED
    return safe(values.values[name])


def _derived(resolved: ResolvedConnection | None) -> Iterator[Place]:
    """Return the settings that no source has and that follow from others."""
    if resolved is None:
        return
    for name in ("region", "endpoint", "iam_endpoint"):
        if name in resolved.origins:
            yield Place(name, safe(getattr(resolved, name)), render(resolved.origins[name], COMMAND_LINE))
    yield Place("signing", resolved.algorithm, "the endpoint")
    if not resolved.project_id:
        yield Place("project_id", "", "IAM, by project_name" if resolved.project_name else "IAM, by the region")


def print_report(session: Session, found: Sequence[Place], findings: Sequence[Finding]) -> None:
    """Print the sources of the settings and the findings: aligned on a terminal, otherwise with tabs."""
    rows = [(place.name, place.value, place.origin, "" if place.used else "not used") for place in found]
    session.rows(rows, header=("setting", "value", "from", ""))
    session.line()
    for finding in findings:
        _print(session, finding)


def _print(session: Session, finding: Finding) -> None:
    colour = session.wants_colour(session.out)
    status = click.style(f"{finding.status:<8}", fg=_COLOURS[finding.status]) if colour else f"{finding.status:<8}"
    session.labelled(f"{status} ", f"{finding.check}: {finding.text}", indent=_STATUS)
    for label, text in (*finding.facts, (FIX, finding.remedy)):
        for number, line in enumerate(text.split("\n") if text else ()):
            session.labelled(f"{'':<{_STATUS}}{'' if number else label:<12} ", line, indent=_STATUS + 13)
