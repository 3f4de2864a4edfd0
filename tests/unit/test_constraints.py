"""The grammar of version constraints: what each term admits, and what a wrong one is told."""

from __future__ import annotations

import operator
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.sanitize import REDACTED, redacting
from pulumi_iotda_ota.selection.constraints import MAX_LENGTH, Constraint, parse
from pulumi_iotda_ota.selection.versions import (
    Scheme,
    Unreadable,
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
        ("ABC", "1 ABC", "ABC"),
        ("1.2.x86", "1.2 1.2.x86", "1.2.x86"),
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

    The one exception: an order is of the release of a version with an unknown word, unless the bound names one too.
    """
    order, bound, version = drawn
    assume(sign or any(character.isalnum() for character in bound))
    assume(sign in ("", "=", "!=") or re.match("[vV]?[0-9]", bound))
    assume(bound.lower() != "x" and not bound.lower().endswith(".x"))
    key, limit = order.key(version), order.key(bound)
    if sign not in ("", "=", "!=") and not unknown_word(limit):
        key = release_of(key)

    expected = COMPARISONS[sign](key, limit) and not (sign == "<" and is_prerelease_of(key, limit))

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
    """Whatever is given, it parses, or the one error says where it went wrong in lines that are safe to print."""
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
    """It is Unreadable, for the caller to say so, even where every version would do."""
    with pytest.raises(Unreadable):
        parse("*", SEMVER).admits("V1.2.3")


DIGIT = "after {} a version begins with a digit, as in 1.2 or v1.2"


@pytest.mark.parametrize(
    ("text", "reason", "pointed"),
    [
        (">=", "a version goes after >=", "  ^"),
        (">=   ", "a version goes after >=", "  ^"),
        ("> >=1", "a version goes after >", "  ^"),
        (">=1 ||", "a version goes after ||", "      ^"),
        ("|| 1", "a version goes before ||", "^"),
        ("1 |||| 2", "a version goes after ||", "    ^"),
        (">=1,,<2", "a version goes after ,", "    ^"),
        (">=1,", "a version goes after ,", "    ^"),
        (", 1", "a version goes before ,", "^"),
        (">=1<2", "a comma or a space goes before <", "   ^"),
        ("1.0 - 2.0", "- is no version here; a range is written >=1.0 <=2.0", "    ^"),
        ("==1", "== is no operator: write =", "^"),
        ("1 => 2", "=> is no operator: write >=", "  ^"),
        ("latest", "latest is no version: remove version_constraint, and set highest_version=True", "^"),
        ("^1, Newest", "Newest is no version: remove version_constraint, and set highest_version=True", "    ^"),
        (">=latest", "latest is no version: remove version_constraint, and set highest_version=True", "  ^"),
        ("1 <NEWEST", "NEWEST is no version: remove version_constraint, and set highest_version=True", "   ^"),
        (">=stable", f"{DIGIT.format('>=')}: write =stable, or use version_regex", "  ^"),
        ("1, < l.2", f"{DIGIT.format('<')}: write =l.2, or use version_regex", "     ^"),
        ("<=app_v1.2", f"{DIGIT.format('<=')}: write =app_v1.2, or use version_regex", "  ^"),
        (">-1", f"{DIGIT.format('>')}: write =-1, or use version_regex", " ^"),
        ("~>1.2", "~> is no operator: ~1.2 is >=1.2 <1.3, ^1.2 is >=1.2 <2", "^"),
        ("1 | 2", "| is no operator: or is ||", "  ^"),
        ("1 && 2", "&& is no operator: and is a comma or a space", "  ^"),
        ("1 >< 2", ">< is no operator: there are = != > >= < <= ~ ^", "  ^"),
        ("1.0+5", "'+' has no meaning here", "   ^"),
        (">=1、<2", "'、' has no meaning here", "   ^"),
        ("1\u202e2", "'\\u202e' has no meaning here", " ^"),
        ("~1.2-rc1", "~ goes with a dotted number such as 1.2 or v1.2.3", " ^"),
        ("1, ^ app_v1", "^ goes with a dotted number such as 1.2 or v1.2.3", "     ^"),
        (">=1.2.x", ">= does not go with x: leave one of them out", "^"),
        ("1 !=*", "!= does not go with *: leave one of them out", "  ^"),
        ("1.*.3", "* stands alone, or ends a dotted number as in 1.2.*", "^"),
        (">=1.2*", "* stands alone, or ends a dotted number as in 1.2.*", "  ^"),
    ],
)
@BOTH
def test_a_wrong_constraint_points_at_the_place(order: Scheme, text: str, reason: str, pointed: str) -> None:
    """The error says what is wrong in words, and shows the constraint with a caret below the place."""
    with pytest.raises(InputError) as caught:
        parse(text, order)

    place = pointed.index("^") + 1
    shown = "".join(character if " " <= character <= "~" else "?" for character in text)
    assert caught.value.argument == "version_constraint"
    assert caught.value.headline == f"version_constraint is wrong at character {place}: {reason}"
    assert caught.value.facts == (("constraint", f"{shown}\n{pointed}"),)


def test_an_error_as_a_person_reads_it() -> None:
    """The caret stands below the place also in the rendered text."""
    with pytest.raises(InputError) as caught:
        parse(">=1.2, =two, !=", LOOSE)

    assert str(caught.value).split("\n") == [
        "version_constraint is wrong at character 16: a version goes after !=",
        "  constraint   >=1.2, =two, !=",
        "                              ^",
    ]


@pytest.mark.parametrize("text", [">=1.2.3.4", "nightly", ">1.0_B012", "~1.2.3.4", "1.2.3.4.x", "~01.2", ">=01.2"])
def test_what_semver_can_not_read_is_no_constraint_under_it(text: str) -> None:
    """A version in a constraint must be one that the scheme reads; the error names it."""
    with pytest.raises(InputError, match=r"at character \d: .* is not a semantic version such as"):
        parse(text, SEMVER)

    assert parse(text, LOOSE)


def test_it_points_at_the_version_that_can_not_be_read() -> None:
    """The caret is below the version, not below its operator; line breaks are shown as spaces."""
    with pytest.raises(InputError, match=r"at character 8: 1\.2\.3\.4 is not a semantic version") as caught:
        parse(">=1,\n\t>1.2.3.4", SEMVER)

    assert caught.value.facts == (("constraint", ">=1,  >1.2.3.4\n       ^"),)


@BOTH
def test_an_error_in_a_long_constraint_shows_the_piece_around_the_place(order: Scheme) -> None:
    """The lines stay short enough for a narrow log, and the caret is still below the place."""
    with pytest.raises(InputError) as caught:
        parse(">=1.2 " * 50 + "% " + "<2 " * 50, order)

    _, shown, pointed = str(caught.value).split("\n")
    assert shown[pointed.index("^")] == "%"
    assert max(map(len, (shown, pointed))) <= 80
    assert shown.split()[1].startswith("…")
    assert shown.endswith("…")


def test_an_error_in_a_constraint_with_a_secret_prints_no_piece_of_it() -> None:
    """If a constraint contains a secret, its error names the argument and the place, and prints no part of it."""
    with redacting(("sesame-open",)), pytest.raises(InputError, match="constraint is wrong at character 13") as caught:
        parse("sesame-open ==2", LOOSE)

    assert (caught.value.argument, caught.value.facts) == ("version_constraint", (("constraint", REDACTED),))


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_an_empty_constraint_is_an_error(text: str) -> None:
    """Nothing written is a mistake, not any version."""
    with pytest.raises(InputError, match=r"version_constraint is empty: remove it, or write \* for any version"):
        parse(text, LOOSE)


@BOTH
def test_the_longest_constraint(order: Scheme) -> None:
    """The limit is 1,024 characters, and the error says so."""
    longest = "1 " * (MAX_LENGTH // 2)
    assert parse(longest, order).admits_key(order.release([1]))

    with pytest.raises(InputError, match="version_constraint must be at most 1,024 characters, not 1,025") as caught:
        parse(f"{longest} ", order)
    assert caught.value.argument == "version_constraint"


@BOTH
@pytest.mark.parametrize("sign", ["", "~", "^", ">="])
def test_a_number_of_absurd_length(order: Scheme, sign: str) -> None:
    """The longest number a version can have is compared exactly; a longer one is a clear error."""
    number = "9" * 250
    assert parse(f"{sign}{number}", order).admits_key(order.release([int(number)]))
    assert not parse(f"{sign}{number}", order).admits_key(order.release([int(number) - 1]))

    with pytest.raises(InputError, match="is not 1 to 256 letters, digits, _, - or"):
        parse(f"{sign}{'9' * 1000}", order)
