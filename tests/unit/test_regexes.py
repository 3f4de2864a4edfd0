"""Patterns of users: whole, linear, and clearly reported if they cannot be read."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.selection.rules import whole_match
from tests.support.plugin_process import ROOT

# Seconds: no promise of how long anything takes, for an engine that backtracks would need longer than the universe.
KILLED_AFTER = 240


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        (r"V1\.4\.\d+", ["V1.4.10"], ["V1.4.10_B1", "xV1.4.10", "V1.4.", "V1.4.1\n", "V1.4.1\nV1.4.2"]),
        ("a|ab", ["a", "ab"], ["abc", "b"]),
        ("^a$", ["a"], ["ba", "ab"]),
        ("(?i)v1", ["v1", "V1"], ["v12"]),
        ("(?m)a", ["a"], ["a\nb", "b\na"]),
        ("", [""], ["a"]),
        ("(?P<major>1)", ["1"], ["12"]),
    ],
)
def test_the_whole_version_must_match(pattern: str, matching: list[str], others: list[str]) -> None:
    """A pattern is of the whole version, whatever it begins or ends with."""
    matches = whole_match("version_regex", pattern)

    assert all(matches(version) for version in matching)
    assert not any(matches(version) for version in others)


@given(st.text(st.sampled_from("abAB012._-"), max_size=20), st.text(st.sampled_from("abAB012._-"), max_size=20))
def test_an_escaped_text_matches_itself_alone(wanted: str, other: str) -> None:
    """A pattern of plain characters matches that text and no other."""
    matches = whole_match("version_regex", wanted.replace(".", r"\."))

    assert matches(wanted)
    assert matches(other) is (other == wanted)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(a", "unclosed group"),
        ("a)|(b", "unopened group"),
        ("[z-a]", "invalid character class range"),
        ("*", "repetition operator missing expression"),
        (r"(a)\1", "backreferences are not supported"),
        ("(?=a)", "look-around"),
        ("(a{1000}){1000}", "exceeds size limit"),
        ("(?x)a # the rest", "unclosed group"),
        ("x" * 1025, "longer than 1,024"),
        ("(\x1b[31m::error::", "unclosed"),
    ],
)
def test_a_bad_pattern_is_told(pattern: str, why: str) -> None:
    """What cannot be read is an error that names the argument and the reason, and prints nothing unsafe."""
    with pytest.raises(InputError) as caught:
        whole_match("version_regex", pattern)

    text = str(caught.value)
    assert caught.value.argument == "version_regex"
    assert why in text
    assert "\x1b" not in text
    assert "::error" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert "pydantic" not in text.lower()


def ended(program: str, *arguments: str) -> str:
    """Return the output of a new process, which is killed if it hangs."""
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=KILLED_AFTER, cwd=ROOT)
    return done.stdout


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(a|aa)+c", "(.*)*x", "a?" * 200 + "a" * 200])
def test_no_pattern_hangs(pattern: str) -> None:
    """Patterns that take an engine with backtracking longer than the universe come to an end."""
    program = (
        "import sys; from pulumi_iotda_ota.selection.rules import whole_match\n"
        "matches = whole_match('version_regex', sys.argv[1])\n"
        "print(sum(matches('a' * length + '!') for length in range(1, 256)))\n"
    )

    assert ended(program, pattern) == "0\n"


def test_a_hundred_thousand_long_versions_do_not_hang() -> None:
    """A catastrophic pattern over many of the longest versions comes to an end."""
    program = (
        "from pulumi_iotda_ota.selection.choose import select\n"
        "from pulumi_iotda_ota.selection.policy import Policy\n"
        "from tests.support.packages import package\n"
        "long = package(version='a' * 255 + '-')\n"
        "print(dict(select([long] * 100_000, Policy(version_regex='(a+)+$')).skipped_counts))\n"
    )

    assert ended(program) == "{'version_regex': 100000}\n"
