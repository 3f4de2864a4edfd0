"""The grammar of version constraints: what each term admits."""

from __future__ import annotations

import operator
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.selection.comparisons import Constraint
from pulumi_iotda_ota.selection.constraints import parse
from pulumi_iotda_ota.selection.versions import (
    Scheme,
    Unreadable,
    begins_with_number,
    is_prerelease_of,
    release_of,
    scheme,
    unknown_word,
)

LOOSE = scheme("loose")
SEMVER = scheme("semver")
BOTH = pytest.mark.parametrize("order", [LOOSE, SEMVER], ids=["loose", "semver"])

COMPARISONS = {
    "": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}

number = st.integers(0, 3).map(str)
dotted = st.lists(number, min_size=1, max_size=3).map(".".join)
triple = st.lists(number, min_size=3, max_size=3).map(".".join)
suffix = st.sampled_from(["", "-dev", "-rc.1", "-rc.2", "-beta", "-1", "-alpha.1"])
loose_version = st.one_of(
    st.builds("{}{}{}".format, st.sampled_from(["", "v", "V", "app_v"]), dotted, suffix),
    st.builds(
        "{}{}".format,
        dotted,
        st.sampled_from(
            [
                "_B012",
                "_B100",
                "_B012-rc1",
                "SPC200",
                "a",
                "_rc1",
                "-arm",
                "-arm64",
                "-acme-rc1",
                "_B012-arm",
                "-nightly5",
            ]
        ),
    ),
    st.text(st.sampled_from("ABCXabcx0123456789_.-"), min_size=1, max_size=12),
)
semantic = st.builds("{}{}".format, triple, suffix)
of_either = st.one_of(
    st.tuples(st.just(LOOSE), loose_version, loose_version), st.tuples(st.just(SEMVER), semantic, semantic)
)
ranged = st.builds("{}{}".format, st.sampled_from(["~", "^", "~ ", "^v"]), dotted)
wildcard = st.builds("{}{}".format, dotted, st.sampled_from([".x", ".*", ".X"]))
compared = st.builds("{}{}".format, st.sampled_from(sorted(COMPARISONS)), semantic)
term = st.one_of(ranged, wildcard, compared, st.just("*"))
conjunction = st.lists(term, min_size=1, max_size=3).map(" ".join)
constraint_text = st.lists(conjunction, min_size=1, max_size=3).map(" || ".join)


def admitted(text: str, versions: str, order: Scheme = LOOSE) -> str:
    """Return those of some versions that a constraint admits."""
    constraint = parse(text, order)
    return " ".join(version for version in versions.split() if constraint.admits(version))


@pytest.mark.parametrize(
    ("text", "versions", "expected"),
    [
        ("1.2", "1.1 1.2-rc1 1.2 V1.2.0 1.2_B1 1.2.1", "1.2 V1.2.0"),
        ("=1.0", "1 v1.0.0 1.0.0-1 1.0.1", "1 v1.0.0"),
        ("!=1.2", "1.1 1.2-rc1 1.2 V1.2.0 1.2_B1", "1.1 1.2-rc1 1.2_B1"),
        (">1.2", "1.2-rc1 1.2 1.2_B1 1.2-1 1.2.1 1.3-rc1", "1.2_B1 1.2-1 1.2.1 1.3-rc1"),
        (">=1.2", "1.1_B9 1.2-rc1 1.2 1.2_B1 1.3-rc1", "1.2 1.2_B1 1.3-rc1"),
        ("<2", "1.9-rc1 1.9_B1 1.99 2-dev 2.0.0-rc1 2 2_B1", "1.9-rc1 1.9_B1 1.99"),
        ("<2-rc1", "1.9 2-dev 2-beta 2-rc1-dev 2-rc1 2", "1.9 2-dev 2-beta"),
        ("<1_B012", "1-rc1 1 1_B011 1_B012-rc1 1_B012 1.0.1", "1-rc1 1 1_B011"),
        ("<=2", "1.9-rc1 2-rc1 2 2.0.0 2_B1 2.0.1", "1.9-rc1 2-rc1 2 2.0.0"),
        ("~1", "0.9 1-rc1 1 1.0_B1 1.9.9 2-rc1 2 2_B1", "1 1.0_B1 1.9.9"),
        ("~1.2", "1.1 1.2-rc1 1.2 1.2_B1 1.2.9-rc1 1.2.9 1.3-rc1 1.3 1.3_B1", "1.2 1.2_B1 1.2.9-rc1 1.2.9"),
        ("~v1.2.3", "1.2.2 1.2.3 1.2.10 1.3-dev 1.3", "1.2.3 1.2.10"),
        ("~1.2.3.4", "1.2.3.3 1.2.3.4 1.2.9 1.3", "1.2.3.4 1.2.9"),
        ("^1.2", "1.1 1.2 1.10 1.99_B1 2-rc1 2.0.0", "1.2 1.10 1.99_B1"),
        ("^0.2", "0.1.9 0.2 0.2.9 0.3-rc1 0.3", "0.2 0.2.9"),
        ("^0.0.3", "0.0.2 0.0.3 0.0.3_B1 0.0.4-rc1 0.0.4", "0.0.3 0.0.3_B1"),
        ("^0", "0 0.9 1-rc1 1", "0 0.9"),
        ("^0.0", "0 0.0.9 0.1-rc1 0.1", "0 0.0.9"),
        ("^0.0.0", "0 0.0.0_B1 0.0.1", "0 0.0.0_B1"),
        ("1.2.x", "1.1 1.2-rc1 1.2 1.2.9_B1 1.3-rc1 1.3", "1.2 1.2.9_B1"),
        ("V1.2.*", "1.1 1.2 1.2.9 1.3", "1.2 1.2.9"),
        ("=1.X.x", "0.9 1 1.9 2", "1 1.9"),
        ("*", "0 1-rc1 latest V100R001C00", "0 1-rc1 latest V100R001C00"),
        ("x", "0 x", "0 x"),
        (">=1.2,<2", "1.1 1.2 2", "1.2"),
        (">= 1.2 < 2", "1.1 1.2 2", "1.2"),
        (" >=1.2 ,\t<\n2 ", "1.1 1.2 2", "1.2"),
        ("<1||>=2.0 , !=2.1|| =1.5", "0.9 1 1.5 2 2.1 2.2", "0.9 1.5 2 2.2"),
        (">=V100R001C00SPC200 <V100R001C10", "V100R001C00 V100R001C00SPC1000 V100R001C10", "V100R001C00SPC1000"),
        ("app_v1.2.3", "1.2.3 app_v1.2.3 APP-1.2.3", "app_v1.2.3 APP-1.2.3"),
        ("=---", "1 . -", ". -"),
        ("=latest", "1 latest stable", "latest"),
        ("!=stable", "1 latest stable", "1 latest"),
        ("!=latest", "1 latest stable", "1 stable"),
        ("=ABC", "1 ABC", "ABC"),
        ("1.2.x86", "1.2 1.2.x86", "1.2.x86"),
        ("=1.x.3", "1.x.3 1.2.3", "1.x.3"),
        ("=any", "any 1", "any"),
        ("=1.0-2.0", "1.0 1.0-2.0 1.5", "1.0-2.0"),
        ("1.24.0-2", "1.24.0 1.24.0-2", "1.24.0-2"),
        ("2.1-1.0", "2.1 2.1-1.0", "2.1-1.0"),
        ("<9", "1.9 gateway_1.1 gateway_9.9 latest beta-1.0 rc1 . 3ea81c2 4g-edge_1.2 x86_64-1.2", "1.9"),
        (">=1", "1.9 4g-edge_1.2 115esr-2", "1.9 115esr-2"),
        ("<=2.0", "2.0 gateway_1.1 latest", "2.0"),
        ("!=2.0 <3", "1.9 latest", "1.9"),
        ("<2 || =latest", "1.9 latest stable", "1.9 latest"),
        ("!=2.0", "1.9 latest", "1.9 latest"),
    ],
)
def test_what_a_constraint_admits_under_loose(text: str, versions: str, expected: str) -> None:
    """Each term admits what the table of the grammar says, prereleases and suffixes too."""
    assert admitted(text, versions) == expected


@pytest.mark.parametrize(
    ("text", "versions", "expected"),
    [
        (">=1.2", "1.1.9 1.2.0-rc.1 1.2.0 1.3.0-rc.1", "1.2.0 1.3.0-rc.1"),
        ("1.2", "1.2.0-1 1.2.0 1.2.1", "1.2.0"),
        ("v1", "1.0.0 1.0.1", "1.0.0"),
        ("<2", "1.9.0-rc.1 1.9.0 2.0.0-0 2.0.0", "1.9.0-rc.1 1.9.0"),
        ("<2-rc.2", "2.0.0-beta 2.0.0-rc.1 2.0.0-rc.2 2.0.0", "2.0.0-beta 2.0.0-rc.1"),
        ("<=2", "2.0.0-rc.1 2.0.0 2.0.1", "2.0.0-rc.1 2.0.0"),
        ("~1.2", "1.2.0-rc.1 1.2.0 1.2.9-1 1.3.0-rc.1 1.3.0", "1.2.0 1.2.9-1"),
        ("^v0.0.3", "0.0.2 0.0.3 0.0.4-rc.1 0.0.4", "0.0.3"),
        ("1.x", "0.9.0 1.0.0 1.9.0 2.0.0-rc.1", "1.0.0 1.9.0"),
        ("*", "0.0.0-0 9.9.9", "0.0.0-0 9.9.9"),
    ],
)
def test_what_a_constraint_admits_under_semver(text: str, versions: str, expected: str) -> None:
    """Under semver missing numbers are 0 as well, and every term means the same."""
    assert admitted(text, versions, SEMVER) == expected


@given(of_either, st.sampled_from(sorted(COMPARISONS)))
def test_a_comparison_agrees_with_the_order(drawn: tuple[Scheme, str, str], sign: str) -> None:
    """An operator admits what the order puts there; ``<`` leaves out the prereleases of its bound, and nothing else.

    Two exceptions: an order is of the release of a version with an unknown word, unless the bound names one too. And a
    version that does not begin with a number is in no order with one that does.
    """
    order, bound, version = drawn
    assume(sign or any(character.isalnum() for character in bound))
    assume(sign in ("", "=", "!=") or re.match("[vV]?[0-9]", bound))
    assume(sign or re.search("[0-9]", bound))
    assume(not re.search(r"(?:^|\.)[xX*](?:\.|$)|\.\.", bound))
    assume(sign or not re.fullmatch(r"[vV]?[0-9.]+-[vV]?[0-9.]+", bound))
    key, limit = order.key(version), order.key(bound)
    if sign not in ("", "=", "!=") and not unknown_word(limit):
        key = release_of(key)

    comparable = sign in ("", "=", "!=") or begins_with_number(key)
    assume(sign in ("", "=", "!=") or begins_with_number(limit))
    expected = comparable and COMPARISONS[sign](key, limit) and not (sign == "<" and is_prerelease_of(key, limit))

    assert parse(f"{sign}{bound}", order).admits(version) is expected


@given(of_either, dotted)
def test_ranges_agree_with_the_comparisons_they_stand_for(drawn: tuple[Scheme, str, str], low: str) -> None:
    """``~``, ``^`` and ``x`` admit what the two comparisons written out admit."""
    order, version, _ = drawn
    numbers = [int(digits) for digits in low.split(".")]

    def written_out(place: int) -> bool:
        high = ".".join(map(str, [*numbers[:place], numbers[place] + 1]))
        return parse(f">={low} <{high}", order).admits(version)

    first_above_zero = next((place for place, digits in enumerate(numbers) if digits), len(numbers) - 1)
    assert parse(f"~{low}", order).admits(version) is written_out(min(len(numbers) - 1, 1))
    assert parse(f"^{low}", order).admits(version) is written_out(first_above_zero)
    assert parse(f"{low}.x", order).admits(version) is written_out(len(numbers) - 1)


@given(st.sampled_from([LOOSE, SEMVER]), conjunction, conjunction, semantic)
def test_and_and_or_are_and_and_or(order: Scheme, left: str, right: str, version: str) -> None:
    """A comma, a space and ``||`` combine what each side admits."""
    sides = [parse(side, order).admits(version) for side in (left, right)]

    assert parse(f"{left},{right}", order).admits(version) is all(sides)
    assert parse(f"{left} {right}", order).admits(version) is all(sides)
    assert parse(f"{left}||{right}", order).admits(version) is any(sides)


@given(st.sampled_from([LOOSE, SEMVER]), constraint_text)
def test_its_text_reads_as_the_same_constraint(order: Scheme, text: str) -> None:
    """``str()`` of a constraint is a constraint, equal to it and spelled the same again."""
    constraint = parse(text, order)

    assert parse(str(constraint), order) == constraint
    assert str(parse(str(constraint), order)) == str(constraint)


@given(
    st.text(max_size=40) | st.text(st.sampled_from("=!<>~^|, 12x*.-v"), max_size=20), st.sampled_from([LOOSE, SEMVER])
)
def test_any_text_is_a_constraint_or_a_clear_error(text: str, order: Scheme) -> None:
    """Any text is a constraint, or one error that points at the place and is safe to print."""
    found: Constraint | InputError
    try:
        found = parse(text, order)
    except InputError as error:
        found = error

    assert isinstance(found, Constraint) or found.argument == "version_constraint"
    assert all(line.isprintable() for line in str(found).split("\n"))


def test_the_text_of_a_constraint() -> None:
    """The one spelling: no space after an operator, a comma for and."""
    assert str(parse(" >= 1.2 <2,!=1.5||~ v3.1 ", LOOSE)) == ">=1.2, <2, !=1.5 || ~v3.1"


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        (">=1.0-rc1", LOOSE, True),
        ("1.0 || !=1.1-beta", LOOSE, True),
        (">=1.0 <2_B012", LOOSE, False),
        ("~1.2", LOOSE, False),
        ("*", LOOSE, False),
        ("1.0-1", LOOSE, False),
        ("1.0-1", SEMVER, True),
        ("^1 <1.5", SEMVER, False),
    ],
)
def test_whether_it_names_a_prerelease(text: str, order: Scheme, expected: bool) -> None:
    """A constraint names a prerelease as soon as one version written in it is one."""
    assert parse(text, order).names_prerelease is expected


def test_a_key_can_be_asked_about_instead_of_its_version() -> None:
    """Who has keyed a version already need not have it read again."""
    constraint = parse("~1.2", LOOSE)

    assert constraint.admits_key(LOOSE.key("V1.2.3"))
    assert not constraint.admits_key(LOOSE.key("V1.3"))


def test_a_version_that_the_scheme_can_not_read_is_neither_in_nor_out() -> None:
    """It is Unreadable, even if the constraint admits every version."""
    with pytest.raises(Unreadable):
        parse("*", SEMVER).admits("V1.2.3")
