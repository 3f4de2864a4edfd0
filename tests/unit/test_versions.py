"""The order of versions: its laws as properties, and the pairs that go wrong elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import semver
from hypothesis import assume, given
from hypothesis import strategies as st

from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.selection.versions import (
    BUILD,
    RELEASED,
    UNFINISHED,
    Scheme,
    Unreadable,
    is_prerelease_of,
    release_of,
    scheme,
    unknown_word,
)

if TYPE_CHECKING:
    import random

LOOSE = scheme("loose")
SEMVER = scheme("semver")

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
any_version = st.text(st.sampled_from(ALPHABET), min_size=1, max_size=256)
# Few characters, so that equal and nearly equal versions are common.
dense_version = st.text(st.sampled_from("0012vVrRcCb._-"), min_size=1, max_size=9)
numbers = st.lists(st.integers(0, 12), min_size=1, max_size=4).map(lambda found: ".".join(map(str, found)))
known = [word for words in (UNFINISHED, RELEASED, BUILD) for spellings in words.words for word in spellings]
unknown = ["arm", "riscv", "customer", "release1x", "devel", "G", "final2b"]
words = st.sampled_from([*known, *unknown, "SNAPSHOT", "Beta", "RC", "SPC", ""])
suffixes = st.builds(
    "{}{}{}{}".format, st.sampled_from(["-", "_", ".", ""]), words, st.sampled_from(["", "."]), numbers
)
dotted = st.builds(
    "{}{}{}".format, st.sampled_from(["", "v", "V", "app_v"]), numbers, st.lists(suffixes, max_size=2).map("".join)
)
huawei = st.builds(
    "V{}R{:03}C{:02}{}".format,
    st.sampled_from([100, 200]),
    st.integers(0, 3),
    st.integers(0, 12),
    st.sampled_from(["", "SPC200", "SPC1000", "B012", "SPC200B010", "RC1", "SPH005"]),
)
loose_version = st.one_of(dotted, huawei, dense_version, any_version)

identifiers = st.sampled_from(["0", "1", "2", "10", "alpha", "beta", "rc", "rc1", "x-1", "RC"])
semantic = st.builds(
    "{}.{}.{}{}".format,
    st.integers(0, 3),
    st.integers(0, 12),
    st.integers(0, 3),
    st.lists(identifiers, max_size=3).map(lambda found: "-" + ".".join(found) if found else ""),
)
of_either = st.one_of(
    st.tuples(st.just(LOOSE), st.tuples(loose_version, loose_version, loose_version)),
    st.tuples(st.just(SEMVER), st.tuples(semantic, semantic, semantic)),
)


@given(of_either)
def test_the_order_is_total_and_antisymmetric(drawn: tuple[Scheme, tuple[str, str, str]]) -> None:
    """Of two versions exactly one is lower, or they tie, in either order; each ties with itself."""
    order, (left, right, _) = drawn
    a, b = order.key(left), order.key(right)

    assert (a < b) + (a == b) + (a > b) == 1
    assert (a < b, a == b, a > b) == (b > a, b == a, b < a)
    assert a == order.key(left)


@given(of_either)
def test_the_order_is_transitive(drawn: tuple[Scheme, tuple[str, str, str]]) -> None:
    """What is below the lower is below the higher; what ties with one of a tie ties with both."""
    order, versions = drawn
    a, b, c = (order.key(version) for version in versions)

    assert not (a <= b <= c) or a <= c
    assert not (a < b <= c) or a < c
    assert not (a == b == c) or a == c


@given(st.lists(loose_version, max_size=20), st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_the_order_of_input(versions: list[str], shuffler: random.Random) -> None:
    """A shuffled list sorts into the same places."""
    shuffled = versions.copy()
    shuffler.shuffle(shuffled)

    assert [*map(LOOSE.key, sorted(shuffled, key=LOOSE.key))] == [*map(LOOSE.key, sorted(versions, key=LOOSE.key))]


@given(st.one_of(loose_version, any_version))
def test_loose_reads_every_documented_version(version: str) -> None:
    """No documented version is refused, and case and a leading v change nothing.

    A number with a letter behind it can be one of a name, as in 4g-edge_1.2. With a v in front, it starts the version.
    """
    key = LOOSE.key(version)

    assert LOOSE.key(version.upper()) == LOOSE.key(version.lower()) == key
    is_number_of_name = re.match("[0-9]+[A-Za-z]", version) and re.search(r"[0-9][.][0-9]|[._-][vV][0-9]", version)
    if version[0].isdigit() and not is_number_of_name and len(version) < 256:
        assert LOOSE.key(f"v{version}") == LOOSE.key(f"V{version}") == key


@pytest.mark.parametrize("version", ["1" * 256, "a" * 256, "." * 256, "1." * 128, "V" + "0" * 255])
def test_the_longest_version_is_readable(version: str) -> None:
    """A version may have 256 characters of any kind."""
    assert LOOSE.key(version) == LOOSE.key(version)


@given(numbers, st.integers(0, 3))
def test_missing_numbers_are_zero(version: str, more: int) -> None:
    """A dotted number ties with itself followed by zeros."""
    assert LOOSE.key(version) == LOOSE.key(version + ".0" * more)


@given(numbers, suffixes)
def test_a_suffix_stays_between_its_release_and_the_next(release: str, suffix: str) -> None:
    """A suffix keeps a version below the next release; below its own only by an unfinished or an unknown word."""
    assume(not suffix.startswith("."))
    version = f"{release}-{suffix}"

    key, end = LOOSE.key(version), LOOSE.key(release)

    assert key < LOOSE.key(f"{release}.0.0.0.1")
    assert (key < end) == (is_prerelease_of(key, end) or (bool(unknown_word(key)) and release_of(key) == end))


@given(semantic, semantic)
def test_semver_orders_as_the_library_does(left: str, right: str) -> None:
    """Our keys of semantic versions compare as the semver library compares the versions."""
    a, b = SEMVER.key(left), SEMVER.key(right)

    assert (a > b) - (a < b) == semver.Version.parse(left).compare(right)
    assert SEMVER.is_prerelease(left) == bool(semver.Version.parse(left).prerelease)


@given(st.one_of(semantic, dotted, dense_version, any_version))
def test_semver_reads_what_the_library_reads(version: str) -> None:
    """A version is unreadable exactly if the library refuses it."""
    if semver.Version.is_valid(version):
        assert SEMVER.key(version)
    else:
        with pytest.raises(Unreadable):
            SEMVER.key(version)


@pytest.mark.parametrize(
    "ascending",
    [
        "1.0.9 1.0.10",
        "1.0.0-rc1 1.0.0-rc2 1.0.0-rc10 1.0.0 1.0.0_B012 1.0.0_B100 1.0.1",
        "V100R001C00SPC200 V100R001C00SPC1000 V100R001C10",
        "1.0-dev 1.0-snapshot 1.0-alpha 1.0-beta 1.0-pre 1.0-rc 1.0 1.0_B2 1.0-1 1.0.1",
        "app_v1.2.3 app_v1.2.10 1.0",
        "1.0.0-1 1.0.0.1",
        "latest 1",
        f"{'9' * 200} 1{'0' * 200}",
        f"1.{'9' * 200} 1.1{'0' * 200}",
    ],
)
def test_these_ascend(ascending: str) -> None:
    """Each version is below the one to its right."""
    keys = [LOOSE.key(version) for version in ascending.split()]

    assert all(low < high for low, high in pairwise(keys))


@pytest.mark.parametrize(
    "tied",
    [
        "V1.2.3 v1.2.3 1.2.3 1.2.3.0",
        "1.0 1.0.0 1 01.00",
        "1.0rc1 1.0.rc1 1.0-RC.1 1.0.0_rc_1 v1-rc01",
        "1.0.0_B012 1.0.0_b12 1.0.0.B012 1.0.0B012",
        "app_v1.2.3 APP-1.2.3 app1.2.3",
        "1.0-pre1 1.0-preview1 1.0-prerelease.1",
        "1.0-dev 1.0-develop 1.0-development",
    ],
)
def test_these_tie(tied: str) -> None:
    """Different ways to write one version are one version."""
    assert len({LOOSE.key(version) for version in tied.split()}) == 1


@pytest.mark.parametrize("version", ["1.0a1", "1.0b2", "1.0c1", "1.0.2a", "V100R001C00B012", "1.0-1", "r2024b"])
def test_a_single_letter_is_no_prerelease(version: str) -> None:
    """Letters such as a and b are patches and builds: B012 is no beta."""
    assert not LOOSE.is_prerelease(version)
    assert LOOSE.key("1.0") < LOOSE.key("1.0a1") < LOOSE.key("1.0b2")


@pytest.mark.parametrize("version", ["1.0_B012-rc1", "1.0-rc1_B012", "rc1", "app_v1-beta", "V100R001C00RC1", "1dev"])
def test_a_prerelease_word_counts_wherever_it_stands(version: str) -> None:
    """A version is a prerelease as soon as one of its words says so."""
    assert LOOSE.is_prerelease(version)


@pytest.mark.parametrize("version", ["1.0.0-prc1", "1.0-arc", "1.0-devel", "1.0-betamax"])
def test_a_word_that_only_contains_one_is_none(version: str) -> None:
    """Only whole words are prereleases."""
    assert not LOOSE.is_prerelease(version)


@pytest.mark.parametrize(
    ("version", "bound", "expected"),
    [
        ("2.0.0-rc1", "2", True),
        ("2-dev", "2.0", True),
        ("2.0_B1-rc1", "2", False),
        ("2.0_B1-rc1", "2_B1", True),
        ("1.9-rc1", "2", False),
        ("2.0.1-rc1", "2", False),
        ("2", "2", False),
        ("2-beta", "2-rc1", False),
        ("2-rc1-dev", "2-rc1", True),
        ("app_v2-rc1", "app_v2", True),
    ],
)
def test_which_prereleases_belong_to_a_version(version: str, bound: str, expected: bool) -> None:
    """A prerelease of a version has its numbers and comes before it."""
    assert is_prerelease_of(LOOSE.key(version), LOOSE.key(bound)) is expected


@pytest.mark.parametrize(
    ("version", "bound", "expected"),
    [("2.0.0-rc.1", "2.0.0", True), ("2.0.0-beta", "2.0.0-rc.1", False), ("1.9.0-rc.1", "2.0.0", False)],
)
def test_which_prereleases_belong_to_a_semantic_version(version: str, bound: str, expected: bool) -> None:
    """Under semver only a release has prereleases."""
    assert is_prerelease_of(SEMVER.key(version), SEMVER.key(bound)) is expected


@pytest.mark.parametrize("order", [LOOSE, SEMVER], ids=["loose", "semver"])
@pytest.mark.parametrize("version", ["", "1 0", "1.0+5", "1.0\n", "版本1", "\u0661.\u0662", "1" * 257, "9" * 5000])
def test_what_is_no_documented_version_is_unreadable(order: Scheme, version: str) -> None:
    """A version that the API does not document is refused with a reason, not guessed at."""
    with pytest.raises(Unreadable) as caught:
        order.key(version)

    assert caught.value.reason == str(caught.value) == "not 1 to 256 letters, digits, _, - or ."


@pytest.mark.parametrize("order", [LOOSE, SEMVER], ids=["loose", "semver"])
@pytest.mark.parametrize(
    ("numbers_given", "same_as"), [((1,), "1.0.0"), ((1, 2), "1.2.0"), ((0, 0), "0.0.0"), ((1, 2, 3), "1.2.3")]
)
def test_the_release_of_some_numbers(order: Scheme, numbers_given: tuple[int, ...], same_as: str) -> None:
    """Numbers alone mean the release that they name. Missing numbers are 0."""
    assert order.release(numbers_given) == order.key(same_as)


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("1", "1.0.0"),
        ("v1.2", "1.2.0"),
        ("V1.2.3", "1.2.3"),
        ("1.2-rc.1", "1.2.0-rc.1"),
        ("1.2.3-4.5", "1.2.3-4.5"),
        ("1.2.3.4", "1.2.3.4"),
        ("latest", "latest"),
        ("1.2_B1", "1.2_B1"),
    ],
)
def test_semver_completes_what_a_person_writes(given_text: str, expected: str) -> None:
    """In a constraint missing numbers are 0 and a v in front is dropped; a version of a package is never completed."""
    assert SEMVER.completed(given_text) == expected
    assert LOOSE.completed(given_text) == given_text


def test_a_scheme_that_is_not_known_is_an_input_error() -> None:
    """The error names the argument and the schemes there are."""
    with pytest.raises(InputError, match="loose or semver") as caught:
        scheme("pep440\n")

    assert caught.value.argument == "version_scheme"
    assert "\n" not in caught.value.headline


def test_loose_does_not_load_the_semver_library() -> None:
    """The default scheme costs no import."""
    code = (
        "import sys; from pulumi_iotda_ota.selection.constraints import parse\n"
        "from pulumi_iotda_ota.selection.versions import scheme\n"
        "assert parse('~1.2', scheme('loose')).admits('1.2'); print('semver' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "False"
