"""The errors of version constraints: each points at the place, and says what to write instead."""

from __future__ import annotations

import pytest

from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.sanitize import REDACTED, redacting
from pulumi_iotda_ota.selection.constraints import MAX_LENGTH, parse
from pulumi_iotda_ota.selection.versions import Scheme, scheme

LOOSE = scheme("loose")
SEMVER = scheme("semver")
BOTH = pytest.mark.parametrize("order", [LOOSE, SEMVER], ids=["loose", "semver"])
NAMED = "for the version of that name"
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
        ("1.0 - 2.0", "- is no version: a range is >=1.0 <=2.0", "    ^"),
        ("1.0-2.0", "1.0-2.0 is no range: write >=1.0 <=2.0, or =1.0-2.0 for the version of that name", "^"),
        ("^3 || v1.2-V1.4.5", f"v1.2-V1.4.5 is no range: write >=v1.2 <=V1.4.5, or =v1.2-V1.4.5 {NAMED}", "      ^"),
        ("1-2", f"1-2 is no range: write >=1 <=2, or =1-2 {NAMED}", "^"),
        ("1.0..2.0", f"1.0..2.0 is no range: write >=1.0 <=2.0, or =1.0..2.0 {NAMED}", "^"),
        (">=1.2 and <2", "and is no version: and is a comma or a space", "      ^"),
        ("1.2 or 1.3", "or is no version: or is ||", "    ^"),
        ("1.2 OR 1.3", "OR is no version: or is ||", "    ^"),
        ("1.2 to 1.4", "to is no version: a range is >=1.0 <=2.0", "    ^"),
        ("between 1 and 2", "between is no version: a range is >=1.0 <=2.0", "^"),
        ("not 1.2", "not is no version: write !=", "^"),
        ("any", "any is no version: any version is *", "^"),
        ("stable", f"stable has no number: write =stable {NAMED}", "^"),
        ("1.x.3", f"x ends a dotted number, as in 1.x: write 1.x, or =1.x.3 {NAMED}", "  ^"),
        ("^1 || v1.2.X.3", f"X ends a dotted number, as in 1.x: write v1.2.X, or =v1.2.X.3 {NAMED}", "           ^"),
        (">=1.x.3", ">= does not go with x: leave one of them out", "^"),
        ("[1.0,2.0)", "'[' has no meaning here: a range is >=1.0 <=2.0", "^"),
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
    """The error says as text what is wrong, and shows the constraint with a caret below the place."""
    with pytest.raises(InputError) as caught:
        parse(text, order)

    place = pointed.index("^") + 1
    shown = "".join(character if " " <= character <= "~" else "?" for character in text)
    assert caught.value.argument == "version_constraint"
    assert caught.value.headline == f"version_constraint is wrong at character {place}: {reason}"
    assert caught.value.facts == (("constraint", f"{shown}\n{pointed}"),)


def test_an_error_as_a_person_reads_it() -> None:
    """The caret is below the place in the rendered text too."""
    with pytest.raises(InputError) as caught:
        parse(">=1.2, =two, !=", LOOSE)

    assert str(caught.value).split("\n") == [
        "version_constraint is wrong at character 16: a version goes after !=",
        "  constraint   >=1.2, =two, !=",
        "                              ^",
    ]


@pytest.mark.parametrize("text", [">=1.2.3.4", "=nightly", ">1.0_B012", "~1.2.3.4", "1.2.3.4.x", "~01.2", ">=01.2"])
def test_what_semver_can_not_read_is_no_constraint_under_it(text: str) -> None:
    """A version in a constraint must be one that the scheme reads; the error names it."""
    with pytest.raises(InputError, match=r"at character \d: .* is not a semantic version such as"):
        parse(text, SEMVER)

    assert parse(text, LOOSE)


@pytest.mark.parametrize("version", ["3ea81c2", "4g-edge_1.2"])
def test_what_begins_with_a_name_or_a_commit_has_no_order(version: str) -> None:
    """Under loose, an operator of the order refuses a version that begins with a name or a commit."""
    with pytest.raises(InputError, match=f"character 3: {version} begins with no version number: write ={version}"):
        parse(f">={version}", LOOSE)

    assert parse(f"={version}", LOOSE).admits(version)


def test_it_points_at_the_version_that_can_not_be_read() -> None:
    """The caret is below the version, not below its operator. Line breaks are printed as spaces."""
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
