"""Reads durations (``90``, ``"15m"``) and times (RFC 3339, or the form of the API) of users."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from pulumi_iotda_ota.iotda import references
from pulumi_iotda_ota.iotda.errors import InputError

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class DurationRule:
    """The rule of an argument that is a duration."""

    meaning: str = 'seconds or a string such as "90s", "15m" or "24h"'

    def problem(self, value: object) -> str | None:
        """Return why a value is not a duration, or None."""
        return f"must be {self.meaning}" if _seconds(value) is None else None


@dataclass(frozen=True)
class TimeRule:
    """The rule of an argument that is a time."""

    meaning: str = "a time with its zone such as 2026-10-02T08:00:00Z"

    def problem(self, value: object) -> str | None:
        """Return why a value is not a time, or None."""
        return f"must be {self.meaning}" if _time(value) is None else None


def parse_duration(argument: str, value: object) -> float:
    """Return a duration in seconds.

    Args:
        argument: the name of the argument.
        value: seconds as a number, or a string such as ``90``, ``90s``, ``15m``, ``24h`` or ``7d``.

    Raises:
        InputError: the value is neither, or negative.
    """
    seconds = _seconds(value)
    if seconds is None:
        raise InputError(
            f"{references.argument(argument)} {DurationRule().problem(value)}, not {references.value(value)}",
            argument=argument,
        )
    return seconds


def _seconds(value: object) -> float | None:
    """Return the seconds of a duration, or None if the value is not one."""
    text = str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([smhd]?)", text)
    return float(match.group(1)) * _UNITS[match.group(2)] if match else None


def parse_time(argument: str, value: object) -> datetime:
    """Return a time in UTC.

    Args:
        argument: the name of the argument.
        value: a string in RFC 3339 with a zone (``2026-10-02T08:00:00Z``) or in the API's ``yyyyMMddTHHmmssZ``.

    Raises:
        InputError: the value is neither.
    """
    time = _time(value)
    if time is None:
        raise InputError(
            f"{references.argument(argument)} {TimeRule().problem(value)}, not {references.value(value)}",
            argument=argument,
        )
    return time


def _time(text: object) -> datetime | None:
    """Return the time of a text, or None if it has another form or no zone."""
    if not isinstance(text, str):
        return None
    from pulumi_iotda_ota.iotda.models import parse_api_time  # noqa: PLC0415  help must not load pydantic

    try:
        if re.fullmatch(r"\d{8}T\d{6}Z", text):
            return parse_api_time(text)
        time = datetime.fromisoformat(text.replace("Z", "+00:00").replace("z", "+00:00"))
        return time.astimezone(timezone.utc) if time.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def api_time(time: datetime) -> str:
    """Return a time in the API's form."""
    time = time.astimezone(timezone.utc)
    return f"{time.year:04}{time:%m%dT%H%M%SZ}"  # %Y pads on some systems only
