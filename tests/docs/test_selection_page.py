"""What the page of selection says of ranges, and the page of limits of bounds, against the code."""

from __future__ import annotations

import re

import pytest

from pulumi_iotda_ota.iotda.auth.connection_model import DEFAULT_DEADLINE, DEFAULT_MAX_ATTEMPTS
from pulumi_iotda_ota.iotda.http import limiter, transport
from pulumi_iotda_ota.lookup import find
from pulumi_iotda_ota.selection import choose
from pulumi_iotda_ota.selection.constraints import parse
from pulumi_iotda_ota.selection.versions import scheme
from tests.support.doc_blocks import ROOT

LOOSE = scheme("loose")
PAGE = (ROOT / "docs" / "selection.md").read_text(encoding="utf-8")
RANGES = [
    tuple(cell.strip() for cell in line.split("|")[1:-1])
    for line in PAGE.partition("## Ranges")[2].splitlines()
    if line.startswith("| `")
]
POOL = ["0.1", "0.2", "0.2.9", "0.3", "1", "1.1", "1.2-rc1", "1.2", "V1.2.0", "1.2_B1", "1.2.9", "1.3-rc1", "1.3"]
POOL += ["1.3_B1", "1.9-rc1", "1.9_B1", "2-rc1", "2", "2_B1", "2.1", "1.2-arm", "1.3-arm", "1.9-arm", "2-arm"]
ONE_OF_2 = "2-rc1"


@pytest.mark.parametrize(("term", "stands_for", "prereleases", "builds", "unknown"), RANGES, ids=lambda cell: cell)
def test_a_row_of_the_ranges_is_true(term: str, stands_for: str, prereleases: str, builds: str, unknown: str) -> None:
    """A term admits and leaves out the versions that its row names, and what it stands for admits the same."""
    found = parse(term.strip("`"), LOOSE)

    if stands_for.startswith("`"):
        same = parse(stands_for.strip("`"), LOOSE)
        assert [found.admits(version) for version in POOL] == [same.admits(version) for version in POOL]
    for cell in (prereleases, builds, unknown):
        for refused, version in re.findall(r"(not |never )?(one of 2|\d[\w.]*-(?:rc\d|arm)|\d[\w.]*_B\d)", cell):
            assert found.admits(version.replace("one of 2", ONE_OF_2)) != bool(refused), (term, version)


def test_every_range_of_the_grammar_has_a_row() -> None:
    """There is a row for each operator, and for a wildcard."""
    operators = {re.sub(r"[\d.`]", "", term) for term, *_ in RANGES}

    assert operators == {"=", "!=", ">", ">=", "<", "<=", "~", "^", "x", "*"}


def test_the_table_of_bounds_has_the_numbers_of_the_code() -> None:
    """Each bound in the table of limits equals the constant in the code."""
    text = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
    bounds = dict(line.split("|")[1:3] for line in text.partition("## Bounds")[2].splitlines() if line.startswith("|"))
    documented = {name.strip(): [int(number) for number in re.findall(r"\d+", most)] for name, most in bounds.items()}

    assert documented["time of one operation"] == [DEFAULT_DEADLINE]
    assert documented["one answer"] == [transport.MAX_BODY / 2**20]
    assert documented["tries of one request"] == [DEFAULT_MAX_ATTEMPTS]
    assert documented["requests in flight to one endpoint"] == [
        limiter._MOST_IN_FLIGHT,
        1,
        limiter._CLEAN_AFTER_THROTTLE,
    ]
    assert documented["requests for checksums in one lookup"] == [find._MOST_DETAILS]
    assert documented["skipped packages listed"] == [choose.MAX_SKIPPED]
