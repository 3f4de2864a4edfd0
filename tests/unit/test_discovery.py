"""The order of the places of settings and credentials, and the files among them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.auth.connection_model import Connection
from pulumi_iotda_ota.iotda.auth.credentials import AccessKey, AuthToken, EcsMetadata, IdTokenFile, UserPassword
from pulumi_iotda_ota.iotda.auth.sources import KINDS, SOURCES, Base, Inputs, find_credential, read_sources
from pulumi_iotda_ota.iotda.errors import ConfigurationError, CredentialsError

if TYPE_CHECKING:
    from pathlib import Path

#: One value for each part of a credential.
PARTS = {
    "auth_token": "token",
    "oidc_token_file": "/run/token",
    "idp_id": "pipeline",
    "access_key": "AK",
    "secret_key": "SK",
    "user_name": "operator",
    "password": "phrase",
    "domain_name": "meters-inc",
}
SETS = {
    AuthToken: ("auth_token",),
    IdTokenFile: ("oidc_token_file", "idp_id"),
    AccessKey: ("access_key", "secret_key"),
    UserPassword: ("user_name", "password", "domain_name"),
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home folder in which both files can be."""
    for folder in (".hcloud", ".huaweicloud"):
        (tmp_path / folder).mkdir()
    return tmp_path


def found(argument: dict[str, Any] | None = None, config: dict[str, Any] | None = None, **environ: str) -> Base:
    """Return the credential of these places."""
    return find_credential(read_sources(Inputs(Connection(**(argument or {})), config or {}, environ)))


def profile(home: Path, name: str = "prod", **fields: Any) -> None:
    """Write a file of KooCLI with one profile beside another one."""
    other = {"name": "other", "mode": "AKSK", "accessKeyId": "AK-other", "secretAccessKey": "SK-other"}
    content = {"current": "other", "profiles": [other, {"name": name, "mode": "AKSK", **fields}]}
    (home / ".hcloud" / "config.json").write_text(json.dumps(content))


def section(home: Path, text: str) -> None:
    """Write a credentials file of the SDK."""
    (home / ".huaweicloud" / "credentials").write_text(text)


def test_every_source_in_its_turn(home: Path) -> None:
    """The credential is that of the first source of the table that has one, whatever those after it hold."""
    profile(home, accessKeyId="AK-profile", secretAccessKey="SK")
    section(home, "[basic]\nak = AK-basic\nsk = SK\n[global]\nak = AK-global\nsk = SK\n")
    argument: dict[str, Any] = {"access_key": "AK-argument", "secret_key": "SK"}
    config: dict[str, Any] = {"profile": "prod", "accessKey": "AK-config", "secretKey": "SK"}
    environ = {"HOME": str(home), "HW_ACCESS_KEY": "AK-hw", "HW_SECRET_KEY": "SK"}
    environ |= {"HUAWEICLOUD_SDK_AK": "AK-sdk", "HUAWEICLOUD_SDK_SK": "SK"}

    taken = []
    for name in ("argument", "config", "profile", "hw", "sdk", "basic", "global"):
        credential = found(argument, config, **environ)
        assert isinstance(credential, AccessKey)
        taken.append(credential.access_key)
        argument = {} if name == "argument" else argument
        config = {"profile": "prod"} if name == "config" else {} if name == "profile" else config
        prefix = {"hw": "HW_", "sdk": "HUAWEICLOUD_"}.get(name, "-")
        environ = {key: value for key, value in environ.items() if not key.startswith(prefix)}
        if name == "basic":
            section(home, "[global]\nak = AK-global\nsk = SK\n")

    assert taken == ["AK-argument", "AK-config", "AK-profile", "AK-hw", "AK-sdk", "AK-basic", "AK-global"]
    assert len(taken) == len(SOURCES)


@pytest.mark.parametrize("place", ["argument", "config", "HW"])
def test_the_kinds_in_one_source(place: str) -> None:
    """In one source a token goes before a file of one, that before a key, and a key before a password."""
    names = next(source for source in SOURCES if source.title.startswith("environment, HW" if place == "HW" else "arg"))
    held = dict(PARTS)
    for kind, parts in SETS.items():
        if place == "argument":
            credential = found(dict(held))
        elif place == "config":
            config = {
                re.sub(r"_(.)", lambda match: match.group(1).upper(), name): value for name, value in held.items()
            }
            credential = found({}, config)
        else:
            credential = found({}, {}, **{names.names[name]: value for name, value in held.items()})
        assert type(credential) is kind
        held = {name: value for name, value in held.items() if name not in parts}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.needs[0])
def test_half_a_set_of_each_kind(kind: Any) -> None:
    """Each part alone is an error that names the rest, though the next source has a whole set."""
    whole = {"HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "SK"}
    for part in kind.parts:
        if set(kind.needs) == {part}:
            continue
        with pytest.raises(CredentialsError, match="incomplete credentials") as caught:
            found({part: "x"}, {}, **whole)
        missing = [name for name in kind.needs if name != part]
        assert caught.value.headline.endswith(
            f": {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        )


def test_an_account_alone_is_no_part_of_a_credential() -> None:
    """domain_name also names the account of an agency, so it alone requires no user."""
    credential = found({"domain_name": "grid-inc"}, {}, HW_ACCESS_KEY="AK", HW_SECRET_KEY="SK", HW_DOMAIN_NAME="x")

    assert isinstance(credential, AccessKey)


def test_the_account_of_a_user_comes_from_the_same_place() -> None:
    """The account of a user is never taken from elsewhere."""
    with pytest.raises(CredentialsError, match="incomplete credentials: domain_name is missing"):
        found({"user_name": "operator", "password": "phrase"}, {}, HW_DOMAIN_NAME="meters-inc")


def test_the_ecs_is_asked_only_where_that_was_said() -> None:
    """The runner's identity is used only where a setting requests it. It goes before what later sources hold."""
    assert isinstance(found({}, {"credentials": "ecs"}, HW_ACCESS_KEY="AK", HW_SECRET_KEY="SK"), EcsMetadata)
    assert isinstance(found({"auth_token": "t"}, {"credentials": "ecs"}), AuthToken)
    with pytest.raises(CredentialsError, match="no credentials"):
        found()
    with pytest.raises(ConfigurationError, match="two credentials in one source"):
        found({"credentials": "ecs", "auth_token": "t"})


def test_a_profile_is_read_only_where_one_is_named(home: Path) -> None:
    """The file of KooCLI at home, its current profile too, is not read unless a profile is named."""
    profile(home, accessKeyId="AK", secretAccessKey="SK")

    with pytest.raises(CredentialsError, match="no credentials"):
        found({}, {}, HOME=str(home))
    assert found({}, {}, HOME=str(home), HW_PROFILE="prod").secrets == ("AK", "SK")


def test_a_profile_that_signed_in(home: Path) -> None:
    """A profile of mode SSO returns the temporary key of its sign-in."""
    token = {"accessKeyId": "AK-sso", "secretAccessKey": "SK-sso", "securityToken": "ST-sso"}
    profile(home, mode="SSO", ssoAuth={"stsToken": token}, accessKeyId="", region="cn-east-3")

    credential = found({"profile": "prod"}, HOME=str(home))

    assert credential.secrets == ("AK-sso", "SK-sso", "ST-sso")
    assert credential.source == "accessKeyId (profile prod in ~/.hcloud/config.json)"


def test_a_profile_gives_settings_and_an_agency(home: Path) -> None:
    """Region, project and agency of a profile are settings as those of other places are."""
    profile(
        home,
        accessKeyId="AK",
        secretAccessKey="SK",
        region="cn-east-3",
        projectId="p-profile",
        agencyName="rollout",
        agencyDomainName="grid-inc",
    )

    resolved = resolve(Connection(profile="prod"), config={}, environ={"HOME": str(home), "HW_REGION_NAME": "x"})

    assert (resolved.region, resolved.project_id) == ("cn-east-3", "p-profile")
    assert str(resolved.credential).startswith("agency rollout of grid-inc, assumed with access key ****")
    assert resolved.origins["project_id"] == "projectId (profile prod in ~/.hcloud/config.json)"


@pytest.mark.parametrize(
    ("content", "headline"),
    [
        (None, "profile is set, and there is no ~/.hcloud/config.json"),
        ("{}", "~/.hcloud/config.json cannot be read: it has no list of profiles"),
        ("{", "~/.hcloud/config.json cannot be read: it is no JSON"),
        ('{"profiles": [{"name": "dev"}, 7]}', "there is no profile prod in ~/.hcloud/config.json"),
    ],
)
def test_a_profile_that_is_not_there(home: Path, content: str | None, headline: str) -> None:
    """A named profile that cannot be read is an error that lists the existing ones. No other credential replaces it."""
    if content is not None:
        (home / ".hcloud" / "config.json").write_text(content)

    with pytest.raises(ConfigurationError) as caught:
        found({}, {"profile": "prod"}, HOME=str(home), HW_ACCESS_KEY="AK", HW_SECRET_KEY="SK")

    assert caught.value.headline == headline


def test_a_credentials_file_of_the_sdk(home: Path) -> None:
    """Keys, tokens of pipelines and settings of the SDK's file are read from the path in its variable."""
    file = home / "elsewhere"
    file.write_text("[basic]\nak = AK\nsk = 10%SK\nproject_id = p-file\niam_endpoint = https://iam.example.com\n")
    environ = {"HOME": str(home), "HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(file), "HW_REGION_NAME": "r1"}
    section(home, "[basic]\nidp_id = pipeline\nid_token_file = /run/token\n")

    resolved = resolve(None, config={}, environ=environ)

    assert resolved.credential.secrets == ("AK", "10%SK")
    assert (resolved.project_id, resolved.iam_endpoint) == ("p-file", "https://iam.example.com")
    assert resolved.origins["project_id"] == "project_id (~/elsewhere [basic])"
    assert found({}, {}, HOME=str(home)) == IdTokenFile("/run/token", "pipeline", "")


@pytest.mark.parametrize("name", ["basic", "global"])
def test_a_credentials_file_that_is_not_used_decides_nothing(home: Path, name: str) -> None:
    """If another source has the credential, the IAM of the file, which can be another cloud's, gets no password."""
    section(home, f"[{name}]\nak = AK\nsk = SK\nproject_id = p-file\niam_endpoint = https://iam.example.com\n")
    user = {"HW_USER_NAME": "operator", "HW_USER_PASSWORD": "phrase", "HW_DOMAIN_NAME": "meters-inc"}

    resolved = resolve(None, config={}, environ={"HOME": str(home), "HW_REGION_NAME": "cn-north-4", **user})

    assert isinstance(resolved.credential, UserPassword)
    assert (resolved.iam_endpoint, resolved.project_id) == ("https://iam.cn-north-4.myhuaweicloud.com", "")


def test_global_credentials_have_no_project(home: Path) -> None:
    """The section of global services has a key and its IAM. Its project_id is ignored, as the SDK ignores it."""
    section(home, "[global]\nak = AK\nsk = SK\nproject_id = p-file\niam_endpoint = https://iam.example.com\n")

    resolved = resolve(None, config={}, environ={"HOME": str(home), "HW_REGION_NAME": "cn-north-4"})

    assert resolved.credential.secrets == ("AK", "SK")
    assert (resolved.project_id, resolved.iam_endpoint) == ("", "https://iam.example.com")


def test_a_broken_file_is_told_where_its_turn_comes(home: Path) -> None:
    """A file that cannot be read stops only those who need it, and its content is not repeated."""
    section(home, "ak = very-secret\n")
    environ = {"HOME": str(home)}

    with pytest.raises(ConfigurationError, match="it is no INI file") as caught:
        found({}, {}, **environ)
    assert "very-secret" not in "".join([str(caught.value), repr(caught.value.__cause__)])
    assert isinstance(found({}, {}, **environ, HW_ACCESS_KEY="AK", HW_SECRET_KEY="SK"), AccessKey)


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        ({"mode": "SSO", "accessKeyId": "AK-old", "secretAccessKey": "SK", "ssoAuth": None}, "hcloud configure sso"),
        ({"mode": "SSO", "ssoAuth": {"stsToken": {"accessKeyId": ""}}}, "hcloud configure sso"),
        ({"mode": "AKSK", "accessKeyId": "", "secretAccessKey": ""}, "hcloud configure set"),
        ({"mode": "ecsAgency", "accessKeyId": "AK-left", "secretAccessKey": "SK"}, 'set credentials="ecs"'),
        ({"mode": "AssumeRole", "agencyName": "a", "agencyDomainName": "d"}, "use one of mode AKSK or SSO"),
    ],
)
def test_a_profile_without_its_key_is_no_leave_to_use_another(home: Path, fields: dict[str, Any], advice: str) -> None:
    """A profile without its key is an error. Its other settings serve a credential from an earlier place."""
    profile(home, **fields, region="cn-east-3")
    environ = {"HOME": str(home), "HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "SK", "HW_PROJECT_ID": "p"}

    with pytest.raises(ConfigurationError) as caught:
        found({"profile": "prod"}, {}, **environ)

    headline = f"profile prod in ~/.hcloud/config.json has no usable key, its mode is {fields['mode']}"
    assert caught.value.headline == headline
    assert advice in " ".join(str(caught.value).split())
    given = Connection(profile="prod", access_key="AK-argument", secret_key="SK")
    assert resolve(given, config={}, environ=environ).region == "cn-east-3"


def test_a_sign_in_brings_all_of_its_key(home: Path) -> None:
    """What a profile held before its sign-in is no part of the key of the sign-in."""
    token = {"accessKeyId": "AK-sso", "secretAccessKey": "SK-sso"}
    profile(home, mode="SSO", ssoAuth={"stsToken": token}, accessKeyId="AK-old", securityToken="ST-old")

    assert found({"profile": "prod"}, HOME=str(home)).secrets == ("AK-sso", "SK-sso")


@pytest.mark.parametrize("file", ["x" * 300, "loop"])
def test_a_place_that_can_not_be_looked_into_is_told_where_its_turn_comes(home: Path, file: str) -> None:
    """The home of another user, as in many images, does not disturb a credential from elsewhere."""
    (home / "loop").symlink_to(home / "loop")
    environ = {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(home / file), "HOME": str(home)}

    assert isinstance(found({}, {}, **environ, HW_ACCESS_KEY="AK", HW_SECRET_KEY="SK"), AccessKey)
    with pytest.raises(ConfigurationError, match=r"read: (file name too long|too many levels)"):
        found({}, {}, **environ)
    with pytest.raises(ConfigurationError, match=r"read: (file name too long|too many levels)"):
        found({"profile": "prod"}, {}, HW_SHARED_CONFIG_FILE=str(home / file))


def test_what_sources_hold_is_in_no_representation() -> None:
    """Neither the table's findings nor what they are read from show a value."""
    inputs = Inputs(Connection(secret_key="very-secret"), {"password": "very-secret"}, {"HW_AUTH_TOKEN": "very-secret"})

    assert "very-secret" not in repr(read_sources(inputs)) + repr(inputs)
