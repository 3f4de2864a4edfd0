"""The table of the settings of a connection: meaning, limits, and the names that the vendor's tools use.

The sources of settings, the options of the command line, the schema of the plugin and the pages are made from it. A
test compares it with the fields of ``Connection``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pulumi_iotda_ota.iotda.limits import CLOUD, INSTANCE_ID, PROJECT_ID, PROJECT_NAME, REGION, Choice, Pattern

#: The places in which the vendor's tools have other names.
Place = Literal["hw", "sdk", "profile", "section"]


@dataclass(frozen=True)
class ModelLimit:
    """A limit that the model ``Connection`` checks; ``meaning`` reads after "must be"."""

    meaning: str


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        name: as Python spells it.
        type: the type of the value, as the schema calls it.
        description: what it is, in full sentences, with a default that is no value.
        rule: the limit of the value.
        default: the value that has the same meaning as no value.
        example: one value that is allowed; a secret has none.
        secret: whether it belongs to a credential that must not be stored.
        hw: the environment variable ``HW_*``: of the vendor's Terraform provider, or of this library.
        sdk: the environment variable ``HUAWEICLOUD_SDK_*`` of the vendor's SDKs.
        profile: the key in a profile of KooCLI.
        section: the key in the credentials file of the vendor's SDKs.
    """

    name: str
    type: Literal["string", "boolean", "integer", "number", "list of strings"]
    description: str
    rule: Pattern | Choice | ModelLimit | None = None
    default: object = None
    example: object = None
    secret: bool = False
    hw: str = ""
    sdk: str = ""
    profile: str = ""
    section: str = ""
    # Settings are described by the same code as the arguments of functions.
    maximum: None = None

    @property
    def environment(self) -> tuple[str, ...]:
        """Return the variables that hold it, in their order."""
        return tuple(name for name in (self.hw, self.sdk) if name)


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "region",
        "string",
        "The region of the IoTDA instance. Default: the region in the endpoint.",
        rule=REGION,
        example="cn-north-4",
        hw="HW_REGION_NAME",
        profile="region",
    ),
    Setting(
        "cloud",
        "string",
        "The domain of the cloud, for the endpoints that are made from the region. Default: the cloud of the region.",
        rule=CLOUD,
        example="myhuaweicloud.eu",
        hw="HW_CLOUD",
    ),
    Setting(
        "endpoint",
        "string",
        "The HTTPS endpoint of the instance, for applications. Default: the shared endpoint of the region.",
        example="https://a1b2c3d4e5.st1.iotda-app.cn-north-4.myhuaweicloud.com",
        hw="HW_IOTDA_ENDPOINT",
    ),
    Setting(
        "project_id",
        "string",
        "The id of the project that owns the instance. Default: IAM returns the project of the region.",
        rule=PROJECT_ID,
        example="0123456789abcdef0123456789abcdef",
        hw="HW_PROJECT_ID",
        sdk="HUAWEICLOUD_SDK_PROJECT_ID",
        profile="projectId",
        section="project_id",
    ),
    Setting(
        "project_name",
        "string",
        "The name of the project, instead of its id. It begins with the region, and IAM returns the id. If a source "
        "has both, the id counts.",
        rule=PROJECT_NAME,
        example="cn-north-4_iot",
        hw="HW_PROJECT_NAME",
    ),
    Setting(
        "instance_id",
        "string",
        "The id of the IoTDA instance, if the account has several. Default: the default instance.",
        rule=INSTANCE_ID,
        example="0123abcd-0123-0123-0123-0123456789ab",
        hw="HW_IOTDA_INSTANCE_ID",
    ),
    Setting(
        "signing",
        "string",
        "The algorithm that signs requests. If it is auto, the endpoint decides.",
        rule=Choice(("auto", "standard", "derived")),
        default="auto",
        example="derived",
        hw="HW_IOTDA_SIGNING",
    ),
    Setting(
        "deadline",
        "number",
        "The longest time of one operation in seconds, with all its pages and retries.",
        rule=ModelLimit("a number of seconds above 0, at most 86,400"),
        default=60,
        example=20,
    ),
    Setting(
        "max_attempts",
        "integer",
        "How often one request is sent at most.",
        rule=ModelLimit("a whole number from 1 to 20"),
        default=5,
        example=3,
    ),
    Setting(
        "ca_file",
        "string",
        "A file with the certificates to trust. Default: the file in REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE, otherwise "
        "the certificates of certifi.",
        example="/etc/ssl/acme.pem",
    ),
    Setting(
        "insecure",
        "boolean",
        "Do not verify the certificate of the server.",
        default=False,
        example=True,
        hw="HW_INSECURE",
    ),
    Setting(
        "proxy",
        "string",
        "The URL of the proxy, without user and password. Default: the proxy in HTTPS_PROXY or ALL_PROXY.",
        example="http://proxy.example.com:3128",
    ),
    Setting(
        "profile",
        "string",
        "The profile of KooCLI to read, in ~/.hcloud/config.json or the file in HW_SHARED_CONFIG_FILE. Default: none, "
        "or the current profile if HW_SHARED_CONFIG_FILE is set.",
        example="prod",
        hw="HW_PROFILE",
    ),
    Setting(
        "credentials",
        "string",
        "The source of temporary credentials on the machine: ecs is the agency of the ECS on which the program runs. "
        "Default: none.",
        rule=Choice(("ecs",)),
        example="ecs",
    ),
    Setting(
        "allowed_project_ids",
        "list of strings",
        "The ids of the projects that may be used. Every other project is refused. Default: all projects.",
        example=["0123456789abcdef0123456789abcdef"],
    ),
    Setting(
        "iam_endpoint",
        "string",
        "The HTTPS endpoint of IAM, with or without /v3. Default: the endpoint of IAM for the region.",
        example="https://iam.cn-north-4.myhuaweicloud.com",
        hw="HW_AUTH_URL",
        sdk="HUAWEICLOUD_SDK_IAM_ENDPOINT",
        section="iam_endpoint",
    ),
    Setting(
        "access_key",
        "string",
        "The access key (AK). It needs {secret_key} in the same source.",
        secret=True,
        hw="HW_ACCESS_KEY",
        sdk="HUAWEICLOUD_SDK_AK",
        profile="accessKeyId",
        section="ak",
    ),
    Setting(
        "secret_key",
        "string",
        "The secret key (SK) of {access_key}.",
        secret=True,
        hw="HW_SECRET_KEY",
        sdk="HUAWEICLOUD_SDK_SK",
        profile="secretAccessKey",
        section="sk",
    ),
    Setting(
        "security_token",
        "string",
        "The security token of {access_key}, if the key is temporary.",
        secret=True,
        hw="HW_SECURITY_TOKEN",
        sdk="HUAWEICLOUD_SDK_SECURITY_TOKEN",
        profile="securityToken",
        section="security_token",
    ),
    Setting("auth_token", "string", "An IAM token, instead of an access key.", secret=True, hw="HW_AUTH_TOKEN"),
    Setting(
        "user_name",
        "string",
        "The name of an IAM user, instead of an access key. It needs {password} and {domain_name} in the same source.",
        secret=True,
        hw="HW_USER_NAME",
    ),
    Setting("password", "string", "The password of {user_name}.", secret=True, hw="HW_USER_PASSWORD"),
    Setting(
        "domain_name",
        "string",
        "The name of the account of the IAM user. It is also the account of the agency, unless the account of "
        "the agency is set.",
        example="meters-inc",
        hw="HW_DOMAIN_NAME",
    ),
    Setting(
        "agency_name",
        "string",
        "The name of an agency to assume. It needs the name or the id of its account in the same source. Default: "
        "none.",
        example="ota-rollout",
        hw="HW_ASSUME_ROLE_AGENCY_NAME",
        profile="agencyName",
    ),
    Setting(
        "agency_domain_name",
        "string",
        "The name of the account that has {agency_name}. Default: {domain_name} of the same source.",
        example="grid-inc",
        hw="HW_ASSUME_ROLE_DOMAIN_NAME",
        profile="agencyDomainName",
    ),
    Setting(
        "agency_domain_id",
        "string",
        "The id of the account that has {agency_name}, instead of its name. If a source has both, the id counts.",
        example="0123456789abcdef0123456789abcdef",
        hw="HW_ASSUME_ROLE_DOMAIN_ID",
        profile="agencyDomainId",
    ),
    Setting(
        "oidc_token_file",
        "string",
        "The file with an OpenID Connect token, instead of an access key. It needs {idp_id} in the same source.",
        example="/var/run/secrets/token",
        hw="HW_ASSUME_ROLE_ID_TOKEN_FILE",
        sdk="HUAWEICLOUD_SDK_ID_TOKEN_FILE",
        section="id_token_file",
    ),
    Setting(
        "idp_id",
        "string",
        "The id of the identity provider in IAM that accepts {oidc_token_file}.",
        example="gitlab",
        hw="HW_ASSUME_ROLE_IDP_ID",
        sdk="HUAWEICLOUD_SDK_IDP_ID",
        section="idp_id",
    ),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}


def names_in(place: Place) -> dict[str, str]:
    """Return the name of each setting in a place of the vendor's tools."""
    return {setting.name: name for setting in SETTINGS if (name := getattr(setting, place))}
