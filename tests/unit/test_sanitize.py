"""Text from outside, made safe."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_iotda_ota.iotda.sanitize import REDACTED, plural, sanitize


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, 一 and ü", "plain text, 一 and ü"),
        ("a\x1b[31mred", "a\\x1b[31mred"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("line\u2028separator", "line\\u2028separator"),
        ("\u202edesrever", "\\u202edesrever"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\ud800", "\\ud800"),
        ("::error::x", ": :error: :x"),
        (":::", ": : :"),
        ("##vso[x]", "# #vso[x]"),
        (7, "7"),
        (None, "None"),
    ],
)
def test_what_could_reach_into_a_terminal_is_escaped(text: object, shown: str) -> None:
    """Control, bidi, zero-width and line-break characters are written out, and commands to a pipeline broken up."""
    assert sanitize(text) == shown


@given(st.text(), st.integers(1, 50))
def test_nothing_unsafe_is_ever_left(text: str, limit: int) -> None:
    """Whatever comes in, no character is left that moves a cursor, breaks a line or turns a direction."""
    shown = sanitize(text, limit=limit)

    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert "::" not in shown
    assert "##" not in shown


def test_long_text_is_cut() -> None:
    """What is longer than the limit says how much is missing."""
    assert sanitize("x" * 12, limit=10) == "xxxxxxxxxx… (2 more characters)"


def test_secrets_are_masked_before_anything_is_cut() -> None:
    """Our own secrets do not appear, not even their beginning at the end of a cut text."""
    assert sanitize("key is very-secret!", secrets=["very-secret"]) == f"key is {REDACTED}!"
    assert "very" not in sanitize("key is very-secret", limit=11, secrets=["very-secret"])


def test_a_short_secret_masks_nothing() -> None:
    """Redacting a few letters would tear words apart."""
    assert sanitize("banana", secrets=["an", ""]) == "banana"


@pytest.mark.parametrize(("number", "expected"), [(0, "0 devices"), (1, "1 device"), (1200, "1,200 devices")])
def test_things_are_counted(number: int, expected: str) -> None:
    """One thing is one, no other number is."""
    assert plural(number, "device") == expected
