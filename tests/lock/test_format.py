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
        '  "format": 1',
    ]
    assert lines.count("") == 2
    assert written([]) == '{\n  "format": 1\n}\n'


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
    ("text", "told"),
    [
        ("", "line 1, column 1"),
        (ONE[:-3], "line 29, column 14"),
        ("[]", r"must be an object, not \[\]"),
        ("{}", '"format" must be a number, not None'),
        ('{"format": true}', '"format" must be a number, not True'),
        ('{"format": 0}', "there is no format 0"),
        ('{"format": NaN}', "NaN is no JSON"),
        ("[" * 100_000, "recursion"),
        ('{"format": ' + "9" * 5000 + "}", "5000"),
        ('{"a": {}, "a": {}, "format": 1}', '"a" is there twice'),
        (ONE.replace('"version": "V1"', '"version": "V1", "version": "V2"'), '"version" is there twice'),
        ('{"-a": {}, "format": 1}', 'a name must be 1 to 64 .* "-a"|"-a": a name must be'),
        ('{"a": 1, "format": 1}', '"a": it must be an object, not 1'),
        (edited(whom="me"), "whom is no field of format 1"),
        (edited(lockedAt="x"), r"lockedAt is no field of format 1 \(did you mean locked_at\?\)"),
        (edited(why=None), '"meter": why must be a string, not missing'),
        (edited(why=1), "why must be a string, not 1"),
        (edited(locked_at="yesterday"), "locked_at must be a time"),
        (edited(asked={"package_typ": "x"}), r"asked.package_typ is no field of format 1 \(did you mean package_type"),
        (edited(asked={"highest_version": "yes"}), "asked.highest_version must be True or False"),
        (edited(asked={"lock": "x"}), "asked.lock is no field"),
        (edited(place={"region": 1}), "place.region must be a string, not 1"),
        (edited(place={"profile": "x"}), "place.profile is no field"),
        (package(package_id=None), "package.package_id is missing"),
        (package(version=1), "package.version must be a string, not 1"),
        (package(support_source_versions="V0"), 'package.support_source_versions must be a list of strings, not "V0"'),
        (package(support_source_versions=[None]), "must be a list of strings"),
        (package(size=3), "package.size is no field of format 1"),
        (
            package(file_location={"obs_location": []}),
            r"package.file_location.obs_location must be an object, not \[\]",
        ),
        (package(file_location={"obs_location": {}}), "package.file_location.obs_location.region_name is missing"),
    ],
)
def test_a_damaged_file_is_one_clear_error(text: str, told: str) -> None:
    """What is wrong with a file is told with its place, and what to do."""
    with pytest.raises(iotda_ota.LockError, match="lock file is damaged") as caught:
        read(text, "/repo/iotda-ota.lock.json")

    message = " ".join(str(caught.value).split())
    assert re.search(told, message), message
    assert "/repo/iotda-ota.lock.json" in message
    assert "git checkout" in message


def test_a_conflict_is_told_as_one() -> None:
    """A file that git could not merge is told so, with the line."""
    text = ONE.replace('  "meter"', '<<<<<<< HEAD\n  "meter"', 1)

    with pytest.raises(iotda_ota.LockError, match="unresolved merge conflicts") as caught:
        read(text, "lock")

    assert "line 2 is a conflict marker" in str(caught.value)
    assert "git checkout --ours" in str(caught.value)


def test_a_newer_format_says_what_to_install() -> None:
    """A file of a later format is not guessed at: the error says that a newer library is needed, and which is here."""
    with pytest.raises(iotda_ota.LockError, match="format 2, which is newer") as caught:
        read('{"lookups": {"any": "thing"}, "format": 2}', "lock")

    assert f"newer than {iotda_ota.__version__}" in str(caught.value)


def test_what_is_locked_is_no_secret_and_no_credential() -> None:
    """An entry has room for the place, and for nothing of who asks."""
    for name in ("access_key", "auth_token", "user_name", "profile", "credentials"):
        with pytest.raises(iotda_ota.LockError, match="damaged"):
            read(edited(place={name: "x"}), "lock")
