"""How a lock file is written and read."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota.lock.format import read, written
from tests.support.locks import entries, entry

ONE = written([entry("meter")])


@given(st.lists(entries(), max_size=5, unique_by=lambda one: one.name))
def test_what_is_written_is_read(some: list[Any]) -> None:
    """Whatever the service says, what is written is read as it was, and its text hides nothing from a reviewer."""
    text = written(some)

    assert read(text, "lock") == {one.name: one for one in some}
    assert all(one == "\n" or one.isprintable() for one in text)
    text.encode()


@given(st.lists(entries(), max_size=5, unique_by=lambda one: one.name), st.randoms())
def test_any_order_gives_the_same_bytes(some: list[Any], random: Any) -> None:
    """The same entries are the same bytes, in whichever order they were added; writing what was read changes none."""
    text = written(some)
    random.shuffle(some)

    assert written(some) == text
    assert written(read(text, "lock").values()) == text


def test_what_it_looks_like() -> None:
    """Entries stand in the order of their names, each a block with an empty line after it; the format comes last."""
    lines = written([entry("b"), entry("a")]).splitlines()

    assert [line for line in lines if re.match(r"  \S", line)] == [
        '  "a": {',
        "  },",
        '  "b": {',
        "  },",
        '  "format": 2',
    ]
    assert lines.count("") == 2
    assert written([]) == '{\n  "format": 2\n}\n'


def edited(**changes: Any) -> str:
    """Return a lock file whose entry was changed by hand; None takes a field away."""
    document = json.loads(ONE)
    document["meter"] |= changes
    document["meter"] = {name: value for name, value in document["meter"].items() if value is not None}
    return json.dumps(document)


def package(**changes: Any) -> str:
    """Return a lock file whose package was changed by hand; see :func:`edited`."""
    fields = {**json.loads(ONE)["meter"]["package"], **changes}
    return edited(package={name: value for name, value in fields.items() if value is not None})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "line 1, column 1"),
        (ONE[:-3], "line 29, column 14"),
        ("[]", r"must be an object, not \[\]"),
        ("{}", '"format" must be a number, not None'),
        ('{"format": true}', '"format" must be a number, not True'),
        ('{"format": 0}', "there is no format 0"),
        ('{"format": NaN}', "NaN is not JSON"),
        ("[" * 100_000, "recursion"),
        ('{"format": ' + "9" * 5000 + "}", "5000"),
        ('{"a": {}, "a": {}, "format": 2}', '"a" occurs twice'),
        (ONE.replace('"version": "V1"', '"version": "V1", "version": "V2"'), '"version" occurs twice'),
        ('{"-a": {}, "format": 2}', 'a name must be 1 to 64 .* "-a"|"-a": a name must be'),
        ('{"a": 1, "format": 2}', '"a": it must be an object, not 1'),
        (edited(whom="me"), '"meter": whom is no field of format 2'),
        (edited(lockedAt="x"), r"lockedAt is no field of format 2 \(did you mean locked_at\?\)"),
        (edited(reason=None), '"meter": reason must be a string, not missing'),
        (edited(reason=1), "reason must be a string, not 1"),
        (edited(locked_at="yesterday"), "locked_at must be a time"),
        (
            edited(selection={"package_typ": "x"}),
            r"selection.package_typ is no field of format 2 \(did you mean package_type",
        ),
        (edited(selection={"highest_version": "yes"}), "selection.highest_version must be True or False"),
        (edited(selection={"lock": "x"}), "selection.lock is no field"),
        (edited(place={"region": 1}), "place.region must be a string, not 1"),
        (edited(place={"profile": "x"}), "place.profile is no field"),
        (package(package_id=None), "package.package_id is missing"),
        (package(version=1), "package.version must be a string, not 1"),
        (package(support_source_versions="V0"), 'package.support_source_versions must be a list of strings, not "V0"'),
        (package(support_source_versions=[None]), "must be a list of strings"),
        (package(size=3), "package.size is no field of format 2"),
        (
            package(file_location={"obs_location": []}),
            r"package.file_location.obs_location must be an object, not \[\]",
        ),
        (package(file_location={"obs_location": {}}), "package.file_location.obs_location.region_name is missing"),
    ],
)
def test_a_damaged_file_is_one_clear_error(text: str, expected: str) -> None:
    """The error of a damaged file has the place and a fix."""
    with pytest.raises(iotda_ota.LockError, match="lock file is damaged") as caught:
        read(text, "/repo/iotda-ota.lock.json")

    message = " ".join(str(caught.value).split())
    assert re.search(expected, message), message
    assert "/repo/iotda-ota.lock.json" in message
    assert "git checkout" in message


def test_a_conflict_is_told_as_one() -> None:
    """A file with merge conflicts is an error that names the line."""
    text = ONE.replace('  "meter"', '<<<<<<< HEAD\n  "meter"', 1)

    with pytest.raises(iotda_ota.LockError, match="unresolved merge conflicts") as caught:
        read(text, "lock")

    assert "line 2 is a conflict marker" in str(caught.value)
    assert "git checkout --ours" in str(caught.value)


def test_a_newer_format_says_what_to_install() -> None:
    """A file of a later format is not guessed at: the error says that a newer library is needed, and which is here."""
    with pytest.raises(iotda_ota.LockError, match="format 3, which is newer") as caught:
        read('{"lookups": {"any": "thing"}, "format": 3}', "lock")

    assert f"newer than {iotda_ota.__version__}" in str(caught.value)


def test_what_is_locked_is_no_secret_and_no_credential() -> None:
    """An entry accepts the settings of a place, and no credentials."""
    for name in ("access_key", "auth_token", "user_name", "profile", "credentials"):
        with pytest.raises(iotda_ota.LockError, match="damaged"):
            read(edited(place={name: "x"}), "lock")


def test_a_file_of_format_1_names_the_commands_that_replace_it() -> None:
    """The error has a command for each entry, with the names of today's arguments, ready to copy."""
    old = {
        "meter": {"asked": {"package_type": "firmwarePackage", "product_id": "m 1", "most_recent": True}},
        "valve": {
            "asked": {
                "package_type": "modulePackage",
                "most_recent": True,
                "order_by": "create_time",
                "require_signature": True,
                "allow_unscoped": True,
            }
        },
        "format": 1,
    }

    with pytest.raises(
        iotda_ota.LockError, match="the lock file is of format 1, and this version reads format 2"
    ) as caught:
        read(json.dumps(old), "iotda-ota.lock.json")

    fix = " ".join(dict(caught.value.facts)["fix"].split())
    assert "iotda-ota lock add meter --package-type firmwarePackage --product-id 'm 1' --highest-version" in fix
    assert "iotda-ota lock add valve --package-type modulePackage --require-checksum --most-recent" in fix
    assert fix.endswith("--allow-multiple-scopes")
