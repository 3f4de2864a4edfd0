"""Messages through the plugin's process: arguments as in the schema, all foreign text unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest

from tests.conftest import settings_for
from tests.support.plugin_process import Plugin

if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator

METER = {"packageType": "firmwarePackage", "productId": "smart-meter"}


def reported(plugin: Plugin, **arguments: object) -> str:
    """Return the message of a lookup that fails."""
    with pytest.raises(grpc.RpcError) as caught:
        plugin.invoke("getOtaPackage", **arguments)
    return str(caught.value.details())


def test_the_words_of_the_service_stay_as_they_are(plugin: Plugin, emulator: Emulator) -> None:
    """A refusal repeats the service's text unchanged, also names of arguments and values of Python in it."""
    words = "task_name is True-ish, app_id None"
    body = {"error_code": "IOTDA.000006", "error_msg": words}
    emulator.faults.add(operation="ListOtaPackageInfo", status=400, body=body, times=None)

    text = reported(plugin, **METER)

    assert f"response     {words}" in text
    assert 'requested    packageType: "firmwarePackage", productId: "smart-meter"' in text


def test_the_keys_of_a_file_stay_as_they_are(emulator: Emulator, tmp_path: Path) -> None:
    """A message about the vendor's credentials file has the keys of that file."""
    file = tmp_path / "credentials"
    file.write_text("[basic]\nid_token_file = /nowhere\n")
    secrets = ("HW_ACCESS_KEY", "HW_SECRET_KEY")
    settings = {name: value for name, value in settings_for(emulator).items() if name not in secrets}
    environment = {**settings, "HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(file), "HOME": str(tmp_path)}
    with Plugin(environment, tmp_path) as plugin:
        text = reported(plugin.configure(), **METER)

    assert text.startswith("incomplete credentials: idp_id is missing")
    assert "id_token_file (~/credentials [basic])" in text


def test_a_value_that_is_named_like_an_argument_stays_as_it_is(plugin: Plugin) -> None:
    """A value of the user is repeated unchanged, also if it is the name of an argument."""
    text = reported(plugin, packageType="firmwarePackage", productId="app_id", version="source_versions")

    assert 'productId: "app_id", version: "source_versions"' in " ".join(text.split())


def test_a_lookup_that_finds_nothing_names_what_can_be_copied(plugin: Plugin) -> None:
    """Arguments, counts by rule and the fix are in the spelling of the schema."""
    text = reported(plugin, **METER, versionConstraint="^9", sourceVersions=["V1.3.2"], highestVersion=True)

    assert "0 match: " in text
    for part in (
        'versionConstraint: "^9"',
        'sourceVersions: ["V1.3.2"]',
        "highestVersion: true",
        "versionConstraint 1",
    ):
        assert part in " ".join(text.split())
    assert "_" not in text.replace("smart-meter", "").partition("nearest")[0].replace("https://", "")


def test_what_is_about_one_argument_has_the_spelling_of_the_schema(plugin: Plugin) -> None:
    """The failure of a property names other arguments, and their values, as the schema does."""
    (failure,) = plugin.invoke("getOtaPackage", **METER, highestVersion=True, mostRecent=True).failures

    assert failure.property == "mostRecent"
    assert failure.reason.startswith("highestVersion and mostRecent exclude each other")
