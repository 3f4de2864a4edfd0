"""The errors of a lookup: narrow and short enough for the log of a pipeline, complete in their counts, and safe."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.auth.connection_model import Connection
from pulumi_iotda_ota.lookup import error_messages
from pulumi_iotda_ota.selection.choose import Skipped, select
from pulumi_iotda_ota.selection.policy import Policy
from tests.support.packages import package

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.errors import IotdaOtaError
    from pulumi_iotda_ota.iotda.models import OtaPackage

HERE = resolve(
    Connection(region="cn-north-4", project_id="0123456789abcdef", access_key="AK", secret_key="SK"),
    config={},
    environ={},
)
# Every setting of a query, as long as it may be.
LONGEST = Policy(
    package_type="firmwarePackage",
    app_id="a" * 36,
    product_id="p" * 36,
    module_name="m" * 64,
    version="1" * 256,
    version_constraint="^1.2.3||" * 127 + "2",
    version_regex="x" * 1024,
    preferred_versions=("7" * 256,) * 40,
    source_versions=("3" * 256,) * 40,
    created_after="20260101T000000Z",
    created_before="20270101T000000Z",
    require_checksum=True,
)
ONE_VERSION = Counter(version_scheme=1)
HOSTILE = "1\x1b[31m\u202e::error::\nx"


SKIP = "; or remove strict_versions to skip it"
AGAIN_OR_SKIP = f"upload the package again with a version of letters, digits, _, - or .{SKIP}"
TIME_OR_SKIP = f"correct the upload time on the service{SKIP}"
LOOSE_OR_SKIP = f'set version_scheme="loose"{SKIP}'


def nothing_fits(policy: Policy, packages: list[OtaPackage]) -> str:
    """Return the text of a lookup that found nothing."""
    selection = select(packages, policy)
    assert not selection.packages
    return str(error_messages.no_match(policy, selection, HERE, error_messages.nearest(packages, policy)))


def narrow(text: str) -> bool:
    """Return whether a text is readable in the log of a pipeline."""
    lines = text.splitlines()
    return max(map(len, lines)) <= 80 and len(lines) <= 25


def fact(text: str, label: str) -> str:
    """Return what a text says under a label, in one line."""
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(f"  {label} "))
    rest = []
    for line in lines[first + 1 :]:
        if not line.startswith(" " * 15):
            break
        rest.append(line.strip())
    return " ".join([lines[first][15:], *rest])


def test_the_whole_text() -> None:
    """What was requested, what was found and why it does not match, what is nearest, and the fix, in this order."""
    found = [
        *[package(version=f"V1.{minor}") for minor in range(31)],
        *[package(version=f"V2.{minor}.0-rc1") for minor in range(4)],
        package(version="V2.0.1", support_source_versions=("V1.9.0", "V1.9.4")),
        package(version="V2.0.0", support_source_versions=("V1.9.0",)),
    ]
    policy = Policy(
        package_type="firmwarePackage", product_id="meter", version_constraint="^2", source_versions=("V1.3.2",)
    )

    assert nothing_fits(policy, found) == "\n".join(
        [
            "no OTA package matches",
            '  requested    package_type="firmwarePackage", product_id="meter",',
            '               version_constraint="^2", source_versions=["V1.3.2"]',
            "  found        37 packages, 0 match: version_constraint 28, allow_downgrade 4,",
            "               include_prereleases 3, source_versions 2",
            "  endpoint     project 0123456789abcdef in cn-north-4 at",
            "               https://iotda.cn-north-4.myhuaweicloud.com",
            "  nearest      V2.3.0-rc1 (prerelease), V2.0.1 (supports only V1.9.0, V1.9.4),",
            "               V1.30 (outside ^2)",
            "  fix          set include_prereleases=True to allow V2.3.0-rc1",
        ]
    )


@pytest.mark.parametrize("count", [1, 6, 1000])
def test_every_text_is_narrow_and_short(count: int) -> None:
    """For any request and any number of packages, a message has at most 25 lines of 80 columns."""
    found = [
        package(
            package_id=f"{number:036}",
            version=f"{number:0256}",
            app_id=f"{number:036}",
            product_id=f"{number:036}",
            module_name=f"{number:064}",
        )
        for number in range(count)
    ]
    errors: list[IotdaOtaError] = [
        error_messages.no_match(LONGEST, select(found, LONGEST), HERE, error_messages.nearest(found, LONGEST)),
        error_messages.no_match(LONGEST, select(found, LONGEST), HERE, error_messages.neighbours(LONGEST, found)),
        error_messages.several_match(LONGEST, found),
        error_messages.several_match(Policy(highest_version=True), found),
        error_messages.too_many_details(LONGEST, 10**6, 50, 3),
        error_messages.unreadable(
            replace(LONGEST, version_scheme="semver"),
            Counter(version_scheme=10**6, created_after=10**6),
            Skipped("p" * 36, "9" * 256, "version_scheme", "not one of ours"),
        ),
        error_messages.gone("p" * 36, HERE),
    ]

    assert [str(error) for error in errors if not narrow(str(error))] == []


def test_nothing_unsafe_is_printed() -> None:
    """Text from the service is escaped at every place."""
    found = [
        package(
            version=HOSTILE, package_id=HOSTILE, app_id=HOSTILE, module_name=HOSTILE, support_source_versions=(HOSTILE,)
        ),
        package(version="2", support_source_versions=(HOSTILE,)),
    ]
    policy = Policy(source_versions=("1",))
    texts = [
        nothing_fits(policy, found),
        str(error_messages.several_match(policy, found)),
        str(error_messages.unreadable(policy, ONE_VERSION, Skipped(HOSTILE, HOSTILE, "version_scheme", "odd"))),
    ]

    for text in texts:
        assert r"\x1b" in text
        assert not any(bad in text for bad in ("\x1b", "\u202e", "::error"))
        assert all(line.startswith("  ") for line in text.splitlines()[1:])


def test_the_counts_are_complete() -> None:
    """What the rules skipped adds up to what was found, the most first."""
    found = [package(version=version) for version in ("3", "1-rc1", "1", "2-rc1", "1 0")]
    policy = Policy(version_constraint="=2")

    text = nothing_fits(policy, [*found, *found])

    assert fact(text, "found") == "10 packages, 0 match: version_constraint 8, version_scheme 2"


def test_upload_times_that_cannot_be_read_are_counted_as_such() -> None:
    """A package without a readable upload time is neither before a window nor after it. It has a separate count."""
    found = [package(create_time=time) for time in ("20250101T000000Z", "odd", "1 Jan 2026")]

    text = nothing_fits(Policy(created_after="20260101T000000Z"), found)

    assert fact(text, "found") == ("3 packages, 0 match: created_after 3 (2 without a readable upload time)")
    assert 'create_time "odd" cannot be read' in fact(text, "nearest")
    assert fact(text, "fix") == 'set created_after="2025-01-01T00:00:00Z" or earlier'
    assert fact(nothing_fits(Policy(created_after="20260101T000000Z"), found[1:]), "fix").startswith(
        "correct the upload"
    )


@pytest.mark.parametrize(
    ("scheme", "version", "counts", "headline", "advice"),
    [
        ("semver", "V1", Counter(version_scheme=2), "2 versions cannot be read as semver", LOOSE_OR_SKIP),
        ("semver", "1 0", ONE_VERSION, "1 version cannot be read as semver", AGAIN_OR_SKIP),
        ("loose", "1.2.3+45", ONE_VERSION, "1 version cannot be read as loose", AGAIN_OR_SKIP),
        ("loose", "1", Counter(most_recent=1), "1 upload time cannot be read", TIME_OR_SKIP),
        (
            "semver",
            "V1",
            Counter(created_after=2, version_scheme=1),
            "1 version and 2 upload times cannot be read",
            LOOSE_OR_SKIP,
        ),
    ],
)
def test_what_a_strict_lookup_cannot_read(
    scheme: str, version: str, counts: Counter[str], headline: str, advice: str
) -> None:
    """The error counts versions and upload times, and its fix works: loose is named only if it reads the version."""
    policy = Policy(version_scheme=scheme, strict_versions=True)

    error = error_messages.unreadable(policy, counts, Skipped("p1", version, "version_scheme", "odd"))

    assert error.headline == headline
    assert dict(error.facts)["fix"] == advice


def test_what_came_near_names_an_unknown_word() -> None:
    """If an unknown word keeps a version out, the error names it."""
    text = nothing_fits(Policy(version_constraint="=1.5"), [package(version="1.5.0-arm64")])

    assert fact(text, "nearest") == "1.5.0-arm64 (outside =1.5; arm is an unknown word)"


@pytest.mark.parametrize(
    ("words", "versions", "near"),
    [
        ({"version_constraint": "^2"}, "1.0 1.8 1.9 3.0 3.1", "1.9 (outside ^2) · 1.8 (outside ^2) · 3.0 (outside ^2)"),
        ({"version_constraint": "^2"}, "1.9 2.1-rc1", "2.1-rc1 (prerelease) · 1.9 (outside ^2)"),
        ({"version_constraint": "<1"}, "1.0 2.0 3.0", "1.0 (outside <1)"),
        ({"version_regex": "x"}, "1 2 10 9", "10 (does not match) · 9 (does not match) · 2 (does not match)"),
        ({"version_constraint": "^2"}, "1.9 V1.9 1.9-rc1", "1.9 (outside ^2) · V1.9 (outside ^2)"),
        ({"version_scheme": "semver"}, "V1", "V1 (not a semantic version such as 1.2.3 or 1.2.3-rc.1)"),
        ({"app_id": "a2"}, "1 2", "2 (resource space a1) · 1 (resource space a1)"),
    ],
)
def test_what_came_near(words: dict[str, Any], versions: str, near: str) -> None:
    """The nearest packages fail the fewest rules. For a range, they are around its first bound."""
    found = [package(version=version) for version in versions.split()]

    told = fact(nothing_fits(Policy(**words), found), "nearest").split(", ")

    assert sorted(told[: len(near.split(" · "))]) == sorted(near.split(" · "))


@pytest.mark.parametrize(
    ("version", "versions", "near"),
    [
        ("1.5", "1.0 1.4 1.6 1.7", "1.4 · 1.0 · 1.6"),
        ("v1.4", "1.0 V1.4 2.0", "V1.4 · 1.0 · 2.0"),
        ("0.1", "1.0 2.0", "1.0"),
        ("9", "1 2 3 4", "4 · 3 · 2"),
        ("9", "odd\x00 4", "4"),
        ("9", "", ""),
    ],
)
def test_the_neighbours_of_an_exact_version(version: str, versions: str, near: str) -> None:
    """Two below it and one above; what ties is the first, and what cannot be read is left out."""
    found = [package(version=one) for one in versions.split(" ") if one]

    assert error_messages.neighbours(Policy(version=version), found).text == near.replace(" · ", ", ")


def test_columns_that_say_nothing_are_left_out() -> None:
    """A list of packages names at most five, with the scopes in which they differ, and counts the rest."""
    same = [package(version=f"V{number}", package_id=f"p{number}") for number in range(7)]
    differ = [package(version="2.1", app_id="fleet-a"), package(version="V2.1.0", app_id="fleet-b")]

    text = str(error_messages.several_match(Policy(), same))
    assert "V0  p0  uploaded 2026-01-01" in text
    assert "app" not in fact(text, "found")
    assert "… and 2 more" in text
    text = str(error_messages.several_match(Policy(), differ))
    assert "2.1     p1  app fleet-a  uploaded 2026-01-01" in text
    assert "set app_id (fleet-a or fleet-b)" in text
