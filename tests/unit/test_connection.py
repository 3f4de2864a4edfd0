"""Where settings come from, and what becomes of them."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.auth.connection_model import CONFIG_NAMES, PUBLIC_FIELDS, SECRET_FIELDS, Connection
from pulumi_iotda_ota.iotda.errors import ConfigurationError, CredentialsError
from pulumi_iotda_ota.iotda.references import render
from tests.support.connection_settings import INSTANCE, KEYS, resolved


def test_the_environment_is_enough() -> None:
    """Region, project and key from the environment make a connection to the shared endpoint with the defaults."""
    found = resolved()

    assert found.endpoint == "https://iotda.cn-north-4.myhuaweicloud.com"
    assert (found.region, found.project_id, found.instance_id) == ("cn-north-4", "p-env", None)
    assert (found.algorithm, found.deadline, found.max_attempts) == ("standard", 60.0, 5)
    assert (found.ca_file, found.insecure, found.proxy) == (None, False, None)


def test_settings_are_looked_for_one_by_one() -> None:
    """Each setting comes from the first place that has it, whatever the place of the others."""
    found = resolved(
        {"instanceId": "i-config", "projectId": "p-config"}, {"HW_IOTDA_INSTANCE_ID": "i-env"}, region="r1"
    )

    assert (found.region, found.project_id, found.instance_id) == ("r1", "p-config", "i-config")
    assert render(found.origins["region"]) == "argument"
    assert found.origins["project_id"] == "iotda-ota:projectId (stack config)"


def test_hw_goes_before_the_sdks_environment() -> None:
    """HW_ variables go before those of the vendor's SDK."""
    environ = {**KEYS, "HW_REGION_NAME": "r1", "HUAWEICLOUD_SDK_PROJECT_ID": "p-sdk"}
    assert resolve(None, config={}, environ=environ).origins["project_id"] == "HUAWEICLOUD_SDK_PROJECT_ID (environment)"
    assert resolve(None, config={}, environ={**environ, "HW_PROJECT_ID": "p-hw"}).project_id == "p-hw"


@pytest.mark.parametrize(
    "config",
    [
        {"deadline": 5, "maxAttempts": 3, "insecure": True, "allowedProjectIds": ["p-env"]},
        {"deadline": "5", "maxAttempts": "3", "insecure": "true", "allowedProjectIds": '["p-env"]'},
        {"deadline": 5.0, "maxAttempts": 3, "insecure": "true", "allowedProjectIds": "p-env"},
    ],
)
def test_config_is_read_typed_and_as_text(config: dict[str, object]) -> None:
    """Configuration arrives typed or as JSON text, and both say the same."""
    found = resolved(config)

    assert (found.deadline, found.max_attempts, found.insecure) == (5.0, 3, True)


def test_everything_that_is_missing_is_told_at_once() -> None:
    """One error names every missing setting, and each way to give it."""
    with pytest.raises(ConfigurationError) as caught:
        resolve(None, config={}, environ={})

    text = str(caught.value)
    assert caught.value.headline == "the connection is incomplete, missing: region or endpoint, credentials"
    for name in ("iotda-ota:region", "HW_REGION_NAME", "HW_IOTDA_ENDPOINT", "HW_ACCESS_KEY"):
        assert name in text


def test_missing_credentials_alone_are_a_credentials_error() -> None:
    """Where only the credentials are missing, the error is theirs."""
    with pytest.raises(CredentialsError, match="no credentials"):
        resolve(Connection(region="r1", project_id="p"), config={}, environ={})


class Later:
    """A value that is known later, as an Output of Pulumi is."""

    def apply(self, _: object) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"regoin": "x"}, "a connection has no setting regoin"),
        ({"deadline": 0}, "deadline must be a number of seconds above 0, at most 86,400"),
        ({"deadline": "soon"}, "deadline must be a number of seconds above 0, at most 86,400"),
        ({"deadline": float("nan")}, "deadline must be a number of seconds"),
        ({"max_attempts": 21}, "max_attempts must be a whole number from 1 to 20"),
        ({"signing": "v4"}, "signing must be one of auto, standard, derived"),
        ({"insecure": "maybe"}, "insecure must be True or False"),
        ({"credentials": "ec2"}, "credentials must be ecs"),
        ({"password": 7}, "password must be a string, not int"),
        ({"allowed_project_ids": ["p", 7]}, "allowed_project_ids must be a list of strings"),
        ({"secret_key": 7}, "secret_key must be a string, not int"),
        ({"region": Later()}, "region must be a plain value that is known already, not Later"),
        ({"secret_key": Later()}, "secret_key must be a plain value that is known already, not Later"),
        ({"deadline": Later()}, "deadline must be a plain value that is known already, not Later"),
    ],
)
def test_a_wrong_field_is_an_error_of_ours(fields: dict[str, Any], message: str) -> None:
    """A field that is unknown or wrong is a ConfigurationError that names it, without its value."""
    with pytest.raises(ConfigurationError) as caught:
        Connection(**fields)

    assert caught.value.headline.startswith(message)
    assert caught.value.setting == next(iter(fields))
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("config", "environ", "origin"),
    [
        ({"maxAttempts": "many"}, {}, "iotda-ota:maxAttempts (stack config)"),
        ({}, {"HW_IOTDA_SIGNING": "v4"}, "HW_IOTDA_SIGNING (environment)"),
        ({}, {"HW_PROJECT_ID": "p/../q"}, "HW_PROJECT_ID (environment)"),
        ({}, {"HW_IOTDA_INSTANCE_ID": "i" * 37}, "HW_IOTDA_INSTANCE_ID (environment)"),
        ({"region": "CN North"}, {}, "iotda-ota:region (stack config)"),
    ],
)
def test_a_wrong_value_says_where_it_came_from(config: dict[str, object], environ: dict[str, str], origin: str) -> None:
    """A value from configuration or environment that is wrong is traced to its place."""
    with pytest.raises(ConfigurationError) as caught:
        resolved(config, environ)

    assert ("source", origin) in caught.value.facts


@pytest.mark.parametrize(
    ("config", "environ", "shown", "origin"),
    [
        ({"endpoint": "http://iot.example.com"}, {}, '"http://iot.example.com"', "iotda-ota:endpoint (stack config)"),
        ({}, {"HW_IOTDA_ENDPOINT": "ftp://x"}, '"ftp://x"', "HW_IOTDA_ENDPOINT (environment)"),
        ({}, {"HW_IOTDA_ENDPOINT": "https://me:hunter22@x"}, '"****@x"', "HW_IOTDA_ENDPOINT (environment)"),
        ({"proxy": "ftp://x"}, {}, '"ftp://x"', "iotda-ota:proxy (stack config)"),
        ({"proxy": "http://me:hunter22@x"}, {}, '"****@x"', "iotda-ota:proxy (stack config)"),
        ({"allowedProjectIds": "p1"}, {}, "p-env", "HW_PROJECT_ID (environment)"),
        ({}, {"HW_AUTH_URL": "http://iam.example.com/v3"}, '"http://iam.example.com"', "HW_AUTH_URL (environment)"),
        ({"iamEndpoint": "https://me:hunter22@x/v3"}, {}, '"****@x"', "iotda-ota:iamEndpoint (stack config)"),
    ],
)
def test_a_wrong_address_is_shown_with_its_origin(
    config: dict[str, object], environ: dict[str, str], shown: str, origin: str
) -> None:
    """The error of a wrong address shows the address without a password, and its place."""
    with pytest.raises(ConfigurationError) as caught:
        resolved(config, environ)

    assert shown in caught.value.headline
    assert ("source", origin) in caught.value.facts
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("acessKey", "accessKey"),
        ("access_key", "accessKey"),
        ("Region", "region"),
        ("regoin", "region"),
        ("projectID", "projectId"),
    ],
)
def test_a_misspelt_key_of_the_configuration_is_told(key: str, meant: str) -> None:
    """A key that is almost a setting is an error, without its value: ignored, another credential would be used."""
    with pytest.raises(ConfigurationError) as caught:
        resolved({key: "hunter22"})

    assert caught.value.headline == f"iotda-ota:{key} (stack config) is not a setting; did you mean iotda-ota:{meant}?"
    assert caught.value.setting in Connection.model_fields
    assert "fix" in dict(caught.value.facts)
    assert "hunter22" not in str(caught.value)


def test_other_keys_of_the_configuration_are_left_alone() -> None:
    """A program may keep its settings in our namespace."""
    assert resolved({"firmwareChannel": "beta"}) == resolved()


@pytest.mark.parametrize(
    ("endpoint", "signing", "algorithm"),
    [
        (None, None, "standard"),
        (INSTANCE, None, "derived"),
        (INSTANCE, "auto", "derived"),
        (INSTANCE, "standard", "standard"),
        (None, "derived", "derived"),
        ("https://iotda.example.com", None, "standard"),
        ("https://not-iotda-app.example.com", None, "standard"),
    ],
)
def test_the_host_decides_the_signing(endpoint: str | None, signing: Any, algorithm: str) -> None:
    """Instance endpoints get the derived signature, others the standard one, unless it is forced."""
    region = "cn-east-3" if endpoint == INSTANCE else "cn-north-4"

    assert resolved(endpoint=endpoint, signing=signing, region=region).algorithm == algorithm


def test_derived_signing_needs_a_region() -> None:
    """A derived key is bound to a region, so a missing region is an error."""
    environ = {**KEYS, "HW_PROJECT_ID": "p", "HW_IOTDA_ENDPOINT": "https://iot.example.com"}

    with pytest.raises(ConfigurationError, match="derived signing needs region"):
        resolve(Connection(signing="derived"), config={}, environ=environ)


@pytest.mark.parametrize("empty", ["", " ", "[]", []], ids=repr)
def test_a_guard_that_is_empty_lets_nothing_through(empty: Any) -> None:
    """A list of projects that a pipeline left empty allows none; it is not as if there were no list."""
    with pytest.raises(ConfigurationError, match="project p-env is not in allowed_project_ids") as caught:
        resolved({"allowedProjectIds": empty})

    assert ("found", "allowed_project_ids=[]") in caught.value.facts
    assert resolved({"allowedProjectIds": None}).project_id == "p-env"


def test_public_fields_hold_no_part_of_a_credential() -> None:
    """What becomes an input of a resource is what was given, without any part of a credential."""
    connection = Connection(
        region="r1", allowed_project_ids=("p1",), signing="auto", access_key="AK", secret_key=SecretStr("very-secret")
    )

    assert connection.public() == {"region": "r1", "signing": "auto", "allowed_project_ids": ["p1"]}
    assert connection.has_secrets
    assert not Connection(region="r1").has_secrets
    assert Connection(**connection.public()).public() == connection.public()


def test_fields_and_config_names_are_the_same_words() -> None:
    """Every field is either public or part of a credential, and has a camelCase name in the configuration."""
    assert set(PUBLIC_FIELDS) | set(SECRET_FIELDS) == set(Connection.model_fields)
    assert not set(PUBLIC_FIELDS) & set(SECRET_FIELDS)
    assert len(CONFIG_NAMES) == len(Connection.model_fields)
    assert {"allowedProjectIds", "caFile", "region"} <= set(CONFIG_NAMES)


def test_equal_connections_are_one_whatever_their_origin() -> None:
    """Two connections that differ in where their settings were found are equal and share their hash."""
    from_config = resolved({"projectId": "p-env"})

    assert from_config == resolved()
    assert hash(from_config) == hash(resolved())
    assert from_config != resolved(project_id="other")
    from_argument = resolved(access_key=KEYS["HW_ACCESS_KEY"], secret_key=KEYS["HW_SECRET_KEY"])
    assert from_argument.credential.source != resolved().credential.source
    assert from_argument == resolved()
    assert hash(from_argument) == hash(resolved())
    assert resolved(auth_token="token-1") == resolved({"authToken": "token-1"})
    assert resolved(auth_token="token-1") != resolved(auth_token="token-2")


def test_type_checkers_are_told_every_field() -> None:
    """The constructor that type checkers see has the fields of the model, in their order."""
    (told,) = (
        node
        for node in ast.walk(ast.parse(Path(inspect.getfile(Connection)).read_text()))
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    )

    assert [argument.arg for argument in told.args.kwonlyargs] == list(Connection.model_fields)
