"""Times and durations as users write them."""

from __future__ import annotations

import pytest

from pulumi_iotda_ota.durations import api_time, parse_duration, parse_time
from pulumi_iotda_ota.iotda.errors import InputError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-10-02T08:00:00Z", "20261002T080000Z"),
        ("2026-10-02T08:00:00+08:00", "20261002T000000Z"),
        ("20261002T080000Z", "20261002T080000Z"),
        ("0999-10-02T08:00:00Z", "09991002T080000Z"),
    ],
)
def test_times_in_the_api_s_form(text: str, expected: str) -> None:
    """A time is in UTC, with four digits of a year."""
    assert api_time(parse_time("created_after", text)) == expected


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-10-02", "2026-10-02T08:00:00", "0001-01-01T00:00:00+05:00", "", None, 20261002]
)
def test_what_is_no_time_is_refused(text: object) -> None:
    """A time without a zone, or outside the calendar, is an error that names the argument."""
    with pytest.raises(InputError, match="created_after must be a time with its zone"):
        parse_time("created_after", text)


@pytest.mark.parametrize(("value", "seconds"), [(90, 90), ("90", 90), ("15m", 900), ("24h", 86_400), ("1.5h", 5400)])
def test_durations(value: object, seconds: float) -> None:
    """Seconds as a number or text, or a number with its unit."""
    assert parse_duration("timeout", value) == seconds
