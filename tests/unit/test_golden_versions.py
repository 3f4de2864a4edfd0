"""The golden table of version names: every scheme sorts, marks and refuses them as the table says."""

from __future__ import annotations

import random
from itertools import groupby

import pytest

from pulumi_iotda_ota.selection.versions import Unreadable, scheme
from tests.support.golden_versions import names_of, places_of

SCHEMES = ("loose", "semver")


def test_the_table_is_large_and_names_nothing_twice() -> None:
    """At least 120 names, each once."""
    names = names_of("loose")

    assert len(names) >= 120
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("seed", range(5))
def test_sorting_a_shuffled_list_gives_the_table(name: str, seed: int) -> None:
    """Whatever the order they come in, the names sort into the lines of the table."""
    key = scheme(name).key
    names = names_of(name)
    random.Random(seed).shuffle(names)

    found = [set(tied) for _, tied in groupby(sorted(names, key=key), key)]

    assert found == [set(place.names) for place in places_of(name)]


@pytest.mark.parametrize("name", SCHEMES)
def test_prereleases_are_those_of_the_table(name: str) -> None:
    """A name is a prerelease exactly where the table says so."""
    is_prerelease = scheme(name).is_prerelease

    for place in places_of(name):
        assert [(one, is_prerelease(one)) for one in place.names] == [(one, place.prerelease) for one in place.names]


def test_semver_reads_what_the_table_lists_and_nothing_else() -> None:
    """A name without a line in [semver] is refused with a reason, never read as something near it."""
    readable = set(names_of("semver"))

    assert readable < set(names_of("loose"))
    for name in set(names_of("loose")) - readable:
        with pytest.raises(Unreadable, match="not a semantic version"):
            scheme("semver").key(name)
