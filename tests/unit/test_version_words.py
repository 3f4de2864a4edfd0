"""The words of a version under loose: each class in its place, and what an unknown word does."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pulumi_iotda_ota.selection.choose import select
from pulumi_iotda_ota.selection.constraints import parse
from pulumi_iotda_ota.selection.policy import Policy
from pulumi_iotda_ota.selection.versions import (
    BUILD,
    IN_FRONT,
    RELEASED,
    UNFINISHED,
    WORDS,
    release_of,
    scheme,
    unknown_word,
)
from tests.support.packages import package

if TYPE_CHECKING:
    from pulumi_iotda_ota.selection.versions import WordClass

LOOSE = scheme("loose")
KNOWN = {word: words for words in WORDS for spellings in words.words for word in spellings}

release = st.sampled_from(["1.5", "2.0.1", "V100R001C00", "app_v1.2", "2024.04.1"])
joint = st.sampled_from(["-", "_", "."])
number = st.sampled_from(["", "1", "7", "20240115", ".3"])
unknown = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), min_size=2, max_size=8).filter(
    # With digits behind it, a word of hexadecimal letters may be a commit.
    lambda word: word not in KNOWN and not re.fullmatch("g?[a-f]*", word)
)


def words_of(words: WordClass) -> st.SearchStrategy[str]:
    """Return any word of a class."""
    return st.sampled_from([word for spellings in words.words for word in spellings])


def test_the_table_names_no_word_twice() -> None:
    """A word has one class, and the words that count in front of the first number are unfinished ones."""
    named = [word for words in WORDS for spellings in words.words for word in spellings]

    assert len(named) == len(set(named)) == len(KNOWN)
    assert all(KNOWN[word] is UNFINISHED for word in IN_FRONT)


@given(release, joint, words_of(UNFINISHED), number)
def test_an_unfinished_word_is_a_prerelease(base: str, sign: str, word: str, count: str) -> None:
    """An unfinished word puts a version below its release, whatever number follows, and makes it a prerelease."""
    version = f"{base}{sign}{word}{count}"

    assert LOOSE.is_prerelease(version)
    assert LOOSE.key(version) < LOOSE.key(f"{base}-zzz") < LOOSE.key(base)


@given(release, joint, words_of(RELEASED))
def test_a_released_word_ties_with_the_release(base: str, sign: str, word: str) -> None:
    """A word that says that a version is released changes nothing."""
    assert LOOSE.key(f"{base}{sign}{word}") == LOOSE.key(base)


@given(release, joint, words_of(BUILD), number)
def test_a_build_is_above_its_release(base: str, sign: str, word: str, count: str) -> None:
    """A build's word puts a version above its release and below a bare number behind - or _."""
    assume(word != "v" or not count[:1].isdigit())  # which is that number, with a v in front
    key = LOOSE.key(f"{base}{sign}{word}{count}")

    assert LOOSE.key(base) < key < LOOSE.key(f"{base}-1")


@given(release, joint, unknown, number)
def test_an_unknown_word_is_just_below_its_release(base: str, sign: str, word: str, count: str) -> None:
    """Any other word puts a version above all prereleases of its release and below it, and makes no prerelease."""
    version = f"{base}{sign}{word}{count}"
    key = LOOSE.key(version)

    assert LOOSE.key(f"{base}-rc99") < key < LOOSE.key(base)
    assert not LOOSE.is_prerelease(version)
    assert unknown_word(key) == word
    assert release_of(key) == LOOSE.key(base)


@given(release, st.lists(st.one_of(unknown, words_of(BUILD)), min_size=2, max_size=2, unique=True))
def test_two_different_words_never_tie(base: str, two: list[str]) -> None:
    """A key keeps its word, so two versions that differ in an unknown word, or in a build's, are two versions."""
    first, second = (LOOSE.key(f"{base}-{word}") for word in two)

    assert first != second


def test_the_unfinished_words_are_in_the_order_of_the_table() -> None:
    """Unfinished words sort as the table lists them; the spellings of one word tie."""
    rows = [{LOOSE.key(f"1.0-{word}1") for word in spellings} for spellings in UNFINISHED.words]

    assert all(len(row) == 1 for row in rows)
    assert all(low.pop() < min(high) for low, high in pairwise(rows))


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.name)
def test_the_example_of_a_class_is_one(words: WordClass) -> None:
    """The example of each class sorts as the table says."""
    key, base = LOOSE.key(words.example), LOOSE.key("1.5.0")
    place = "above" if key > base else "ties" if key == base else "below"

    assert words.place.removeprefix("just ").startswith(place)
    assert ("; a prerelease" in words.place) == LOOSE.is_prerelease(words.example)


@pytest.mark.parametrize(
    ("version", "prerelease"),
    [
        ("edge-gateway_1.2", False),
        ("nightly-2024-01-15", False),
        ("test_rig-2.0", False),
        ("edge-gateway_1.2-edge", True),
        ("beta-1.0", True),
        ("dev_1.2.0", True),
        ("rc1", True),
        ("nightly5", False),
        ("5-nightly", True),
        ("esp32-edge-1.5.0", False),
        ("esp32-edge-v2", False),
        ("esp32-edge-20240115", False),
        ("gen2-gateway-1.5.0-beta", True),
        ("gen2-nightly-1.5.0", False),
        ("4g-edge_1.2", False),
        ("4g-edge_1.2-edge", True),
        ("4g-edge_v2", False),
        ("115esr-2-beta", True),
        ("x86_64-edge-1.5.0", False),
        ("x86_64-edge", False),
        ("esp32-nightly5", True),
        ("V100R001C00-nightly1.5", True),
        ("20-nightly-20240110.1", True),
    ],
)
def test_in_front_of_the_version_few_words_count(version: str, prerelease: bool) -> None:
    """Names of products, digits and all, stand in front of the version, so only the words of IN_FRONT count there."""
    assert LOOSE.is_prerelease(version) is prerelease


def test_the_commit_of_git_describe_is_no_word() -> None:
    """Whatever digits the commit has, the count of commits decides, and no commit makes a prerelease or an unknown."""
    commits = ["g2414721", "g1ea5b3c", "gab12cd3", "geadbeef", "ga1b2c3d", "gfedcba9876543210", "g0ea"]
    versions = [f"v1.4.2-14-{commit}" for commit in commits[:-1]]

    for version in versions:
        assert LOOSE.key("1.4.2-13-gfffffff") < LOOSE.key("1.4.2-14") < LOOSE.key(version) < LOOSE.key("1.4.2-15")
        assert not LOOSE.is_prerelease(version)
        assert not unknown_word(LOOSE.key(version))
    assert len({LOOSE.key(version) for version in versions}) == len(versions)
    # Shorter than any commit that git writes: words and numbers as elsewhere.
    assert LOOSE.is_prerelease(f"v1.4.2-14-{commits[-1]}")


@given(release, joint, st.text(st.sampled_from("0123456789abcdef"), min_size=7, max_size=40))
def test_a_commit_without_a_g_is_no_word(base: str, sign: str, commit: str) -> None:
    """A commit of letters and digits is a build, whatever its digits are: no prerelease, and no unknown word."""
    assume(re.search("[0-9]", commit) and len(re.findall("[a-f]", commit)) > 1 and not re.fullmatch("ea[0-9]+", commit))
    for version in (f"{base}{sign}{commit}", f"{base}-7{sign}{commit}"):
        key = LOOSE.key(version)

        assert not LOOSE.is_prerelease(version)
        assert not unknown_word(key)
        assert LOOSE.key(base) < key < LOOSE.key(f"{base}-8")
        assert key[-2][1:] == (commit, ())


@pytest.mark.parametrize(
    ("version", "same_as"),
    [
        ("1.5.0-20240115a", "1.5.0-20240115.a"),
        ("1.5.0-20240115b2", "1.5.0-20240115.b2"),
        ("1.5.0_B20240115", "1.5.0_B.20240115"),
        ("1.5.0-ea20240115", "1.5.0-ea.20240115"),
        ("V100C00B012", "V100.C00.B012"),
    ],
)
def test_a_date_or_a_build_number_is_no_commit(version: str, same_as: str) -> None:
    """A date or a number with one letter, EA with a number, and what follows a leading V are read literally."""
    assert LOOSE.key(version) == LOOSE.key(same_as)


@given(
    release, joint, st.sampled_from(["x86_64", "x86-64", "x64", "i386", "i686", "s390x", "arm64", "armv7", "aarch64"])
)
def test_an_architecture_is_one_unknown_word(base: str, sign: str, architecture: str) -> None:
    """An architecture puts a version just below its release, and its digits are no build number."""
    key = LOOSE.key(f"{base}{sign}{architecture}")

    assert LOOSE.key(f"{base}-rc9") < key < LOOSE.key(base) == release_of(key)
    assert unknown_word(key)
    assert base.startswith("app") or parse(f">={base}", LOOSE).admits(f"{base}{sign}{architecture}")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.5.0-arm64", "1.5.0"),
        ("1.5.0-arm64_B2", "1.5.0"),
        ("1.5.0-customer-2024-01-15", "1.5.0"),
        ("1.5.0_B2-arm64", "1.5.0_B2"),
        ("1.5.0-rc1-arm64", "1.5.0-rc1"),
        ("1.5.0-arm64-rc1", "1.5.0-arm64-rc1"),
        ("1.5.0", "1.5.0"),
    ],
)
def test_the_release_of_an_unknown_word(version: str, expected: str) -> None:
    """The release is the part before the first unknown word. A prerelease after the word has none."""
    assert release_of(LOOSE.key(version)) == LOOSE.key(expected)


@pytest.mark.parametrize(
    ("text", "admitted", "refused"),
    [
        (">=1.5.0", "1.5.0-arm64 1.5.0 1.5.0_B1-arm64", "1.4.9-arm64 1.5.0-rc1-arm64 1.5.0-arm64-rc1"),
        ("<=1.5.0", "1.5.0-arm64 1.5.0 1.5.0-arm64-rc1", "1.5.0_B1-arm64 1.5.1-arm64"),
        ("^1.5", "1.5.0-arm64 1.9-arm64", "2.0.0-arm64 2-arm64-rc1 1.4-arm64"),
        ("~1.5.0", "1.5.0-arm64 1.5.9-customer-2024", "1.6.0-arm64"),
        ("1.5.x", "1.5.0-arm64", "1.6-arm64"),
        ("<1.5.0", "1.4.9-arm64 1.4.9", "1.5.0-arm64 1.5.0-arm64-rc1"),
        (">1.5.0", "1.5.1-arm64 1.5.0_B1-arm64", "1.5.0-arm64 1.5.0"),
        ("=1.5.0", "1.5.0 v1.5 1.5.0-final", "1.5.0-arm64"),
        ("1.5.0-arm64", "1.5.0-arm64 V1.5-ARM.64", "1.5.0 1.5.0-riscv"),
        ("!=1.5.0", "1.5.0-arm64", "1.5.0-ga"),
        (">=1.5.0-arm64", "1.5.0-arm64 1.5.0-riscv 1.5.0", "1.5.0-acme 1.5.0-rc1"),
        ("<1.5.0-arm64", "1.5.0-acme 1.4", "1.5.0-arm64 1.5.0"),
        ("*", "1.5.0-arm64", ""),
    ],
)
def test_a_constraint_compares_an_unknown_word_by_its_release(text: str, admitted: str, refused: str) -> None:
    """Ranges see the release; = and != see the whole version, as does a range that itself names an unknown word."""
    constraint = parse(text, LOOSE)

    assert [version for version in admitted.split() if not constraint.admits(version)] == []
    assert [version for version in refused.split() if constraint.admits(version)] == []


def chosen(policy: Policy, *versions: str) -> tuple[list[str], list[str]]:
    """Return the versions that fit, the best first, and the reasons of the others."""
    selection = select([package(version=version) for version in versions], policy)
    return [one.version for one in selection.packages], [one.reason for one in selection.skipped]


def test_a_nightly_build_is_not_chosen_over_its_release() -> None:
    """A range takes the release, not the nightly build of it, and devices on a nightly build may take the release."""
    fitting, reasons = chosen(
        Policy(version_constraint="^1.4", order_by="version"), "1.4.9", "1.5.0", "1.5.0-nightly20240115"
    )
    assert (fitting, reasons) == (["1.5.0", "1.4.9"], ["prerelease"])

    assert chosen(Policy(source_versions=("1.9.0-nightly5",)), "1.9.0") == (["1.9.0"], [])


@pytest.mark.parametrize(
    ("policy", "version", "reason"),
    [
        (Policy(version_constraint="=1.5.0"), "1.5.0-arm64", "outside =1.5.0; arm is an unknown word"),
        (Policy(version_constraint="^1"), "2.0-arm64", "outside ^1; arm is an unknown word"),
        (Policy(version_constraint="^2"), "1.5.0-arm64", "outside ^2"),
        (Policy(version_constraint=">1.5"), "1.5-arm64", "outside >1.5"),
        (Policy(version_constraint="=1.5.0"), "1.5.0_B1", "outside =1.5.0"),
        (Policy(version_constraint="<2.0"), "gateway_1.2", "outside <2.0; it begins with no version number"),
        (Policy(version_constraint="=2.0"), "gateway_1.2", "outside =2.0"),
        (Policy(source_versions=("1.5.0",)), "1.5-arm64", "below 1.5.0, which devices run; arm is an unknown word"),
        (Policy(source_versions=("1.5-arm",)), "1.5-acme", "below 1.5-arm, which devices run; acme is an unknown word"),
        (Policy(source_versions=("1.5.0",)), "1.4-arm64", "below 1.5.0, which devices run"),
        (Policy(source_versions=("1.5.0",)), "1.4.9", "below 1.5.0, which devices run"),
    ],
)
def test_a_reason_names_an_unknown_word_if_it_mattered(policy: Policy, version: str, reason: str) -> None:
    """A reason names the word if the version would fit without it, and says nothing of it otherwise."""
    assert chosen(policy, version) == ([], [reason])


@pytest.mark.parametrize("source", ["1.9.0-arm64", "1.9.0-customer-2024-01-15", "1.9.0-nightly5"])
def test_devices_with_a_suffix_may_take_the_release(source: str) -> None:
    """An unknown word or a nightly build is no later build: its release is no downgrade."""
    assert chosen(Policy(source_versions=(source,)), "1.9.0", source)[0] == (
        ["1.9.0"] if "nightly" in source else ["1.9.0", source]
    )
