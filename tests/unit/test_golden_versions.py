"""The golden table of version names: every scheme sorts, marks and refuses them as the table says."""

from __future__ import annotations

import random
from itertools import groupby

import pytest

from pulumi_iotda_ota.selection.choose import select
from pulumi_iotda_ota.selection.policy import Policy
from pulumi_iotda_ota.selection.versions import Unreadable, scheme
from tests.support.golden_versions import Catalogue, catalogues, names_of, places_of
from tests.support.packages import package

SCHEMES = ("loose", "semver")


def test_the_table_is_large_and_names_nothing_twice() -> None:
    """At least 280 names, each once, and among them at least 120 of real catalogues."""
    names = names_of("loose")
    real = {version for catalogue in catalogues() for version in catalogue.versions}

    assert len(names) >= 280
    assert len(set(names)) == len(names)
    assert len(real) >= 120
    assert real <= set(names)


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("seed", range(5))
def test_sorting_a_shuffled_list_gives_the_table(name: str, seed: int) -> None:
    """Whatever the order they come in, the names sort into the lines of the table."""
    key = scheme(name).key
    names = names_of(name)
    random.Random(seed).shuffle(names)

    found = [set(tied) for _, tied in groupby(sorted(names, key=key), key)]

    assert found == [set(place.names) for place in places_of(name)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("catalogue", catalogues(), ids=lambda catalogue: catalogue.name)
def test_what_is_chosen_from_the_catalogue_of_a_vendor(catalogue: Catalogue, seed: int) -> None:
    """A range chooses from a real catalogue what the table says, in whatever order the versions come."""
    found = [package(version=version) for version in catalogue.versions]
    random.Random(seed).shuffle(found)

    selection = select(found, Policy(version_constraint=catalogue.range, order_by="version"))

    assert next((one.version for one in selection.packages), "none") == catalogue.chosen
    assert catalogue.why


@pytest.mark.parametrize("name", SCHEMES)
def test_prereleases_are_those_of_the_table(name: str) -> None:
    """A name is a prerelease exactly if the table says so."""
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
