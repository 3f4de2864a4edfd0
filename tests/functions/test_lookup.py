"""The plain functions against a real socket: what they find, and what they say when they do not."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import pulumi_iotda_ota as iotda_ota
from tests.support.lamps import LAMP, METER, upload

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator


def lists(emulator: Emulator) -> int:
    """Return the number of requested pages."""
    return sum(1 for request in emulator.requests if request.path.endswith("/ota-upgrades/packages"))


def test_exact_lookup_costs_one_request(service: Emulator) -> None:
    """An exact version of a product is found with one request, filtered by the service."""
    found = iotda_ota.get_ota_package(**METER, version="V1.4.10")

    assert (found.version, found.product_id) == ("V1.4.10", "smart-meter")
    assert found.created_at == "2026-10-02T09:00:00Z"
    assert len(service.requests) == 1
    assert service.requests[0].query["version"] == "V1.4.10"


def test_list_goes_over_all_pages(service: Emulator) -> None:
    """A list has every package that matches, over all pages."""
    found = iotda_ota.get_ota_packages(package_type="softwarePackage")

    wanted = [package["package_id"] for package in service.packages if package["package_type"] == "softwarePackage"]
    assert len(wanted) > 500
    assert sorted(package.package_id for package in found.packages) == sorted(wanted)
    assert not found.truncated


def test_list_is_cut_where_it_is_asked_to_be(service: Emulator) -> None:
    """max_items cuts the list and says so."""
    found = iotda_ota.get_ota_packages(**METER, order_by="create_time", max_items=2)

    times = [package.create_time for package in found.packages]
    assert times == sorted(times, reverse=True)
    assert (len(times), found.truncated) == (2, True)


# After two used pages, two are requested at once. The second of them may be one too many.
@pytest.mark.parametrize(("most", "requests"), [(1, 1), (49, 1), (50, 2), (120, 4)])
def test_a_cut_list_is_read_no_further_than_it_must_be(service: Emulator, most: int, requests: int) -> None:
    """max_items in the service's order stops with the first package that it leaves out, which says that it is cut."""
    found = iotda_ota.get_ota_packages(package_type="softwarePackage", max_items=most)

    assert lists(service) <= requests
    assert found.truncated
    every = iotda_ota.get_ota_packages(package_type="softwarePackage").packages
    assert found.packages == every[:most]


def test_a_cut_list_counts_what_it_looked_at(service: Emulator) -> None:
    """A limited list reports the skipped packages before its end, on whichever pages they are."""
    rule: dict[str, Any] = {"package_type": "softwarePackage", "version_regex": ".*0"}
    whole = iotda_ota.get_ota_packages(**rule)
    cut = iotda_ota.get_ota_packages(**rule, max_items=3)

    assert cut.packages == whole.packages[:3]
    assert cut.skipped == whole.skipped[: len(cut.skipped)]
    assert sum(cut.skipped_counts.values()) == len(cut.skipped) < len(whole.skipped)


def test_a_list_that_max_items_does_not_cut_is_whole(service: Emulator) -> None:
    """As many as fit are not too many."""
    number = len(iotda_ota.get_ota_packages(**METER).packages)

    found = iotda_ota.get_ota_packages(**METER, max_items=number)
    assert (len(found.packages), found.truncated) == (number, False)


@pytest.mark.parametrize("word", [{"order_by": "version"}, {"preferred_versions": ["1.0"]}, {"strict_versions": True}])
def test_what_needs_all_packages_reads_all(service: Emulator, word: dict[str, Any]) -> None:
    """An order, a preference and a strict reading are of the whole list, however few are wanted."""
    rule: dict[str, Any] = {"package_type": "softwarePackage", "version_constraint": "*", **word}
    whole, cut = (iotda_ota.get_ota_packages(**rule, max_items=most) for most in (None, 3))

    assert cut.packages == whole.packages[:3]
    assert cut.skipped_counts == whole.skipped_counts


def test_newest_upload(service: Emulator) -> None:
    """most_recent takes the newest upload, which need not be the highest version."""
    found = iotda_ota.get_ota_package(**METER, most_recent=True)

    assert found.version == "V1.3.5"
    assert sum(found.skipped_counts.values()) == len(iotda_ota.get_ota_packages(**METER).packages) - 1
    assert found.skipped_counts == {"include_prereleases": 1, "most_recent": 39}


def test_ties_go_to_the_newest_record(service: Emulator) -> None:
    """Packages with one version and time keep the service's order: newest record first."""
    uploaded = [service.add_package(**METER, version="V7", create_time="20261101T000000Z") for _ in range(3)]

    choices: tuple[dict[str, Any], ...] = ({"highest_version": True}, {"most_recent": True})
    for choice in choices:
        found = iotda_ota.get_ota_package(**METER, version="V7", **choice)
        assert found.package_id == uploaded[-1]
        assert {one.reason for one in found.skipped} == {f"ties with package {uploaded[-1]}, an older record"}


def test_one_way_to_choose(service: Emulator) -> None:
    """highest_version and most_recent exclude each other: both are an error, and nothing is sent."""
    with pytest.raises(iotda_ota.InputError, match="highest_version and most_recent exclude each other"):
        iotda_ota.get_ota_package(**METER, highest_version=True, most_recent=True)
    assert service.requests == []


def test_module_is_matched_by_us(service: Emulator) -> None:
    """module_name selects among the packages of a product; the service has no such filter."""
    valve: dict[str, Any] = {"package_type": "modulePackage", "product_id": "water-valve"}

    service.add_package(**valve, app_id="water", module_name="valve-radio", version="2.0")

    found = iotda_ota.get_ota_packages(**valve, module_name="valve-radio")

    assert found.packages
    assert {package.module_name for package in found.packages} == {"valve-radio"}
    assert set(found.skipped_counts) == {"module_name"}
    assert "module_name" not in service.requests[0].query


def test_a_looser_service_can_not_widen_the_answer(service: Emulator) -> None:
    """What the service filters is checked again on arrival."""
    other = next(package for package in service.packages if package["version"] == "V1.4.9")
    page = {"packages": [other], "page": {"count": 1, "marker": "0" * 24}}
    service.faults.add(operation="ListOtaPackageInfo", body=page)

    with pytest.raises(iotda_ota.PackageNotFound, match="0 match: version 1"):
        iotda_ota.get_ota_package(**METER, version="V1.4.10")


def test_by_id(service: Emulator) -> None:
    """package_id fetches that package, with its file location if that is requested."""
    wanted = iotda_ota.get_ota_package(**METER, version="V1.4.10")

    bare = iotda_ota.get_ota_package(package_id=wanted.package_id)
    whole = iotda_ota.get_ota_package(package_id=wanted.package_id, include_file_location=True)

    assert bare.package_id == whole.package_id == wanted.package_id
    assert bare.file_location is None
    assert whole.file_location is not None
    assert whole.file_location.obs_location is not None
    assert len(whole.file_location.obs_location.sign or "") == 64


def test_file_location_costs_one_more_request(service: Emulator) -> None:
    """include_file_location requests the details of the chosen package only."""
    found = iotda_ota.get_ota_package(**METER, version="V1.4.10", include_file_location=True)

    assert found.file_location is not None
    assert len(service.requests) == 2


def test_connection_argument_wins(service: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is given in `connection` is used before the environment."""
    monkeypatch.setenv("HW_SECRET_KEY", "wrong")
    monkeypatch.setenv("HW_ACCESS_KEY", "wrong")
    connection = iotda_ota.Connection(access_key=service.access_key, secret_key=service.secret_key)

    assert iotda_ota.get_ota_package(**METER, version="V1.4.10", connection=connection).version == "V1.4.10"


def test_ids_are_the_same_at_every_run(service: Emulator) -> None:
    """The id of a result is made from the query: the same in another process, another for another query."""
    code = (
        "import pulumi_iotda_ota as o; print(o.get_ota_package(package_type='firmwarePackage', "
        "product_id='smart-meter', version='V1.4.10').id)"
    )
    other = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()

    assert iotda_ota.get_ota_package(**METER, version="V1.4.10").id == other
    assert iotda_ota.get_ota_package(**METER, version="V1.4.9").id != other
    assert iotda_ota.get_ota_packages(**METER, version="V1.4.10").id != other


def test_result_is_a_read_only_mapping(service: Emulator) -> None:
    """A result reads as attributes and as a mapping, and cannot be changed."""
    found = iotda_ota.get_ota_package(**METER, version="V1.4.10")

    assert found["package_id"] == found.package_id
    assert "skipped" not in found
    assert "module_name" not in found
    assert found.module_name is None
    assert found.to_dict() == dict(found)
    with pytest.raises(AttributeError):
        setattr(found, "version", "V2")  # noqa: B010  a type checker refuses the plain form


def test_one_deadline_bounds_the_whole_lookup(service: Emulator) -> None:
    """Pages and details share one deadline: each within it, together beyond it, is too long."""
    service.faults.add(operation="ListOtaPackageInfo", delay=1.5)
    service.faults.add(operation="ShowOtaPackage", delay=1.5)
    connection = iotda_ota.Connection(deadline=2)

    with pytest.raises(iotda_ota.DeadlineExceeded, match="deadline of 2 s"):
        iotda_ota.get_ota_package(**METER, version="V1.4.10", include_file_location=True, connection=connection)


def shown(emulator: Emulator) -> list[str]:
    """Return the ids of the packages whose details were requested."""
    return [request.path.rpartition("/")[2] for request in emulator.requests if request.operation == "ShowOtaPackage"]


def test_checksums_are_asked_for_last_and_no_further_than_needed(service: Emulator) -> None:
    """Details are requested in order until one has a checksum, and never for skipped or later packages."""
    upload(service, "1.0", signed=True)
    signed = upload(service, "1.1", signed=True)
    unsigned = upload(service, "1.2", signed=False)
    upload(service, "1.3-rc1", signed=True)
    upload(service, "2.0", signed=True)

    found = iotda_ota.get_ota_package(**LAMP, version_constraint="^1", require_checksum=True, highest_version=True)

    assert found.version == "1.1"
    assert found.file_location is not None
    assert shown(service) == [unsigned, signed]
    assert found.skipped_counts == {
        "version_constraint": 1,
        "include_prereleases": 1,
        "require_checksum": 1,
        "highest_version": 1,
    }


def test_at_most_fifty_checksums_are_asked_for(service: Emulator) -> None:
    """The details of at most 50 candidates are requested. If that is not enough, the lookup fails."""
    upload(service, "0.1", signed=True)
    for number in range(49):
        upload(service, f"1.{number}", signed=False)
    asked = {**LAMP, "require_checksum": True, "highest_version": True}

    assert iotda_ota.get_ota_package(**asked).version == "0.1"
    assert len(shown(service)) == 50
    upload(service, "1.49", signed=False)
    service.forget_requests()
    with pytest.raises(iotda_ota.IotdaOtaError, match="would read the details of more than 50 packages"):
        iotda_ota.get_ota_package(**asked)
    assert len(shown(service)) == 50


def test_a_candidate_that_is_deleted_meanwhile_is_passed_over(service: Emulator) -> None:
    """A package that was deleted before its details are requested is skipped with that reason."""
    upload(service, "1.0", signed=True)
    gone = upload(service, "1.1", signed=True)
    service.faults.add(operation="ShowOtaPackage", before=lambda: service.delete_package(gone) and None)

    found = iotda_ota.get_ota_package(**LAMP, require_checksum=True, highest_version=True)

    assert found.version == "1.0"
    assert [one.reason for one in found.skipped] == ["deleted since it was listed"]


def test_a_query_has_one_id_however_it_is_written(service: Emulator) -> None:
    """The order of source versions says nothing; that of preferred versions does, so a set is refused."""
    upload(service, "1.2", signed=False)
    ids = {
        iotda_ota.get_ota_package(**LAMP, source_versions=sources).id
        for sources in (["1.0", "1.1"], ["1.1", "1.0"], ("1.0", "1.1"))
    }

    no_order: Any = {"1.0", "1.1"}

    assert len(ids) == 1
    with pytest.raises(iotda_ota.InputError, match="preferred_versions must be a list, because a set has no order"):
        iotda_ota.get_ota_package(**LAMP, preferred_versions=no_order)


@pytest.mark.parametrize("connection", [{"region": "cn-north-4"}, "cn-north-4", 1])
def test_a_connection_is_a_connection(service: Emulator, connection: Any) -> None:
    """Anything else than a Connection is refused before a request is sent."""
    with pytest.raises(iotda_ota.InputError, match=r"connection must be an iotda_ota.Connection"):
        iotda_ota.get_ota_package(**METER, version="V1.4.10", connection=connection)
    assert service.requests == []


def test_output_form_outside_a_program(service: Emulator) -> None:
    """Outside a program the output form says which form works there."""
    with pytest.raises(iotda_ota.InputError, match="works in a Pulumi program only"):
        iotda_ota.get_ota_package_output(**METER, version="V1.4.10")


def test_a_preference_is_no_choice_among_products(service: Emulator) -> None:
    """preferred_versions choose as highest_version does: not among packages of several products."""
    for product, version in (("x", "1.0"), ("y", "2.0")):
        service.add_package(package_type="softwarePackage", product_id=product, app_id="lab", version=version)
    asked: dict[str, Any] = {"package_type": "softwarePackage", "app_id": "lab", "preferred_versions": ["1.0"]}

    with pytest.raises(iotda_ota.MultiplePackages, match="set product_id"):
        iotda_ota.get_ota_package(**asked)
    assert iotda_ota.get_ota_package(**asked, allow_multiple_scopes=True).version == "1.0"
