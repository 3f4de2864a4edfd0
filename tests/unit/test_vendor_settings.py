"""Variables and file keys of the vendor's tools that say where or as whom: each is read, or refused by its name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.iotda.auth.connection import known_place
from pulumi_iotda_ota.iotda.auth.credentials import AccessKey, AssumedAgency, UserPassword
from pulumi_iotda_ota.iotda.auth.sources import SOURCES
from pulumi_iotda_ota.iotda.auth.vendor import IGNORED, READ, REFUSED, VARIABLES
from pulumi_iotda_ota.iotda.errors import ConfigurationError, CredentialsError
from tests.support.connection_settings import INSTANCE, KEYS, resolved

if TYPE_CHECKING:
    from pathlib import Path

NONE = {"HW_PROJECT_ID": ""}
USER = {"HW_USER_NAME": "operator", "HW_USER_PASSWORD": "pass-phrase", "HW_DOMAIN_NAME": "meters-inc"}
NO_KEY = dict.fromkeys(KEYS, "")


def error(environ: dict[str, str] | None = None, **argument: str) -> ConfigurationError:
    """Return the error of these settings."""
    with pytest.raises(ConfigurationError) as caught:
        resolved(None, environ, **argument)
    return caught.value


def regions(home: Path, text: str, name: str = "regions.yaml") -> dict[str, str]:
    """Write a file of regions, and return the environment that has it at home."""
    (home / ".huaweicloud").mkdir(exist_ok=True)
    (home / ".huaweicloud" / name).write_text(text)
    return {"HOME": str(home)}


def test_a_project_by_its_name() -> None:
    """If HW_PROJECT_NAME stands alone, the project with this name counts, not the main project of the region."""
    found = resolved(environ={**NONE, "HW_PROJECT_NAME": "cn-north-4_iot"})

    assert (found.project_id, found.project_name) == ("", "cn-north-4_iot")
    assert found.origins["project_name"] == "HW_PROJECT_NAME (environment)"
    assert resolved(environ=NONE, project_name="cn-north-4_iot").project_name == "cn-north-4_iot"
    assert resolved({"projectName": "cn-north-4_iot"}, NONE).origins["project_name"].startswith("iotda-ota:projectName")


def test_the_first_source_with_an_id_or_a_name_counts() -> None:
    """An id goes before a name of the same source, and a name goes before an id of a later source."""
    both = resolved(environ={"HW_PROJECT_NAME": "cn-north-4_iot"})
    assert (both.project_id, both.project_name) == ("p-env", "")

    named = resolved({"projectName": "cn-north-4_iot"})
    assert (named.project_id, named.project_name) == ("", "cn-north-4_iot")
    sdk = {**NONE, "HW_PROJECT_NAME": "cn-north-4_iot", "HUAWEICLOUD_SDK_PROJECT_ID": "p-sdk"}
    assert resolved(environ=sdk).project_name == "cn-north-4_iot"
    assert resolved({"projectName": "cn-north-4_iot"}, project_id="p-argument").project_id == "p-argument"
    assert "project_id" not in known_place(None, config={"projectName": "cn-north-4_iot"}, environ={**KEYS, **sdk})


@pytest.mark.parametrize("name", ["iot", "cn-east-3", "cn-north-40", "cn-north-4-iot"])
def test_a_project_of_another_region(name: str) -> None:
    """A project name that does not begin with the region is an error that names both."""
    found = error({**NONE, "HW_PROJECT_NAME": name})

    assert found.setting == "project_name"
    assert found.headline == f"the project {name} is not in the region cn-north-4: its name does not begin with it"
    assert "HW_PROJECT_NAME" in str(found)
    assert resolved(environ={**NONE, "HW_PROJECT_NAME": "cn-north-4"}).project_name == "cn-north-4"


def test_a_cloud_of_its_own() -> None:
    """HW_CLOUD names the domain of both endpoints, as for the Terraform provider."""
    found = resolved(environ={"HW_CLOUD": "example-cloud.com"})

    assert found.endpoint == "https://iotda.cn-north-4.example-cloud.com"
    assert found.iam_endpoint == "https://iam.cn-north-4.example-cloud.com"
    assert found.origins["endpoint"] == "the region cn-north-4, in the cloud example-cloud.com"
    assert resolved(cloud="myhuaweicloud.com").endpoint == "https://iotda.cn-north-4.myhuaweicloud.com"
    assert resolved(environ=USER | NO_KEY, cloud="myhuaweicloud.com", region="xx-new-9").iam_endpoint == (
        "https://iam.myhuaweicloud.com"
    )


def test_a_cloud_beside_an_endpoint() -> None:
    """A cloud says where IAM is; if the endpoint is in another cloud, that is an error that names both."""
    own = resolved(environ=USER | NO_KEY, endpoint="https://iot.example.com", cloud="example-cloud.com")
    assert own.iam_endpoint == "https://iam.cn-north-4.example-cloud.com"
    other = "https://a1.st1.iotda-app.cn-north-4.example-cloud.com"
    assert resolved(environ=USER | NO_KEY, endpoint=other, cloud="example-cloud.com").endpoint == other

    wrong = error({"HW_CLOUD": "example-cloud.com"}, endpoint=INSTANCE, region="cn-east-3")
    assert wrong.headline == "cloud is example-cloud.com, but the endpoint is in the cloud myhuaweicloud.com"
    assert error({"HW_CLOUD": "https://example-cloud.com/"}).headline.startswith("cloud must be a domain such as")


def test_a_profile_of_the_environment(tmp_path: Path) -> None:
    """HW_PROFILE names the profile, and a file of HW_SHARED_CONFIG_FILE alone sets its current one."""
    file = tmp_path / "config.json"
    names = ("dev", "prod")
    profiles = [{"name": n, "mode": "AKSK", "accessKeyId": f"AK-{n}", "secretAccessKey": "SK"} for n in names]
    file.write_text(json.dumps({"current": "dev", "profiles": profiles}))
    environ = {"HW_SHARED_CONFIG_FILE": str(file)}

    def key(**more: str) -> str:
        credential = resolved(environ=environ | more).credential
        assert isinstance(credential, AccessKey)
        return credential.access_key

    assert key(HW_PROFILE="prod") == "AK-prod"
    assert key() == "AK-dev"
    assert resolved(environ=environ, profile="prod").profile == "prod"
    assert resolved(environ={"HW_SHARED_CONFIG_FILE": "/dev/null"}).profile == ""
    file.write_text(json.dumps({"profiles": profiles}))
    assert error(environ).headline == f"no profile is named, and {file} has no current one"


def test_the_regions_file_of_the_sdk(tmp_path: Path) -> None:
    """The endpoint of a region is the one of the SDK's file of regions, at the path in its variable."""
    text = "ECS:\n- {id: cn-north-4, endpoint: https://e}\niotda:\n- id: cn-east-3\n- id: cn-north-4\n  endpoint: {}\n"
    environ = regions(tmp_path, text.replace("{}", INSTANCE.replace("cn-east-3", "cn-north-4")))
    found = resolved(environ=environ)
    assert found.endpoint == INSTANCE.replace("cn-east-3", "cn-north-4")
    assert found.origins["endpoint"] == "cn-north-4 of IoTDA (~/.huaweicloud/regions.yaml)"

    elsewhere = regions(tmp_path, "IoTDA: [{id: cn-north-4, endpoints: ['https://x.example.com']}]", "other.yaml")
    named = {**elsewhere, "HUAWEICLOUD_SDK_REGIONS_FILE": str(tmp_path / ".huaweicloud" / "other.yaml")}
    assert resolved(environ=named).endpoint == "https://x.example.com"
    assert resolved(environ=named, endpoint=INSTANCE, region="cn-east-3").endpoint == INSTANCE
    variable = {"HUAWEICLOUD_SDK_REGION_IOTDA_CN_NORTH_4": "https://y.example.com,https://z.example.com"}
    assert resolved(environ=named | variable).endpoint == "https://y.example.com"


@pytest.mark.parametrize(
    ("text", "why"),
    [("IoTDA: [", "it is no YAML"), ("a: &a [*a]", "it refers to itself"), ("[" * 3000, "it is no YAML")],
)
def test_a_regions_file_that_cannot_be_read(tmp_path: Path, text: str, why: str) -> None:
    """A file of regions that cannot be read is an error if the endpoint depends on it, and is not read otherwise."""
    environ = regions(tmp_path, text)

    assert error(environ).headline == f"~/.huaweicloud/regions.yaml cannot be read: {why}"
    assert resolved(environ=environ, endpoint="https://x.example.com").endpoint == "https://x.example.com"


@pytest.mark.parametrize(
    ("environ", "name", "instead"),
    [
        ({"HW_USER_ID": "u1"}, "HW_USER_ID", "HW_USER_NAME"),
        ({"HW_USER_ID": "u1", "HW_USER_PASSWORD": "pass-phrase"}, "HW_USER_ID", "HW_USER_NAME"),
        ({**USER, "HW_DOMAIN_NAME": "", "HW_DOMAIN_ID": "d1"}, "HW_DOMAIN_ID", "HW_DOMAIN_NAME"),
        ({"HW_ASSUME_ROLE_ID_TOKEN": "ey.token"}, "HW_ASSUME_ROLE_ID_TOKEN", "HW_ASSUME_ROLE_ID_TOKEN_FILE"),
        ({"HUAWEICLOUD_OIDC_AGENCY_URN": "iam::d:agency:a"}, "HUAWEICLOUD_OIDC_AGENCY_URN", "ID_TOKEN_FILE"),
        (
            {"HUAWEICLOUD_OIDC_TOKEN_FILE": "/t", "HUAWEICLOUD_SDK_AK": "A"},
            "HUAWEICLOUD_OIDC_TOKEN_FILE",
            "ID_TOKEN_FILE",
        ),
    ],
)
def test_what_is_not_read_is_refused_by_name(environ: dict[str, str], name: str, instead: str) -> None:
    """A variable that says as whom, and is not read, is an error that names it and what is read instead."""
    found = error({**NO_KEY, **environ})

    assert found.headline.startswith(f"{name} (environment) is not read")
    assert instead in dict(found.facts)["fix"]
    assert "ey.token" not in str(found)


@pytest.mark.parametrize(
    "environ",
    [
        {"HW_USER_ID": "u1"},
        {"HW_DOMAIN_ID": "d1"},
        {"HUAWEICLOUD_OIDC_AGENCY_URN": "iam::d:agency:a"},
        {**USER, **NO_KEY, "HW_USER_ID": "u1", "HW_DOMAIN_ID": "d1"},
    ],
)
def test_what_decides_nothing_is_no_error(environ: dict[str, str]) -> None:
    """If a source before it decides, or the set is whole without it, such a variable is no error."""
    assert isinstance(resolved(environ=environ).credential, (AccessKey, UserPassword))


def test_the_account_of_an_agency_by_its_id(tmp_path: Path) -> None:
    """HW_ASSUME_ROLE_DOMAIN_ID and agencyDomainId name the account of the agency; the id goes first."""
    agency = {"HW_ASSUME_ROLE_AGENCY_NAME": "rollout", "HW_ASSUME_ROLE_DOMAIN_ID": "d1"}
    found = resolved(environ=agency | {"HW_ASSUME_ROLE_DOMAIN_NAME": "grid-inc"}).credential
    assert isinstance(found, AssumedAgency)
    assert (found.domain_id, found.domain_name) == ("d1", "")
    assert str(found).startswith("agency rollout of d1, assumed with access key")

    file = tmp_path / "config.json"
    key = {"accessKeyId": "AK", "secretAccessKey": "SK", "agencyName": "rollout", "agencyDomainId": "d2"}
    file.write_text(json.dumps({"profiles": [{"name": "prod", "mode": "AKSK", **key}]}))
    profile = resolved(environ={"HW_SHARED_CONFIG_FILE": str(file), "HW_PROFILE": "prod"}).credential
    assert isinstance(profile, AssumedAgency)
    assert profile.domain_id == "d2"
    # The account never comes from another source than the agency.
    alone = error({"HW_ASSUME_ROLE_DOMAIN_ID": "d1"}, agency_name="rollout")
    assert alone.headline == "agency_name is set without the account that has the agency"


def test_a_token_of_the_environment_goes_before_its_key() -> None:
    """A token that would come before the key of the same source is refused, unless a source before decides."""
    token = {"HW_ASSUME_ROLE_ID_TOKEN": "ey.token"}
    assert error(token).headline.startswith("HW_ASSUME_ROLE_ID_TOKEN (environment) is not read")
    assert isinstance(resolved(environ=token, access_key="AK", secret_key="SK").credential, AccessKey)


def test_every_variable_stands_in_one_table() -> None:
    """What is read is what the sources read; no variable stands twice; each that is not read says why or what is."""
    names = [variable.name for variable in VARIABLES]
    read = {variable.name for variable in VARIABLES if variable.use == READ}
    sources = {name for source in SOURCES if "environment" in source.title for name in source.names.values()}

    assert len(names) == len(set(names))
    assert sources <= read
    assert all(variable.text for variable in VARIABLES)
    assert {variable.use for variable in VARIABLES} == {READ, REFUSED, IGNORED}


@pytest.mark.parametrize("variable", [v for v in VARIABLES if v.use == IGNORED], ids=lambda variable: variable.name)
def test_the_others_change_nothing(variable: object) -> None:
    """A variable that is neither read nor refused changes nothing, alone or beside others."""
    name = variable.name  # type: ignore[attr-defined]

    assert resolved(environ={name: "x"}) == resolved()
    with pytest.raises(CredentialsError, match="no credentials"):
        resolved(environ={**NO_KEY, name: "x"})
