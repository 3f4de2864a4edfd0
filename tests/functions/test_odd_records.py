"""Records of a list that cannot be judged: they are skipped, counted and reported, and end no lookup of another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota.emulator import Emulator, Switches
from tests.conftest import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator

LAMPS: dict[str, Any] = {"package_type": "firmwarePackage"}
FIELDS = ["product_id", "app_id", "create_time", "package_type", "version"]
REQUIRED = [*FIELDS, "package_id"]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Return a service with three packages, p3 the newest, that the environment leads to."""
    with Emulator(seed={}) as running:
        for number in range(1, 4):
            running.add_package(package_id=f"p{number}", version=f"1.{number}", product_id="lamp", app_id="home")
        for name, value in settings_for(running).items():
            monkeypatch.setenv(name, value)
        yield running


def odd(name: str, *, null: bool, package_id: str = "p3") -> Switches:
    """Return the switches that spoil a field of a package."""
    return Switches(odd_fields={package_id: {name: None}}) if null else Switches(absent_fields={package_id: (name,)})


@pytest.mark.parametrize("null", [True, False], ids=["null", "absent"])
@pytest.mark.parametrize("name", REQUIRED)
def test_an_odd_record_ends_no_list(service: Emulator, name: str, *, null: bool) -> None:
    """A record without a required field is skipped in a list; its id and the reason are reported."""
    service.switches = odd(name, null=null)

    found = iotda_ota.get_ota_packages(**LAMPS)

    assert [package.package_id for package in found.packages] == ["p2", "p1"]
    assert found.skipped_counts == {"unreadable_record": 1}
    (skipped,) = found.skipped
    assert skipped.package_id == ("" if name == "package_id" else "p3")
    assert skipped.version == ("" if name == "version" else "1.3")
    assert skipped.reason == f"{name} is {'null' if null else 'missing'}"
    assert len(service.requests) == 1


@pytest.mark.parametrize("name", REQUIRED)
def test_an_odd_record_ends_no_lookup_of_one_package(service: Emulator, name: str) -> None:
    """A lookup of one package chooses among the records that can be judged, and reports the others."""
    service.switches = odd(name, null=True)

    found = iotda_ota.get_ota_package(**LAMPS, highest_version=True)

    assert found.package_id == "p2"
    assert found.skipped_counts["unreadable_record"] == 1
    assert found.skipped[0].rule == "unreadable_record"


@pytest.mark.parametrize("value", [7, {}, [], True, ""], ids=repr)
def test_a_field_of_another_type_makes_an_odd_record(service: Emulator, value: object) -> None:
    """An id that is empty or no string cannot be used, so its record is skipped."""
    service.switches = Switches(odd_fields={"p3": {"package_id": value}})

    found = iotda_ota.get_ota_packages(**LAMPS)

    assert [package.package_id for package in found.packages] == ["p2", "p1"]
    assert found.skipped_counts == {"unreadable_record": 1}


def test_a_record_that_is_no_object_is_skipped(service: Emulator) -> None:
    """A record that is null or a string is skipped at any place."""
    service.faults.add(edit=lambda page: {**page, "packages": [None, *page["packages"], "p9"]})

    found = iotda_ota.get_ota_packages(**LAMPS)

    assert [package.package_id for package in found.packages] == ["p3", "p2", "p1"]
    assert found.skipped_counts == {"unreadable_record": 2}


@pytest.mark.parametrize("name", REQUIRED)
def test_an_odd_record_that_is_asked_for_is_an_error(service: Emulator, name: str) -> None:
    """If the odd record is the one that is requested by its id, the lookup fails and names the field."""
    service.switches = odd(name, null=True)

    with pytest.raises(iotda_ota.ProtocolError, match=f"{name} is null"):
        iotda_ota.get_ota_package(package_id="p3")


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize(
    "wanted", [{"require_checksum": True}, {"include_file_location": True}], ids=["sign", "location"]
)
def test_an_odd_detail_of_the_chosen_package_is_an_error(service: Emulator, name: str, wanted: dict[str, Any]) -> None:
    """If the detail of the chosen package is odd, the lookup fails: it is requested by its id."""
    service.faults.add(operation="ShowOtaPackage", edit=lambda package: {**package, name: None})

    with pytest.raises(iotda_ota.ProtocolError, match=f"{name} is null"):
        iotda_ota.get_ota_package(**LAMPS, version="1.3", **wanted)


@pytest.mark.parametrize("call", ["get_ota_package", "get_ota_packages"])
def test_strict_versions_takes_no_odd_record(service: Emulator, call: str) -> None:
    """With ``strict_versions`` a record that cannot be judged is an error that names it and a fix."""
    service.switches = odd("version", null=True)
    words: dict[str, Any] = {"highest_version": True} if call == "get_ota_package" else {}

    with pytest.raises(iotda_ota.IotdaOtaError) as caught:
        getattr(iotda_ota, call)(**LAMPS, strict_versions=True, **words)

    text = str(caught.value)
    assert "1 record of the list cannot be judged, and strict_versions is set" in text
    assert "p3 (version is null)" in text
    assert "remove strict_versions" in text


def test_nothing_fits_but_an_odd_record(service: Emulator) -> None:
    """If nothing fits, the error counts the odd records and names the first one."""
    service.switches = odd("create_time", null=True)

    with pytest.raises(iotda_ota.PackageNotFound) as caught:
        iotda_ota.get_ota_package(**LAMPS, version="1.3")

    text = " ".join(str(caught.value).split())
    assert "1 package, 0 match: not judged 1" in text
    assert "not judged p3 (create_time is null)" in text


def test_a_cut_list_reports_the_odd_records_before_its_end(service: Emulator) -> None:
    """A list that ``max_items`` cuts reports the odd records that it has read."""
    service.switches = odd("version", null=True)

    found = iotda_ota.get_ota_packages(**LAMPS, max_items=1)

    assert [package.package_id for package in found.packages] == ["p2"]
    assert found.truncated
    assert found.skipped_counts == {"unreadable_record": 1}


@pytest.mark.parametrize("number", [0, 48, 49, 50, 98, 119])
@pytest.mark.parametrize("name", ["package_id", "version"])
def test_an_odd_record_hides_no_other_one(service: Emulator, name: str, number: int) -> None:
    """In a list of several pages every other record is returned, on whichever page the odd one is."""
    ids = [service.add_package(version=f"2.{one}", product_id="valve") for one in range(120)][::-1]
    service.switches = odd(name, null=True, package_id=ids[number])

    found = iotda_ota.get_ota_packages(**LAMPS, product_id="valve")

    assert [package.package_id for package in found.packages] == [*ids[:number], *ids[number + 1 :]]
    assert found.skipped_counts == {"unreadable_record": 1}


@pytest.mark.parametrize("first", [0, 60, 69])
def test_records_without_an_id_prove_nothing(service: Emulator, first: int) -> None:
    """Records without an id are not counted for the end of a list: pages go on until an empty one."""
    ids = [service.add_package(version=f"2.{one}", product_id="valve") for one in range(120)][::-1]
    nameless = ids[first : first + 51]
    service.switches = Switches(absent_fields=dict.fromkeys(nameless, ("package_id",)))

    found = iotda_ota.get_ota_packages(**LAMPS, product_id="valve")

    assert [package.package_id for package in found.packages] == [id_ for id_ in ids if id_ not in nameless]
    assert found.skipped_counts == {"unreadable_record": 51}


def test_pages_without_any_id_may_be_a_part(service: Emulator) -> None:
    """If two pages in a row have no id at all, they may be the same records: the list may be partial, an error."""
    ids = [service.add_package(version=f"2.{one}", product_id="valve") for one in range(120)]
    service.switches = Switches(absent_fields=dict.fromkeys(ids, ("package_id",)))

    with pytest.raises(iotda_ota.ProtocolError, match="so the list may be partial"):
        iotda_ota.get_ota_packages(**LAMPS, product_id="valve")


@pytest.mark.parametrize(
    "switches",
    [
        Switches(empty_list="null"),
        Switches(empty_list="absent"),
        Switches(empty_page="null"),
        Switches(empty_page="absent"),
        Switches(empty_list="null", count_as_text=True),
        Switches(count_as_text=True),
    ],
    ids=["null list", "no list", "null page", "no page", "null list, count as text", "count as text"],
)
def test_an_empty_list_is_one_in_any_form(service: Emulator, switches: Switches) -> None:
    """A null or absent list that counts 0, and an empty list without ``page``, are an empty list."""
    service.switches = switches

    assert iotda_ota.get_ota_packages(**LAMPS, version="9.9").packages == []
    assert len(iotda_ota.get_ota_packages(**LAMPS).packages) == 3


@pytest.mark.parametrize(
    "answered",
    [
        {"page": {"count": 3}},
        {"packages": None, "page": {"count": 3}},
        {"packages": None, "page": {"count": "3"}},
        {"packages": None},
        {"page": {}},
        {},
        {"packages": {}, "page": {"count": 0}},
        {"packages": "", "page": {"count": 0}},
        {"packages": [], "page": []},
    ],
    ids=str,
)
def test_a_list_that_may_be_partial_is_an_error(service: Emulator, answered: dict[str, Any]) -> None:
    """A response without records and without a count is an error."""
    service.faults.add(status=200, body=answered, times=None)

    with pytest.raises(iotda_ota.ProtocolError):
        iotda_ota.get_ota_packages(**LAMPS)


@pytest.mark.parametrize("page", [None, {}, {"count": 3, "marker": None}, {"count": 9}], ids=str)
def test_records_without_a_way_on_are_an_error(service: Emulator, page: object) -> None:
    """A page with records, but without a count and a marker, may be a part of the list: an error."""
    number = 3 if page == {"count": 3, "marker": None} else 0
    service.faults.add(edit=lambda answer: {**answer, "page": page}, times=None)

    if number:
        assert len(iotda_ota.get_ota_packages(**LAMPS).packages) == number
    else:
        with pytest.raises(iotda_ota.ProtocolError):
            iotda_ota.get_ota_packages(**LAMPS)


@pytest.mark.parametrize("count", ["-1", -1, "1e3", "٣", 3.5, True, [], "", " 3"], ids=repr)
def test_a_count_that_is_none_is_an_error(service: Emulator, count: object) -> None:
    """A count that is no whole number of records is an error that names it."""
    service.faults.add(edit=lambda answer: {**answer, "page": {**answer["page"], "count": count}})

    with pytest.raises(iotda_ota.ProtocolError, match=r"page\.count should be a whole number"):
        iotda_ota.get_ota_packages(**LAMPS)


@pytest.mark.parametrize("name", ["product_id", "app_id", "package_type", "version"])
def test_an_empty_string_is_no_value(service: Emulator, name: str) -> None:
    """A record whose required field is an empty string is skipped as one with null is; other lookups go on."""
    service.switches = Switches(odd_fields={"p1": {name: ""}})

    found = iotda_ota.get_ota_package(**LAMPS, highest_version=True)

    assert found.package_id == "p3"
    assert found.skipped_counts["unreadable_record"] == 1


@pytest.mark.parametrize(
    "detail", [{"create_time": 1767225600123}, {"support_source_versions": ["0.9", "0.9"]}], ids=["time", "sources"]
)
def test_a_detail_in_another_form_agrees(service: Emulator, detail: dict[str, Any]) -> None:
    """A detail that writes a time more finely, or repeats a source version, does not contradict the list."""
    listed = {"create_time": "20260101T000000Z", "support_source_versions": ["0.9"]}
    service.add_package(product_id="pump", app_id="home", version="1", **listed)
    service.faults.add(operation="ShowOtaPackage", merge=detail)

    found = iotda_ota.get_ota_package(**LAMPS, product_id="pump", include_file_location=True)

    assert found.version == "1"
