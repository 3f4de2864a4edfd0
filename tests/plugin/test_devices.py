"""Device versions through the process of the plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota.iotda.errors import ServiceError
from pulumi_iotda_ota.message_rendering import PLUGIN
from tests.support.golden_table import snake_keys

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator
    from tests.support.plugin_process import Plugin

CANARY = {"packageType": "firmwarePackage", "groupIds": ["canary"]}


def test_the_plugin_returns_what_the_function_returns(plugin: Plugin, service: Emulator) -> None:
    """The plugin returns the result of the function, in camelCase names."""
    found = snake_keys(plugin.answer("getDeviceVersions", packageType="firmwarePackage", productId="smart-meter"))
    same = iotda_ota.get_device_versions(package_type="firmwarePackage", product_id="smart-meter")

    assert found == same.to_dict()
    assert (same.total, same.unknown, same.versions[0].devices) == (40, 0, 12)
    assert service
    assert plugin.answer("getDeviceVersions", **CANARY)["versions"] == [{"version": "V1.4.9", "devices": 4}]


def test_errors_of_the_plugin(plugin: Plugin, service: Emulator) -> None:
    """A wrong argument is a failure of its property. A missing group is the message of the function."""
    (failure,) = plugin.invoke("getDeviceVersions", **CANARY, productId="smart-meter").failures
    assert (failure.property, failure.reason) == ("groupIds", "set exactly one of groupIds, productId and deviceIds")
    assert service.requests == []
    with pytest.raises(ServiceError) as caught:
        iotda_ota.get_device_versions(package_type="firmwarePackage", group_ids=["no-such-group"])
    with pytest.raises(grpc.RpcError) as refused:
        plugin.invoke("getDeviceVersions", packageType="firmwarePackage", groupIds=["no-such-group"])
    assert refused.value.details() == caught.value.rendered(PLUGIN)
