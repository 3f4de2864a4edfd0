"""Which addresses are endpoints."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest

from pulumi_iotda_ota.iotda.auth.endpoint import (
    IAM_REGIONS,
    REGIONS,
    display_address,
    iam_endpoint,
    near_region,
    read_endpoint,
    shared_endpoint,
)
from pulumi_iotda_ota.iotda.errors import ConfigurationError
from pulumi_iotda_ota.iotda.http.hints import hint_on_no_address
from pulumi_iotda_ota.iotda.references import render
from tests.support.fault_helpers import CONNECTION


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://iotda.cn-north-4.myhuaweicloud.com", "https://iotda.cn-north-4.myhuaweicloud.com"),
        ("https://iotda.cn-north-4.myhuaweicloud.com/", "https://iotda.cn-north-4.myhuaweicloud.com"),
        (" IOTDA.cn-north-4.myhuaweicloud.com ", "https://iotda.cn-north-4.myhuaweicloud.com"),
        ("https://host.example:443", "https://host.example"),
        ("host.example:8443", "https://host.example:8443"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://10.0.0.7", "https://10.0.0.7"),
    ],
)
def test_small_things_are_put_right(text: str, url: str) -> None:
    """A missing https://, a slash at the end, capitals and the usual port make no difference."""
    assert read_endpoint(text).url == url


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("http://iotda.cn-north-4.myhuaweicloud.com", "plain http is for this machine only"),
        ("http://127.0.0.1.example.com", "plain http is for this machine only"),
        ("http://localhost.example.com", "plain http is for this machine only"),
        ("ftp://host", "must begin with https://"),
        ("file:///etc/passwd", "must begin with https://"),
        ("https://user:hunter22@host", "must not have a user or a password"),
        ("https://@host", "must not have a user or a password"),
        ("https://host/v5/iot", "must be a host"),
        ("https://host?x=1", "must be a host"),
        ("https://host#x", "must be a host"),
        ("https://", "has no valid host name"),
        ("https://ho st", "has no valid host name"),
        ("https://host..example", "has no valid host name"),
        ("https://-host", "has no valid host name"),
        ("https://h\u00f6st", "has no valid host name"),
        ("https://host:99999", "is not a valid address"),
        ("https://host:port", "is not a valid address"),
        ("https://[::1", "is not a valid address"),
    ],
)
def test_what_is_no_endpoint_is_refused(text: str, problem: str) -> None:
    """Everything but a host that speaks HTTPS is refused, and a password in it is not repeated."""
    with pytest.raises(ConfigurationError) as caught:
        read_endpoint(text)

    assert problem in caught.value.headline
    assert caught.value.setting == "endpoint"
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "region", "instance"),
    [
        ("iotda.cn-north-4.myhuaweicloud.com", "cn-north-4", False),
        ("a1b2c3.st1.iotda-app.ap-southeast-1.myhuaweicloud.com", "ap-southeast-1", True),
        ("1a2b3c.iotda-app.eu-west-101.myhuaweicloud.eu", "eu-west-101", True),
        ("iotda.example.com", "", False),
        ("my-iotda-app.example.com", "", False),
        ("127.0.0.1", "", False),
    ],
)
def test_what_a_host_tells(host: str, region: str, instance: bool) -> None:
    """Region and edition are read from the labels of the host."""
    endpoint = read_endpoint(host)

    assert endpoint.region == region
    assert endpoint.is_instance is instance


def test_the_shared_endpoint_names_its_region() -> None:
    """The shared endpoint of a region is an endpoint of that region."""
    assert read_endpoint(shared_endpoint("cn-east-3")).region == "cn-east-3"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://host:1/path", '"http://host:1/path"'),
        ("https://me:hunter22@host", '"****@host"'),
        ("https://me:hun/ter22@host?token=hunter22", '"****@host"'),
        ("https://host?token=hunter22", '"https://host"'),
        ("https://host#hunter22", '"https://host"'),
        ("https://h\u202eost", '"https://h\\u202eost"'),
    ],
)
def test_an_address_is_shown_without_its_secrets(address: str, shown: str) -> None:
    """User, password, query and fragment of an address are not shown, and what is shown is escaped."""
    assert display_address(address) == shown


@pytest.mark.parametrize("label", ["iotda-device", "iotda-coaps", "iotda-mqtts"])
def test_the_address_of_devices_is_refused(label: str) -> None:
    """The address that devices connect to is no endpoint of the API; the error has the one that belongs to it."""
    with pytest.raises(ConfigurationError) as caught:
        read_endpoint(f"https://a1b2c3.st1.{label}.cn-north-4.myhuaweicloud.com:8943")

    assert caught.value.headline.startswith("endpoint is an endpoint for devices, not for applications: ")
    advice = dict(caught.value.facts)["fix"]
    assert "https://a1b2c3.st1.iotda-app.cn-north-4.myhuaweicloud.com" in advice
    shared = "iot-mqtts.cn-north-4.myhuaweicloud.com"
    with pytest.raises(ConfigurationError, match="is an endpoint for devices") as caught:
        read_endpoint(shared)
    assert "https://iotda.cn-north-4.myhuaweicloud.com" in dict(caught.value.facts)["fix"]


@pytest.mark.parametrize("region", ["cn-southwest-2", "cn-north-1", "ap-southeast-4", "tr-west-1", "my-kualalumpur-1"])
def test_a_region_without_a_shared_endpoint_is_no_misspelling(region: str) -> None:
    """A real region without a shared endpoint needs the one of the instance; no other region is suggested."""
    connection = replace(CONNECTION, region=region, origins={"endpoint": f"the region {region}"})
    (cause, (label, advice)) = hint_on_no_address(connection)

    assert cause == ("cause", f"{region} has no shared endpoint of IoTDA")
    assert (label, near_region(region)) == ("fix", "")
    assert render(advice).startswith("set endpoint to the endpoint on the console page")


def test_a_misspelt_region_is_compared_with_all_regions() -> None:
    """A name that is almost a region is compared with every known one."""
    assert near_region("cn-southwset-2") == "cn-southwest-2"
    assert near_region("cn-norht-4") == "cn-north-4"


def test_the_regions_are_those_of_the_vendor() -> None:
    """The tables of regions are those of the newest SDK of the vendor."""
    iotda = importlib.import_module("huaweicloudsdkiotda.v5.region.iotda_region").IoTDARegion
    iam = importlib.import_module("huaweicloudsdkcore.auth.endpoint").get_iam_endpoint_by_id

    assert sorted(vars(iotda)["static_fields"]) == sorted(REGIONS)
    for region in {*REGIONS, *IAM_REGIONS}:
        assert iam_endpoint(region) == iam(region, "https://iam.myhuaweicloud.com")
