"""Lookups from the lock file: what they return, what they refuse, and that they send nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota import pulumi_compat
from pulumi_iotda_ota.lock.files import LOCK_FILE, VARIABLE, change
from tests.conftest import settings_for
from tests.support.locks import METER, NEWEST, ON, entry, lock
from tests.support.mocking import mocked, settled

if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator
    from pulumi_iotda_ota.lock.entry import Entry


def refusal(**arguments: Any) -> str:
    """Return the text, on one line, of the error that a lookup ends in."""
    with pytest.raises(iotda_ota.IotdaOtaError) as caught:
        iotda_ota.get_ota_package(**arguments)
    return " ".join(str(caught.value).split())


def test_the_name_alone_is_enough(emulator: Emulator, project: Path) -> None:
    """The result is that of the lookup, without settings, credentials or a request."""
    lock(emulator, project, "meter", **NEWEST)
    emulator.forget_requests()

    found = iotda_ota.get_ota_package(lock="meter")

    assert (found.version, found.package_type, found.created_at) == (
        "V1.4.11",
        "firmwarePackage",
        "2026-10-16T10:15:00Z",
    )
    assert found.file_location is None
    assert (found.skipped, found.skipped_counts) == ([], {})
    assert emulator.requests == []


@pytest.mark.parametrize("more", [{}, {"include_file_location": True}])
def test_the_same_answer_with_and_without(service: Emulator, project: Path, more: dict[str, Any]) -> None:
    """The fields and the id of the query are those of the lookup without a lock."""
    lock(service, project, "meter", **NEWEST)

    asked = iotda_ota.get_ota_package(**NEWEST, **more)

    assert iotda_ota.get_ota_package(lock="meter", **more).to_dict() == asked.to_dict()
    assert iotda_ota.get_ota_package(lock="meter", **NEWEST, **more).to_dict() == asked.to_dict()


def test_a_newer_upload_changes_nothing(service: Emulator, project: Path) -> None:
    """A later upload changes nothing before the lock file is updated."""
    locked = lock(service, project, "meter", **NEWEST)
    service.add_package(**METER, app_id="a", version="V1.9")

    assert iotda_ota.get_ota_package(**{**NEWEST, "allow_multiple_scopes": True}).version == "V1.9"
    assert iotda_ota.get_ota_package(lock="meter").package_id == locked.package_id


@pytest.mark.parametrize("more", [{}, {"include_file_location": True}])
def test_a_checksum_that_is_required_is_locked_too(service: Emulator, project: Path, more: dict[str, Any]) -> None:
    """A lookup that requires a checksum returns the locked file location with it, as it does without a lock."""
    lock(service, project, "meter", **NEWEST, require_checksum=True)
    service.forget_requests()

    found = iotda_ota.get_ota_package(lock="meter", **NEWEST, require_checksum=True, **more)

    assert found.file_location is not None
    assert found.file_location.obs_location is not None
    assert len(found.file_location.obs_location.sign or "") == 64
    assert service.requests == []


def test_words_that_mean_the_same_are_the_same(service: Emulator, project: Path) -> None:
    """Another order of a set, an explicit default and another form of a time are the same query."""
    words = {**NEWEST, "source_versions": ["V1.3.2", "V1.4.0"], "created_before": "2027-01-01T00:00:00Z"}
    lock(service, project, "meter", **words)

    same = {**words, "source_versions": ("V1.4.0", "V1.3.2"), "created_before": "20270101T000000Z"}
    assert iotda_ota.get_ota_package(lock="meter", **same, version_scheme="loose", allow_multiple_scopes=False)


def test_another_query_is_refused_word_by_word(emulator: Emulator, project: Path) -> None:
    """Arguments beside the name that differ from the locked ones are listed, with the command that locks them."""
    lock(emulator, project, "meter", **NEWEST)

    told = refusal(
        lock="meter",
        **METER,
        **ON,
        version_constraint=">=1.4 <2",
        preferred_versions=["V1.4.1", "V1.4.2"],
        highest_version=True,
    )

    assert told.startswith('"meter" is locked for another query requested version_constraint=">=1.4 <2", ')
    assert 'preferred_versions=["V1.4.1", "V1.4.2"] found version_constraint="^1.4", preferred_versions=None' in told
    assert "None V1.4.11, package" in told
    assert (
        "iotda-ota lock add meter --replace --package-type firmwarePackage --product-id smart-meter "
        "--version-constraint '>=1.4 <2' --preferred-version V1.4.1 --preferred-version V1.4.2 "
        "--source-version V1.3.2 --highest-version"
    ) in told


def test_a_word_that_is_missing_here_is_told(emulator: Emulator, project: Path) -> None:
    """Fewer words than are locked are another query too."""
    lock(emulator, project, "meter", **NEWEST)

    told = refusal(lock="meter", **METER, **ON, highest_version=True)

    assert 'requested version_constraint=None found version_constraint="^1.4"' in told


def test_a_name_that_is_not_locked(emulator: Emulator, project: Path) -> None:
    """The error lists the locked names, suggests one if it is similar, and has the command that locks the name."""
    lock(emulator, project, "meter-firmware", **NEWEST)

    told = refusal(lock="meter-frimware", **METER, version="V1.4.10", include_prereleases=False)

    assert told.startswith(f'"meter-frimware" is not locked in {LOCK_FILE} found meter-firmware nearest meter-firmware')
    assert str(project / LOCK_FILE) in told
    assert (
        "iotda-ota lock add meter-frimware --package-type firmwarePackage --product-id smart-meter --version V1.4.10 "
        "--no-include-prereleases"
    ) in told
    assert "fix use the name meter-firmware; or lock it, and commit the file: iotda-ota lock add" in told
    other = refusal(lock="other")
    assert "fix lock it, and commit the file: iotda-ota lock add other --package-type …" in other


def test_no_lock_file(project: Path) -> None:
    """Without a file the error names its path, and how to create it."""
    told = refusal(lock="meter", **METER)

    assert told.startswith(f'"meter" is not locked: there is no {LOCK_FILE} file {project / LOCK_FILE}')
    assert "iotda-ota lock add meter --package-type firmwarePackage --product-id smart-meter" in told


def test_a_file_for_an_environment(
    emulator: Emulator, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment names the file, so that each environment can have a separate one."""
    (tmp_path / "locks").mkdir()
    lock(emulator, tmp_path / "locks", "meter", **NEWEST)
    (tmp_path / "locks" / LOCK_FILE).rename(tmp_path / "locks" / "prod.json")
    monkeypatch.setenv(VARIABLE, "locks/prod.json")

    assert iotda_ota.get_ota_package(lock="meter").version == "V1.4.11"
    assert "is not locked in prod.json" in refusal(lock="other")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"project_id": "other"}, 'requested project_id="other" found project_id='),
        (
            {"region": "eu-west-101", "endpoint": "https://iotda.eu-west-101.myhuaweicloud.eu"},
            'requested region="eu-west-101", ',
        ),
        ({"endpoint": "https://x.iotda-app.cn-north-4.myhuaweicloud.com"}, 'endpoint="https://x.iotda-app.cn-north-4'),
        ({"endpoint": "http://127.0.0.1:1", "instance_id": "i1"}, 'requested instance_id="i1" found instance_id=None'),
    ],
)
def test_another_place_is_refused(emulator: Emulator, project: Path, settings: dict[str, Any], expected: str) -> None:
    """A program that is configured for another place is refused without a request: both are named."""
    lock(emulator, project, "meter", **NEWEST)
    emulator.forget_requests()

    text = refusal(lock="meter", connection=iotda_ota.Connection(**settings))

    assert text.startswith('"meter" is locked for another endpoint, project or instance requested')
    assert expected in text
    assert VARIABLE in text
    assert emulator.requests == []


def test_what_is_not_known_of_the_place_is_no_difference(
    emulator: Emulator, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings that are there must agree; a profile that is not on this machine, and what is not set, says nothing."""
    lock(emulator, project, "meter", **NEWEST)
    monkeypatch.setenv("HOME", str(project))
    monkeypatch.setenv("HW_PROJECT_ID", emulator.project_id)

    assert iotda_ota.get_ota_package(lock="meter", connection=iotda_ota.Connection(profile="ci"))


def test_locked_for_an_instance_and_none_is_configured(project: Path) -> None:
    """An endpoint without an instance is another place than an instance of it."""
    url = "https://iotda.cn-north-4.myhuaweicloud.com"
    place = {"region": "cn-north-4", "endpoint": url, "project_id": "p1", "instance_id": "i1"}
    change(project / LOCK_FILE, lambda _: {"meter": entry("meter", place=place)})

    text = refusal(lock="meter", connection=iotda_ota.Connection(endpoint=url, project_id="p1"))

    assert text.startswith('"meter" is locked for another endpoint, project or instance')
    assert 'found instance_id="i1"' in text


def test_an_instance_that_no_setting_names_is_no_difference(project: Path) -> None:
    """Without any setting, an entry that is locked for an instance is found."""
    place = {"region": "cn-north-4", "project_id": "p1", "instance_id": "i1"}
    change(project / LOCK_FILE, lambda _: {"meter": entry("meter", place=place)})

    assert iotda_ota.get_ota_package(lock="meter").version == "V1"


def test_locked_without_a_region(project: Path) -> None:
    """An entry without a region, of an endpoint whose region was not known, is found with any region."""
    place = {"endpoint": "https://iotda.example.com", "project_id": "p1"}
    change(project / LOCK_FILE, lambda _: {"meter": entry("meter", place=place)})

    connection = iotda_ota.Connection(endpoint="https://iotda.example.com", project_id="p1", region="cn-north-4")
    assert iotda_ota.get_ota_package(lock="meter", connection=connection).version == "V1"


def test_any_emulator_is_the_same_place(emulator: Emulator, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The port of this machine is no place: a program reads what another emulator locked."""
    lock(emulator, project, "meter", **NEWEST)
    for name, value in {**settings_for(emulator), "HW_IOTDA_ENDPOINT": "http://localhost:1"}.items():
        monkeypatch.setenv(name, value)

    assert iotda_ota.get_ota_package(lock="meter").version == "V1.4.11"


def test_verify_asks_once(service: Emulator, project: Path) -> None:
    """With verify, one detail request checks that the package exists, unchanged."""
    lock(service, project, "meter", **NEWEST)
    service.forget_requests()

    assert iotda_ota.get_ota_package(lock="meter", verify=True).version == "V1.4.11"
    assert [request.operation for request in service.requests] == ["ShowOtaPackage"]


def test_verify_finds_a_package_that_is_gone(service: Emulator, project: Path) -> None:
    """A locked package that was deleted is an error with verify, and the result without."""
    locked = lock(service, project, "meter", **NEWEST)
    service.delete_package(locked.package_id)

    with pytest.raises(
        iotda_ota.PackageNotFound, match=f"the locked package {locked.package_id} does not exist"
    ) as caught:
        iotda_ota.get_ota_package(lock="meter", verify=True)

    assert "iotda-ota lock update meter" in str(caught.value)
    assert iotda_ota.get_ota_package(lock="meter").package_id == locked.package_id


@pytest.mark.parametrize("error", ["denied", "invalid", "method_absent"])
def test_verify_takes_a_refusal_for_no_deletion(service: Emulator, project: Path, error: str) -> None:
    """Only "not found" of the service itself means that the locked package is gone. Any other refusal is the error."""
    lock(service, project, "meter", **NEWEST)
    service.faults.add(operation="ShowOtaPackage", error=error)

    told = refusal(lock="meter", verify=True)

    assert told.startswith("Huawei Cloud refused to read an OTA package")
    assert "is gone" not in told


def test_verify_finds_another_checksum(service: Emulator, project: Path) -> None:
    """A package whose file or fields are not those that were reviewed is an error that names what differs."""
    locked = lock(service, project, "meter", **NEWEST)
    signed = {"obs_location": {**locked.package["file_location"]["obs_location"], "sign": "ab" * 32}}
    package = {**locked.package, "file_location": signed, "description": "other", "product_name": "renamed since"}
    change(project / LOCK_FILE, lambda there: {"meter": replace(there["meter"], package=package)})

    told = refusal(lock="meter", verify=True)

    assert told.startswith('"meter" is locked, and its package has changed since found')
    assert f'sign "{"ab" * 32}"' in told
    assert 'locked "other"' in told
    assert "renamed since" not in told


def test_verify_in_another_place_is_no_gone(service: Emulator, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If only IAM knows the project, verify reports another project, not a deleted package."""
    place = {"region": service.region, "endpoint": "http://localhost", "project_id": "another"}
    change(project / LOCK_FILE, lambda _: {"meter": entry("meter", place=place)})
    monkeypatch.delenv("HW_PROJECT_ID")
    monkeypatch.setenv("HW_AUTH_URL", service.endpoint)
    service.forget_requests()

    told = refusal(lock="meter", verify=True)

    assert told.startswith('"meter" is locked for another endpoint, project or instance')
    assert f'requested project_id="{service.project_id}" found project_id="another"' in told
    assert "ShowOtaPackage" not in [request.operation for request in service.requests]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({**METER, "version_constraint": "^2", "highest_version": True}, "version_constraint: outside ^2"),
        ({**METER, "product_id": "gateway", "highest_version": True}, "product_id: product smart-meter"),
        ({**METER, "created_before": "2020-01-01T00:00:00Z"}, "created_before: uploaded 2026-10-16"),
        ({**METER, "source_versions": ["V0.1"], "allow_downgrade": True}, "source_versions: supports only V1."),
        ({"package_id": "another"}, 'package_id="another" is requested'),
        ({**METER, "version_constraint": ">>"}, "version_constraint"),
    ],
)
def test_an_entry_that_was_put_together_is_refused(
    emulator: Emulator, project: Path, selection: dict[str, Any], expected: str
) -> None:
    """Words of one side of a merge over the package of the other, or edited by hand, give no package they exclude."""
    lock(emulator, project, "meter", **NEWEST)
    change(project / LOCK_FILE, lambda there: {"meter": replace(there["meter"], selection=selection)})

    text = refusal(lock="meter")

    assert text.startswith('"meter" is locked with a package that does not match its own query')
    assert expected in text
    assert "iotda-ota lock update meter" in text


def test_a_checksum_that_was_taken_out_is_refused(service: Emulator, project: Path) -> None:
    """A lookup that requires a checksum refuses a package that is locked without one."""
    lock(service, project, "meter", **NEWEST, require_checksum=True)

    def unsigned(there: dict[str, Entry]) -> dict[str, Entry]:
        package = {name: value for name, value in there["meter"].package.items() if name != "file_location"}
        return {"meter": replace(there["meter"], package=package)}

    change(project / LOCK_FILE, unsigned)

    assert "require_checksum=True: there is no SHA-256 checksum" in refusal(lock="meter")


def test_words_that_somebody_wrote_into_the_file_count_as_everywhere(service: Emulator, project: Path) -> None:
    """Explicit defaults and another order of a set in the file are the same query."""
    lock(service, project, "meter", **METER, source_versions=["V1.3.1", "V1.3.2"], highest_version=True)

    def edited(there: dict[str, Entry]) -> dict[str, Entry]:
        asked = {**there["meter"].selection, "source_versions": ["V1.3.2", "V1.3.1"], "version_scheme": "loose"}
        return {"meter": replace(there["meter"], selection=asked)}

    change(project / LOCK_FILE, edited)

    same = iotda_ota.get_ota_package(lock="meter", **METER, source_versions=["V1.3.1", "V1.3.2"], highest_version=True)
    assert same.version == "V1.4.11"


def test_verify_without_a_lock(service: Emulator, project: Path) -> None:
    """Verify without a lock is an error, because every other lookup queries the service."""
    assert "verify=True needs lock" in refusal(**METER, version="V1.4.10", verify=True)
    assert service.requests == []


@pytest.mark.parametrize("name", ["", "format", "-x", "a b", "x" * 65, 3])
def test_a_name_that_is_none(project: Path, name: Any) -> None:
    """A name that is not allowed is refused before any file is read."""
    assert "lock must be" in refusal(lock=name)


def test_a_damaged_file_is_told(project: Path) -> None:
    """What is wrong with the file ends the program in one clear error."""
    (project / LOCK_FILE).write_text("{")

    assert refusal(lock="meter").startswith("the lock file is damaged file")


def test_lists_have_no_lock(project: Path) -> None:
    """A list cannot be locked."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'lock'"):
        iotda_ota.get_ota_packages(package_type="firmwarePackage", lock="meter")  # type: ignore[call-arg]


def test_mocks_are_asked_for_it(project: Path) -> None:
    """Under Pulumi's mocks the name goes to the test, as every other argument."""
    mocks = mocked({"packageId": "p1", "version": "V1"})
    try:
        found = iotda_ota.get_ota_package(lock="meter", verify=True)
        output = iotda_ota.get_ota_package_output(lock=pulumi.Output.secret("meter"))

        assert (found.package_id, settled(output)[1:]) == ("p1", (True, True))
        assert [arguments["lock"] for _, arguments in mocks.asked] == ["meter", "meter"]
    finally:
        pulumi_compat.leave_program()  # for later tests of this process


def test_many_entries_are_read_in_no_time_worth_naming(project: Path) -> None:
    """Every name of a file with a thousand names is found."""
    change(project / LOCK_FILE, lambda _: {f"n{number}": entry(f"n{number}") for number in range(1_000)})

    assert iotda_ota.get_ota_package(lock="n999").package_id == "n999-V1"
