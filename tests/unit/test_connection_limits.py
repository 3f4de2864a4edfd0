"""Which endpoints, projects and credentials a connection may reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.auth.connection_model import Connection
from pulumi_iotda_ota.iotda.auth.credentials import AssumedAgency
from pulumi_iotda_ota.iotda.errors import ConfigurationError
from tests.support.connection_settings import INSTANCE, KEYS, resolved

if TYPE_CHECKING:
    from pathlib import Path


def test_a_project_or_a_region_to_find_it_by_is_needed() -> None:
    """Behind an endpoint that names no region, the project, or the region whose project it is, must be given."""
    environ = {**KEYS, "HW_IOTDA_ENDPOINT": "https://iotda.example.com"}

    with pytest.raises(ConfigurationError, match="missing: project_id or region") as caught:
        resolve(None, config={}, environ=environ)
    assert "HUAWEICLOUD_SDK_PROJECT_ID" in str(caught.value)
    assert resolve(None, config={}, environ={**environ, "HW_REGION_NAME": "r1"}).project_id == ""


def test_the_sdks_endpoint_of_the_region_is_used() -> None:
    """The first endpoint in the settings of the vendor's SDK for the region goes before the shared one."""
    found = resolved(environ={"HUAWEICLOUD_SDK_REGION_IOTDA_CN_NORTH_4": "https://one.example.com,https://two"})

    assert found.endpoint == "https://one.example.com"
    assert found.origins["endpoint"] == "HUAWEICLOUD_SDK_REGION_IOTDA_CN_NORTH_4 (environment)"


def test_an_endpoint_can_stand_for_the_region() -> None:
    """The region is taken from an endpoint that names it."""
    environ = {**KEYS, "HW_PROJECT_ID": "p", "HW_IOTDA_ENDPOINT": INSTANCE}

    assert resolve(None, config={}, environ=environ).region == "cn-east-3"


def test_a_standard_endpoint_needs_no_region() -> None:
    """Without a region, a custom endpoint and standard signing are enough."""
    environ = {**KEYS, "HW_PROJECT_ID": "p", "HW_IOTDA_ENDPOINT": "https://iotda.example.com"}

    assert resolve(None, config={}, environ=environ).region == ""


def test_a_region_and_an_endpoint_that_differ_are_an_error() -> None:
    """A request is never sent to another region than was said; the error says where both came from."""
    with pytest.raises(ConfigurationError, match="region is cn-north-4, but the endpoint is in cn-east-3") as caught:
        resolved(environ={"HW_IOTDA_ENDPOINT": INSTANCE})

    assert ("region", "HW_REGION_NAME (environment)") in caught.value.facts


def test_other_projects_are_refused() -> None:
    """With allowed_project_ids no request is made for another project."""
    assert resolved(allowed_project_ids=["p-env", "p2"]).project_id == "p-env"
    with pytest.raises(ConfigurationError, match="project p-env is not in allowed_project_ids"):
        resolved(allowed_project_ids=["p1", "p2"])


@pytest.mark.parametrize("text", ["p-env", "p1,p-env", '["p1", "p-env"]', '"p-env"', " p1 , p-env\r\n"])
def test_allowed_projects_are_read_as_people_write_them(text: str) -> None:
    """A text of the configuration is one project, several with commas between them, or JSON."""
    assert resolved({"allowedProjectIds": text}).project_id == "p-env"


@pytest.mark.parametrize("proxy", ["user:password@host:1", "http://user:hunter22@host:1", "ftp://host", "host:1"])
def test_a_proxy_with_a_password_goes_into_the_environment(proxy: str) -> None:
    """A proxy is an address without a password, which would become an input of resources; it is not shown."""
    with pytest.raises(ConfigurationError, match="proxy must be") as caught:
        resolved(proxy=proxy)

    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize("plain", ["endpoint", "iam_endpoint"])
def test_plain_http_goes_over_no_proxy_elsewhere(plain: str) -> None:
    """What goes to this machine in clear text is handed to no proxy on another one."""
    places: dict[str, Any] = {"endpoint": "https://iotda.cn-north-4.myhuaweicloud.com", plain: "http://localhost:8080"}

    with pytest.raises(
        ConfigurationError, match="plain http to this machine is not sent through a proxy on another machine"
    ) as caught:
        resolved({"proxy": "http://proxy.example:3128"}, **places)

    assert ("proxy", '"http://proxy.example:3128" (from iotda-ota:proxy (stack config))') in caught.value.facts
    assert (plain, "http://localhost:8080 (from argument)") in caught.value.facts
    assert resolved({"proxy": "http://127.0.0.1:3128"}, **places).proxy == "http://127.0.0.1:3128"
    assert resolved({"proxy": "http://proxy.example:3128"}).proxy == "http://proxy.example:3128"
    assert resolved(proxy="socks5h://proxy.example").proxy == "socks5h://proxy.example"


def test_no_secret_is_in_any_representation() -> None:
    """Neither the argument nor the resolved connection shows a secret or the whole access key."""
    argument = Connection(
        access_key="AKIDEXAMPLE7Q",
        secret_key=SecretStr("very-secret"),
        auth_token=SecretStr("token-value"),
        password="pass-phrase",
    )
    user: dict[str, Any] = {"user_name": "operator", "password": "pass-phrase", "domain_name": "acme"}
    shown = f"{argument!r} {argument} {resolved()!r} {resolved(access_key='AKIDEXAMPLE7Q', secret_key='very-secret')}"
    shown += f"{resolved(**user)!r} {resolved(**user, agency_name='a')} {resolved(**user).credential}"

    assert "very-secret" not in shown
    assert "token-value" not in shown
    assert "pass-phrase" not in shown
    assert "AKIDEXAMPLE7Q" not in shown


def test_identity_and_secrets() -> None:
    """The identity is what a "not found" holds for. The secrets are what must be redacted."""
    assert resolved(instance_id="i1").identity == {
        "region": "cn-north-4",
        "endpoint": "https://iotda.cn-north-4.myhuaweicloud.com",
        "project_id": "p-env",
        "instance_id": "i1",
        "profile": "",
    }
    assert resolved().secrets == ("AKIDEXAMPLE7Q", "very-secret")


@pytest.mark.parametrize(
    ("region", "iotda", "iam"),
    [
        ("cn-north-4", "iotda.cn-north-4.myhuaweicloud.com", "iam.cn-north-4.myhuaweicloud.com"),
        ("eu-west-101", "iotda.eu-west-101.myhuaweicloud.eu", "iam.eu-west-101.myhuaweicloud.eu"),
        ("eu-west-0", "iotda.eu-west-0.myhuaweicloud.com", "iam.eu-west-0.myhuaweicloud.com"),
        ("cn-southwest-2", "iotda.cn-southwest-2.myhuaweicloud.com", "iam.cn-southwest-2.myhuaweicloud.com"),
        ("cn-south-4", "iotda.cn-south-4.myhuaweicloud.com", "iam.myhuaweicloud.com"),
        ("xx-new-9", "iotda.xx-new-9.myhuaweicloud.com", "iam.myhuaweicloud.com"),
    ],
)
def test_endpoints_of_a_region(region: str, iotda: str, iam: str) -> None:
    """A region leads to its own endpoints, one of Europe to its own cloud, one that is not known to the global IAM."""
    found = resolved(region=region)

    assert (found.endpoint, found.iam_endpoint) == (f"https://{iotda}", f"https://{iam}")
    assert found.origins["iam_endpoint"] == f"the region {region}"


@pytest.mark.parametrize(
    "endpoint", ["https://iotda.eu-west-0.cloud.example.org", "https://1a.iotda-app.cn-north-4.myhuaweicloud.co"]
)
def test_no_password_goes_to_the_iam_of_another_cloud(endpoint: str) -> None:
    """Behind an endpoint of another cloud, or a mistyped one, no IAM is guessed.

    A credential that needs no IAM needs no endpoint of it.
    """
    user: dict[str, Any] = {"user_name": "operator", "password": "phrase", "domain_name": "meters-inc"}
    agency: dict[str, Any] = {"agency_name": "rollout", "agency_domain_name": "grid-inc"}
    nowhere: dict[str, Any] = {"endpoint": endpoint}

    for given in ({**user, "project_id": "p1"}, {**agency, "project_id": "p1"}, {}):
        with pytest.raises(ConfigurationError, match="iam_endpoint is required for this endpoint") as caught:
            resolve(Connection(**nowhere, **given), config={}, environ=KEYS)
        assert caught.value.setting == "iam_endpoint"
        assert ("endpoint", f"{endpoint} (from argument)") in caught.value.facts
        assert "HW_AUTH_URL" in str(caught.value)
        there = Connection(**nowhere, **given, iam_endpoint="https://iam.example.org")
        assert resolve(there, config={}, environ=KEYS).iam_endpoint == "https://iam.example.org"
    for ready in (Connection(**nowhere, project_id="p1"), Connection(**nowhere, project_id="p1", credentials="ecs")):
        assert resolve(ready, config={}, environ=KEYS).project_id == "p1"


@pytest.mark.parametrize("text", ["https://iam.example.com/v3", "iam.example.com/v3/", "https://iam.example.com/"])
def test_the_endpoint_of_iam_with_and_without_its_version(text: str) -> None:
    """Other tools write ``/v3`` behind it, which is no error here; argument and configuration go before variables."""
    from_environment = resolved(environ={"HW_AUTH_URL": text, "HUAWEICLOUD_SDK_IAM_ENDPOINT": "https://other"})

    assert from_environment.iam_endpoint == "https://iam.example.com"
    assert from_environment.origins["iam_endpoint"] == "HW_AUTH_URL (environment)"
    assert resolved(environ={"HUAWEICLOUD_SDK_IAM_ENDPOINT": text}).iam_endpoint == "https://iam.example.com"
    assert resolved({"iamEndpoint": "https://config"}, {"HW_AUTH_URL": text}).iam_endpoint == "https://config"


def test_an_agency_goes_on_top_of_any_credential() -> None:
    """Agency and account are separate settings, beside a credential from elsewhere. An account is needed."""
    found = resolved({"agencyName": "rollout", "agencyDomainName": "grid-inc"}).credential

    assert isinstance(found, AssumedAgency)
    assert (found.agency_name, found.domain_name) == ("rollout", "grid-inc")
    assert found.base == resolved().credential
    origins = resolved({"agencyName": "rollout", "agencyDomainName": "grid-inc"}).origins
    assert origins["agency_name"] == "iotda-ota:agencyName (stack config)"
    assert origins["credential"] == "HW_ACCESS_KEY (environment)"
    assert resolved(agency_name="rollout", domain_name="grid-inc").credential == found
    with pytest.raises(
        ConfigurationError, match="agency_name is set without the account that has the agency"
    ) as caught:
        resolved(environ={"HW_ASSUME_ROLE_AGENCY_NAME": "rollout"})
    assert ("source", "HW_ASSUME_ROLE_AGENCY_NAME (environment)") in caught.value.facts
    assert "HW_ASSUME_ROLE_DOMAIN_NAME" in str(caught.value)


@pytest.mark.parametrize("left", ["HW_ASSUME_ROLE_DOMAIN_NAME", "HW_DOMAIN_NAME"])
def test_an_agency_comes_with_its_account(left: str) -> None:
    """An agency of one place is never used in an account that another place names. Its name may exist there too."""
    with pytest.raises(
        ConfigurationError, match="agency_name is set without the account that has the agency"
    ) as caught:
        resolved({"agencyName": "rollout"}, {left: "another-inc"})

    assert ("source", "iotda-ota:agencyName (stack config)") in caught.value.facts
    assert "another-inc" not in str(caught.value)
    user = {"HW_USER_NAME": "operator", "HW_USER_PASSWORD": "phrase", "HW_DOMAIN_NAME": "meters-inc"}
    own = resolve(Connection(agency_name="rollout", region="cn-north-4"), config={}, environ=user).credential
    assert str(own).startswith("agency rollout of meters-inc, assumed with user operator of meters-inc")


def test_the_profile_is_part_of_the_identity(tmp_path: Path) -> None:
    """What is stored of where a resource was made names the profile."""
    file = tmp_path / "config.json"
    file.write_text('{"profiles": [{"name": "prod", "region": "cn-east-3"}]}')
    environ = {**KEYS, "HW_PROJECT_ID": "p", "HW_SHARED_CONFIG_FILE": str(file)}

    found = resolve(None, config={"profile": "prod"}, environ=environ)

    assert found.identity["profile"] == "prod"
    assert found.region == "cn-east-3"
    assert found.origins["region"] == f"region (profile prod in {file})"
