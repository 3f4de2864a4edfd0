"""Where a credential comes from, and that it comes whole."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from pulumi_iotda_ota.iotda.auth.connection_model import Connection
from pulumi_iotda_ota.iotda.auth.credentials import AccessKey, AuthToken
from pulumi_iotda_ota.iotda.auth.sources import Base, Inputs, find_credential, read_sources
from pulumi_iotda_ota.iotda.errors import CredentialsError
from pulumi_iotda_ota.iotda.references import render

ARGUMENT = {"access_key": "AK-argument", "secret_key": "SK-argument"}
CONFIG = {"accessKey": "AK-config", "secretKey": "SK-config"}
HW = {"HW_ACCESS_KEY": "AK-hw", "HW_SECRET_KEY": "SK-hw"}
SDK = {"HUAWEICLOUD_SDK_AK": "AK-sdk", "HUAWEICLOUD_SDK_SK": "SK-sdk"}


def find(
    argument: dict[str, Any] | None = None, config: dict[str, Any] | None = None, environ: dict[str, str] | None = None
) -> Base:
    """Return what is found in these three places."""
    return find_credential(read_sources(Inputs(Connection(**(argument or {})), config or {}, environ or {})))


def plain(credential: Base) -> tuple[str, ...]:
    """Return the parts of a credential as texts."""
    return credential.secrets


@pytest.mark.parametrize(
    ("argument", "config", "environ", "key", "source"),
    [
        (ARGUMENT, CONFIG, HW | SDK, "argument", "access_key (argument)"),
        ({}, CONFIG, HW | SDK, "config", "iotda-ota:accessKey (stack config)"),
        ({}, {}, HW | SDK, "hw", "HW_ACCESS_KEY (environment)"),
        ({}, {}, SDK, "sdk", "HUAWEICLOUD_SDK_AK (environment)"),
    ],
)
def test_the_first_source_that_holds_one_wins(
    argument: dict[str, Any], config: dict[str, Any], environ: dict[str, str], key: str, source: str
) -> None:
    """Argument, configuration, HW_ and the SDK's environment are read in this order. The result names its source."""
    found = find(argument, config, environ)

    assert plain(found) == (f"AK-{key}", f"SK-{key}")
    assert render(found.source) == source


def test_parts_of_two_sources_never_mix() -> None:
    """Half a set in an earlier source is an error, though a later source has a whole one."""
    with pytest.raises(CredentialsError, match="incomplete credentials: HW_SECRET_KEY is missing") as caught:
        find(environ={"HW_ACCESS_KEY": "AK", **SDK})

    assert ("found", "HW_ACCESS_KEY (environment)") in caught.value.facts


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({"HW_SECRET_KEY": "SK"}, "HW_ACCESS_KEY"),
        ({"HW_SECURITY_TOKEN": "ST"}, "HW_ACCESS_KEY and HW_SECRET_KEY"),
        ({"HUAWEICLOUD_SDK_AK": "AK"}, "HUAWEICLOUD_SDK_SK"),
    ],
)
def test_half_a_set_names_what_is_missing(environ: dict[str, str], missing: str) -> None:
    """The error names the missing parts as their source calls them."""
    with pytest.raises(CredentialsError, match=rf"incomplete credentials: {missing} (is|are) missing"):
        find(environ=environ)


def test_a_temporary_key_keeps_its_token() -> None:
    """The security token belongs to the set."""
    found = find(environ={**HW, "HW_SECURITY_TOKEN": "ST"})

    assert plain(found) == ("AK-hw", "SK-hw", "ST")
    assert str(found).startswith("temporary access key")


def test_a_token_goes_before_a_key_in_one_source() -> None:
    """In one source a ready token is used and the access key is not looked at, not even for being half a set."""
    found = find(environ={"HW_AUTH_TOKEN": "token", "HW_ACCESS_KEY": "AK"})

    assert isinstance(found, AuthToken)
    assert str(found) == "token from HW_AUTH_TOKEN (environment)"


def test_a_token_of_a_later_source_does_not_go_before_a_key() -> None:
    """The order of the sources comes first."""
    assert isinstance(find(config=CONFIG, environ={"HW_AUTH_TOKEN": "token"}), AccessKey)


def test_no_credentials_lists_where_was_looked() -> None:
    """The error names every place and what it would have to hold."""
    with pytest.raises(CredentialsError) as caught:
        find()

    assert caught.value.headline == "no credentials"
    text = str(caught.value)
    (looked,) = (told for label, told in caught.value.facts if label == "found")
    places = [line.partition(":")[0] for line in looked.splitlines() if not line.startswith(" ")]
    assert places == [
        "argument",
        "stack config",
        "profile (no profile) in ~/.hcloud/config.json",
        "environment",
        "environment",
        "~/.huaweicloud/credentials [basic]",
        "~/.huaweicloud/credentials [global]",
        "the ECS metadata",
    ]
    for name in ("access_key + secret_key", "iotda-ota:accessKey", "HW_AUTH_TOKEN", "HW_USER_NAME + HW_USER_PASSWORD"):
        assert name in " ".join(text.split())
    assert "HUAWEICLOUD_SDK_AK + HUAWEICLOUD_SDK_SK" in text
    assert max(map(len, text.splitlines())) <= 80


def test_empty_values_are_not_given() -> None:
    """An empty variable, as pipelines leave it where a secret is not set, is no part of a credential."""
    assert find(environ={"HW_ACCESS_KEY": "", "HW_SECRET_KEY": " ", **SDK}).source == "HUAWEICLOUD_SDK_AK (environment)"


def test_a_line_break_at_the_end_is_dropped() -> None:
    """Values read from files often end with one, and no credential does."""
    assert plain(find(environ={"HW_ACCESS_KEY": "AK\n", "HW_SECRET_KEY": "SK\r\n"})) == ("AK", "SK")


@pytest.mark.parametrize("value", ["A\nB", "A\x00B", "schlüssel", "A\x1bB"])
@pytest.mark.parametrize("part", ["HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_SECURITY_TOKEN", "HW_AUTH_TOKEN"])
def test_characters_that_no_header_takes_are_refused(part: str, value: str) -> None:
    """A part of a credential with such a character is an error before a request, and the value is not printed."""
    with pytest.raises(CredentialsError, match=f"{part} has characters") as caught:
        find(environ={**HW, part: value})

    assert value not in str(caught.value)


def test_no_secret_is_in_any_representation() -> None:
    """Neither repr nor str of a credential shows more than the ends of the access key."""
    key = AccessKey("AKIDEXAMPLE7Q", SecretStr("very-secret"), SecretStr("session-token"), "argument")
    token = AuthToken(SecretStr("very-secret"), "argument")

    shown = f"{key} {key!r} {token} {token!r}"
    assert "very-secret" not in shown
    assert "session-token" not in shown
    assert "AKIDEXAMPLE7Q" not in shown
    assert "AK…7Q" in str(key)


@pytest.mark.parametrize(("key", "expected"), [("AK1", "****"), ("AK345678", "****"), ("AK3456789", "AK…89")])
def test_a_short_access_key_is_not_shown_at_all(key: str, expected: str) -> None:
    """The ends are shown only where they are less than half of the key."""
    assert str(AccessKey(key, SecretStr("s"), None, "argument")) == f"access key {expected} from argument"
