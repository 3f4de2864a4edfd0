"""The one table of the settings of a connection: what each means, its limits, and where the environment has it.

``iotda/auth/connection.py`` reads them and is compared with this table by a test; the schema of the plugin and the page
of settings are made from it. Nothing here looks for one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        name: as Python spells it.
        type: ``text``, ``flag``, ``number`` (whole), ``decimal`` or ``texts`` (a list).
        description: a full sentence with default and limits.
        environment: the variables that hold it, the first that is set counts.
        secret: whether it belongs to a credential.
    """

    name: str
    type: str
    description: str
    environment: tuple[str, ...] = ()
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting("region", "text", "The region, such as cn-north-4.", ("HW_REGION_NAME",)),
    Setting(
        "cloud",
        "text",
        "The domain of the cloud, for the endpoints that are made from the region. By default the one of the region: "
        "myhuaweicloud.com, or myhuaweicloud.eu.",
        ("HW_CLOUD",),
    ),
    Setting(
        "endpoint",
        "text",
        "The HTTPS endpoint of the instance. By default the shared endpoint of the region.",
        ("HW_IOTDA_ENDPOINT",),
    ),
    Setting(
        "project_id",
        "text",
        "The project that owns the instance. Default: the project of the region, as IAM lists it.",
        ("HW_PROJECT_ID", "HUAWEICLOUD_SDK_PROJECT_ID"),
    ),
    Setting(
        "project_name",
        "text",
        "The name of the project, instead of its id, such as cn-north-4_iot. It begins with the region. IAM returns "
        "the id. If a source has both, the id counts.",
        ("HW_PROJECT_NAME",),
    ),
    Setting("instance_id", "text", "The IoTDA instance, if the account has several.", ("HW_IOTDA_INSTANCE_ID",)),
    Setting(
        "signing",
        "text",
        "How requests are signed: auto (the default: by the endpoint), standard or derived.",
        ("HW_IOTDA_SIGNING",),
    ),
    Setting(
        "deadline",
        "decimal",
        "Seconds that one whole operation may take, with pages and retries: above 0, at most 86,400; 60 by default.",
    ),
    Setting("max_attempts", "number", "How often one request is sent at most, 1 to 20; 5 by default."),
    Setting("ca_file", "text", "A file of certificates to trust instead of the usual ones."),
    Setting("insecure", "flag", "Do not verify the certificate of the server. Off by default.", ("HW_INSECURE",)),
    Setting("proxy", "text", "The proxy to use instead of the one that the environment names."),
    Setting(
        "profile",
        "text",
        "A profile of ~/.hcloud/config.json, or of HW_SHARED_CONFIG_FILE. The first is not read without it; of the "
        "second the current profile is the default.",
        ("HW_PROFILE",),
    ),
    Setting("credentials", "text", "The value ecs takes the agency of the ECS that this runs on. Not used by default."),
    Setting("allowed_project_ids", "texts", "The projects that may be asked; every other one is refused."),
    Setting(
        "iam_endpoint",
        "text",
        "The HTTPS endpoint of IAM, with or without /v3. By default the one of the region.",
        ("HW_AUTH_URL", "HUAWEICLOUD_SDK_IAM_ENDPOINT"),
    ),
    Setting(
        "access_key",
        "text",
        "The access key (AK). Goes with the secret key, from the same source.",
        ("HW_ACCESS_KEY", "HUAWEICLOUD_SDK_AK"),
        secret=True,
    ),
    Setting("secret_key", "text", "The secret key (SK).", ("HW_SECRET_KEY", "HUAWEICLOUD_SDK_SK"), secret=True),
    Setting(
        "security_token",
        "text",
        "The security token that goes with a temporary access key.",
        ("HW_SECURITY_TOKEN", "HUAWEICLOUD_SDK_SECURITY_TOKEN"),
        secret=True,
    ),
    Setting("auth_token", "text", "A ready IAM token, instead of an access key.", ("HW_AUTH_TOKEN",), secret=True),
    Setting(
        "user_name",
        "text",
        "An IAM user, instead of an access key. Goes with {password} and {domain_name}, from the same source.",
        ("HW_USER_NAME",),
        secret=True,
    ),
    Setting("password", "text", "The password of the user.", ("HW_USER_PASSWORD",), secret=True),
    Setting(
        "domain_name",
        "text",
        "The account of the user, and of the agency where {agency_domain_name} is not given.",
        ("HW_DOMAIN_NAME",),
    ),
    Setting("agency_name", "text", "An agency to assume with the credential.", ("HW_ASSUME_ROLE_AGENCY_NAME",)),
    Setting("agency_domain_name", "text", "The account that has the agency.", ("HW_ASSUME_ROLE_DOMAIN_NAME",)),
    Setting(
        "oidc_token_file",
        "text",
        "A file with an OpenID Connect token, instead of an access key. Goes with {idp_id}, from the same source.",
        ("HW_ASSUME_ROLE_ID_TOKEN_FILE", "HUAWEICLOUD_SDK_ID_TOKEN_FILE"),
    ),
    Setting(
        "idp_id",
        "text",
        "The identity provider of the token, as IAM knows it.",
        ("HW_ASSUME_ROLE_IDP_ID", "HUAWEICLOUD_SDK_IDP_ID"),
    ),
)


# What each setting is called in the places of the vendor's tools.
#
# Source: the pages of the vendor's Terraform provider (``HW_*``), of its SDK (``HUAWEICLOUD_SDK_*``, and the sections
# of its credentials file) and of KooCLI (profiles).

HW = {
    "region": "HW_REGION_NAME",
    "cloud": "HW_CLOUD",
    "endpoint": "HW_IOTDA_ENDPOINT",
    "project_id": "HW_PROJECT_ID",
    "project_name": "HW_PROJECT_NAME",
    "instance_id": "HW_IOTDA_INSTANCE_ID",
    "signing": "HW_IOTDA_SIGNING",
    "insecure": "HW_INSECURE",
    "profile": "HW_PROFILE",
    "iam_endpoint": "HW_AUTH_URL",
    "access_key": "HW_ACCESS_KEY",
    "secret_key": "HW_SECRET_KEY",
    "security_token": "HW_SECURITY_TOKEN",
    "auth_token": "HW_AUTH_TOKEN",
    "user_name": "HW_USER_NAME",
    "password": "HW_USER_PASSWORD",
    "domain_name": "HW_DOMAIN_NAME",
    "agency_name": "HW_ASSUME_ROLE_AGENCY_NAME",
    "agency_domain_name": "HW_ASSUME_ROLE_DOMAIN_NAME",
    "oidc_token_file": "HW_ASSUME_ROLE_ID_TOKEN_FILE",
    "idp_id": "HW_ASSUME_ROLE_IDP_ID",
}
SDK = {
    "project_id": "HUAWEICLOUD_SDK_PROJECT_ID",
    "iam_endpoint": "HUAWEICLOUD_SDK_IAM_ENDPOINT",
    "access_key": "HUAWEICLOUD_SDK_AK",
    "secret_key": "HUAWEICLOUD_SDK_SK",
    "security_token": "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    "oidc_token_file": "HUAWEICLOUD_SDK_ID_TOKEN_FILE",
    "idp_id": "HUAWEICLOUD_SDK_IDP_ID",
}
PROFILE = {
    "region": "region",
    "project_id": "projectId",
    "access_key": "accessKeyId",
    "secret_key": "secretAccessKey",
    "security_token": "securityToken",
    "agency_name": "agencyName",
    "agency_domain_name": "agencyDomainName",
}
SECTION = {
    "project_id": "project_id",
    "iam_endpoint": "iam_endpoint",
    "access_key": "ak",
    "secret_key": "sk",
    "security_token": "security_token",
    "oidc_token_file": "id_token_file",
    "idp_id": "idp_id",
}
