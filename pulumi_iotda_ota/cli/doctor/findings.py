"""What `doctor` found, and how it is printed. Finds nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from pulumi_iotda_ota.iotda.errors import CAUSE, FIX
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_iotda_ota.cli.doctor.settings import Place
    from pulumi_iotda_ota.cli.session import Session
    from pulumi_iotda_ota.iotda.errors import IotdaOtaError

OK, WARNING, PROBLEM, SKIPPED = "ok", "warning", "problem", "skipped"
_COLOURS = {OK: "green", WARNING: "yellow", PROBLEM: "red", SKIPPED: "bright_black"}
_STATUS = 9  # characters before the text of a finding


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: what.
        status: ``ok``, ``warning``, ``problem``, or ``skipped`` where something before it does not work.
        text: what was found.
        remedy: what to do about it; empty where there is nothing to do.
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
        facts = [{"label": label, "text": text} for label, text in self.facts]
        return {"check": self.check, "status": self.status, "text": self.text, "remedy": self.remedy, "facts": facts}


def of_error(check: str, error: IotdaOtaError, session: Session) -> Finding:
    """Return the finding of an error. Its fix is the remedy; its probable cause is one to check."""
    error.redact(session.secrets)
    told = error.facts_in(COMMAND_LINE)
    causes = [text for label, text in told if label == CAUSE]
    steps = [text for label, text in told if label == FIX]
    steps += [text if text.startswith("if ") else f"check whether {text}" for text in causes]
    facts = tuple(fact for fact in told if fact[0] not in (FIX, CAUSE))
    headline = render(error.message.headline, COMMAND_LINE)
    return Finding(check, PROBLEM, headline, "; ".join(steps) or "correct what the lines above say", facts)


def print_findings(session: Session, places: Sequence[Place], findings: Sequence[Finding]) -> None:
    """Print where settings come from and what was found: aligned for a person, with tabs elsewhere."""
    settings = [(place.name, place.value, place.origin, "" if place.used else "not used") for place in places]
    session.rows(settings, header=("setting", "value", "from", ""))
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
