"""Functions through the plugin's process."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from tests.conftest import settings_for
from tests.support.plugin_process import UNKNOWN, Plugin, plain, secret

if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator

METER = {"packageType": "firmwarePackage", "productId": "smart-meter"}
NEWEST = {**METER, "versionConstraint": "^1.4", "highestVersion": True}


def test_the_package_that_fits(plugin: Plugin) -> None:
    """A function returns the package in camelCase names, and the packages that were skipped."""
    found = plugin.answer("getOtaPackage", **NEWEST, includeFileLocation=True)

    assert (found["found"], found["version"], len(found["packageId"])) == (True, "V1.4.11", 32)
    assert found["createdAt"] == "2026-10-16T10:15:00Z"
    assert set(found["fileLocation"]["obsLocation"]) >= {"bucketName", "objectKey", "regionName"}
    assert {"packageId", "version", "rule", "reason"} == set(found["skipped"][0])
    assert found["skippedCounts"]["versionConstraint"] > 0
    assert "versionConstraint" in {skipped["rule"] for skipped in found["skipped"]}


def test_nothing_fits_and_that_is_allowed(plugin: Plugin) -> None:
    """If no package matches and `onMissing` is `none`, the result has only `found`."""
    assert plugin.answer("getOtaPackage", **METER, version="9", onMissing="none") == {"found": False}


def test_a_list(plugin: Plugin) -> None:
    """A list has its packages, and ends at `maxItems`."""
    listed = plugin.answer("getOtaPackages", **METER, orderBy="version", maxItems=2)

    assert (len(listed["packages"]), listed["truncated"]) == (2, True)
    assert listed["packages"][0]["packageId"]


def test_nothing_fits_is_one_message(plugin: Plugin) -> None:
    """A lookup that finds nothing ends with the message of the library, in the names of the plugin."""
    with pytest.raises(grpc.RpcError) as caught:
        plugin.invoke("getOtaPackage", **METER, version="V1.4.99", sourceVersions=["V1.3.2"])

    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    reported = caught.value.details()
    assert reported.startswith('no OTA package matches\n  requested    packageType: "firmwarePackage"')
    assert "nearest" in reported
    assert "File " not in reported


def test_a_wrong_argument_is_told_with_its_property(plugin: Plugin, emulator: Emulator) -> None:
    """What is wrong with an argument is a failure of the property that the schema has, and nothing is sent."""
    (failure,) = plugin.invoke("getOtaPackage", packageType="firmware", productId="x").failures

    assert failure.property == "packageType"
    assert "did you mean firmwarePackage?" in failure.reason
    assert emulator.requests == []


def test_several_arguments_that_do_not_go_together(plugin: Plugin) -> None:
    """Messages name arguments as the plugin does."""
    (failure,) = plugin.invoke("getOtaPackage", packageId="p", highestVersion=True).failures

    assert failure.property == "packageId"
    assert failure.reason == "packageId excludes all other selection arguments, but highestVersion is set"


def test_an_argument_that_there_is_not(plugin: Plugin, emulator: Emulator) -> None:
    """An argument that there is not is refused with the one that was meant."""
    (failure,) = plugin.invoke("getOtaPackage", **METER, versionConstrain="^1").failures

    assert failure.reason == "there is no argument versionConstrain (did you mean versionConstraint?)"
    assert emulator.requests == []


def test_a_function_that_there_is_not(plugin: Plugin) -> None:
    """A token that there is not is one message."""
    with pytest.raises(grpc.RpcError, match="iotda-ota has no function iotda-ota:index:getThing"):
        plugin.invoke("getThing")


def test_what_is_not_known_sends_nothing(plugin: Plugin, emulator: Emulator) -> None:
    """If an argument is unknown, there is no result, and nothing is sent."""
    assert plugin.answer("getOtaPackage", **METER, version=UNKNOWN) == {}
    assert plugin.answer("getOtaPackage", **METER, sourceVersions=[UNKNOWN]) == {}
    assert emulator.requests == []


def test_a_secret_makes_the_answer_secret(plugin: Plugin) -> None:
    """If an argument is a secret, each field of the result is a secret. Nothing else is."""
    answered = plugin.invoke("getOtaPackage", **{**NEWEST, "versionConstraint": secret("^1.4")})

    found = plain(getattr(answered, "return"))
    assert found["version"] == secret("V1.4.11")
    assert all(set(value) == set(secret("")) for value in found.values())


@pytest.mark.parametrize("arguments", [{"version": secret("V6.6.6")}, {"versionConstraint": secret("<<6.6.6")}])
def test_a_secret_is_not_in_a_message(plugin: Plugin, arguments: dict[str, Any]) -> None:
    """A message repeats no secret."""
    try:
        reported = str(plugin.invoke("getOtaPackage", **METER, **arguments).failures)
    except grpc.RpcError as error:
        reported = str(error)

    assert "6.6.6" not in reported
    assert "***" in reported


def test_calls_are_answered_side_by_side(plugin: Plugin, emulator: Emulator) -> None:
    """Calls run at the same time: six lookups reach the service before the first response."""
    plugin.answer("getOtaPackage", **NEWEST)
    together = threading.Barrier(6, timeout=30)
    emulator.faults.add(operation="ListOtaPackageInfo", times=6, before=together.wait)

    with ThreadPoolExecutor(6) as pool:
        versions = [f"V1.4.{number}" for number in range(4, 10)]
        calls = [pool.submit(plugin.answer, "getOtaPackage", **METER, version=version) for version in versions]
        assert [call.result()["version"] for call in calls] == versions


def test_equal_lookups_are_one_walk(plugin: Plugin, emulator: Emulator) -> None:
    """Equal lookups of one run are sent once, also at the same time."""
    plugin.answer("getOtaPackage", **NEWEST)
    one = len(emulator.requests)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: plugin.answer("getOtaPackage", **NEWEST), range(20)))

    assert len({json.dumps(answer, sort_keys=True) for answer in answers}) == 1
    assert len(emulator.requests) == one


def test_the_memo_can_be_turned_off(emulator: Emulator, tmp_path: Path) -> None:
    """`PULUMI_IOTDA_OTA_NO_MEMO=1` sends each lookup."""
    with Plugin({**settings_for(emulator), "PULUMI_IOTDA_OTA_NO_MEMO": "1"}, tmp_path) as plugin:
        plugin.configure()
        for _ in range(2):
            plugin.answer("getOtaPackage", **METER, version="V1.4.10")

    assert len(emulator.requests) == 2


def test_a_user_of_the_provider_s_configuration(emulator: Emulator, tmp_path: Path) -> None:
    """A provider's user and password are exchanged for a token once, and the project is found with it."""
    accounts = emulator.accounts
    config = {"endpoint": emulator.endpoint, "iamEndpoint": f"{emulator.endpoint}/v3", "region": emulator.region}
    config |= {"userName": accounts.user_name, "domainName": accounts.domain_name}

    with Plugin({}, tmp_path) as plugin:
        plugin.configure(**config, password=secret(accounts.password))
        with ThreadPoolExecutor(10) as pool:
            found = list(pool.map(lambda _: plugin.answer("getOtaPackage", **NEWEST), range(10)))
        _, out, err = plugin.stop()

    assert {package["version"] for package in found} == {"V1.4.11"}
    operations = [request.operation for request in emulator.requests]
    assert operations.count("KeystoneCreateUserTokenByPassword") == 1
    assert accounts.password not in f"{out}{err}"
    assert [token for token in emulator.tokens if token in f"{out}{err}"] == []
