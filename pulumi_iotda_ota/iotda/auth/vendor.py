"""The table of the variables and file keys of the vendor's tools, and what the library does with each.

A variable that decides where requests go, or as whom, is read or refused. If the library ignored it, requests would go
to another place or account without a message. Every other variable has no effect, and ``doctor`` lists it if it is set.

Source: the SDK for Python (``huaweicloudsdkcore`` 3.1.219), Go and Java, the vendor's Terraform provider
(``provider.go``), and the pages of KooCLI about profiles.
"""

from __future__ import annotations

from dataclasses import dataclass

from pulumi_iotda_ota.iotda.auth.settings import SETTINGS, names_in

READ, REFUSED, IGNORED = "read", "refused", "ignored"
_TERRAFORM, _SDK, _KOOCLI = "Terraform", "SDK", "KooCLI"
_OWN = "this library"
_OIDC = "set HW_ASSUME_ROLE_ID_TOKEN_FILE and HW_ASSUME_ROLE_IDP_ID, which IAM v3 takes"
_NO_ENTERPRISE = "requests to IoTDA have no enterprise project"
_TOOL = "an option of that tool alone"


@dataclass(frozen=True)
class VendorName:
    """A variable, or a key of a file, that one of the vendor's tools reads.

    Attributes:
        name: the variable or the key.
        tool: the tool that reads it.
        use: ``read``, ``refused`` or ``ignored``.
        text: the setting that it holds, what to set instead, or why it has no effect.
        instead: a refused variable is no error if its source has this setting.
        with_: a refused variable is an error only if its source has one of these settings; empty: always.
        before: a refused variable precedes credentials that begin with these settings in its source.
    """

    name: str
    tool: str
    use: str
    text: str
    instead: str = ""
    with_: tuple[str, ...] = ()
    before: tuple[str, ...] = ()


def _settings() -> tuple[VendorName, ...]:
    return tuple(
        VendorName(name, _SDK if name == setting.sdk else _OWN if "IOTDA" in name else _TERRAFORM, READ, setting.name)
        for setting in SETTINGS
        for name in setting.environment
    )


def _refused(name: str, tool: str, text: str, **more: str | tuple[str, ...]) -> VendorName:
    return VendorName(name, tool, REFUSED, text, **more)  # type: ignore[arg-type]


def _ignored(tool: str, text: str, *names: str) -> tuple[VendorName, ...]:
    return tuple(VendorName(name, tool, IGNORED, text) for name in names)


def _openstack() -> tuple[VendorName, ...]:
    """Return the second names of the Terraform provider, which OpenStack's clients and other clouds use too."""
    replacements = {
        "OS_REGION_NAME": "HW_REGION_NAME",
        "OS_ACCESS_KEY": "HW_ACCESS_KEY",
        "OS_SECRET_KEY": "HW_SECRET_KEY",
        "OS_DOMAIN_ID": "HW_DOMAIN_NAME",
        "OS_USER_DOMAIN_ID": "HW_DOMAIN_NAME",
        "OS_PROJECT_DOMAIN_ID": "HW_DOMAIN_NAME",
        "OS_DOMAIN_NAME": "HW_DOMAIN_NAME",
        "OS_USER_DOMAIN_NAME": "HW_DOMAIN_NAME",
        "OS_PROJECT_DOMAIN_NAME": "HW_DOMAIN_NAME",
        "OS_USERNAME": "HW_USER_NAME",
        "OS_USER_ID": "HW_USER_NAME",
        "OS_PASSWORD": "HW_USER_PASSWORD",
        "OS_PROJECT_ID": "HW_PROJECT_ID",
        "OS_TENANT_ID": "HW_PROJECT_ID",
        "OS_PROJECT_NAME": "HW_PROJECT_NAME",
        "OS_TENANT_NAME": "HW_PROJECT_NAME",
        "OS_DELEGATED_PROJECT": "HW_PROJECT_NAME",
        "OS_AUTH_TOKEN": "HW_AUTH_TOKEN",
        "OS_AUTH_URL": "HW_AUTH_URL",
        "OS_INSECURE": "HW_INSECURE",
        "OS_AGENCY_NAME": "HW_ASSUME_ROLE_AGENCY_NAME",
        "OS_AGENCY_DOMAIN_NAME": "HW_ASSUME_ROLE_DOMAIN_NAME",
        "OS_CACERT": "the setting ca_file",
    }
    return tuple(
        VendorName(name, _TERRAFORM, IGNORED, f"read instead: {other}") for name, other in replacements.items()
    )


#: Every variable, each once.
VARIABLES: tuple[VendorName, ...] = (
    *_settings(),
    VendorName("HW_SHARED_CONFIG_FILE", _TERRAFORM, READ, "the file of profiles; its current profile is the default"),
    VendorName("HUAWEICLOUD_SDK_CREDENTIALS_FILE", _SDK, READ, "the credentials file"),
    VendorName("HUAWEICLOUD_SDK_REGIONS_FILE", _SDK, READ, "the file of regions: the endpoint under IoTDA"),
    _refused("HW_USER_ID", _TERRAFORM, "set HW_USER_NAME", instead="user_name", before=("user_name",)),
    _refused("HW_DOMAIN_ID", _TERRAFORM, "set HW_DOMAIN_NAME", instead="domain_name", with_=("user_name", "password")),
    _refused(
        "HW_ASSUME_ROLE_ID_TOKEN", _TERRAFORM,
        "write the token to a file, and set HW_ASSUME_ROLE_ID_TOKEN_FILE and HW_ASSUME_ROLE_IDP_ID",
        instead="oidc_token_file", before=("oidc_token_file", "access_key", "user_name"),
    ),
    _refused("HUAWEICLOUD_OIDC_PROVIDER_URN", _SDK, _OIDC),
    _refused("HUAWEICLOUD_OIDC_AGENCY_URN", _SDK, _OIDC),
    _refused("HUAWEICLOUD_OIDC_ID_TOKEN", _SDK, _OIDC),
    _refused("HUAWEICLOUD_OIDC_TOKEN_FILE", _SDK, _OIDC),
    *_ignored(
        _SDK, "needs HUAWEICLOUD_OIDC_AGENCY_URN, which is refused",
        "HUAWEICLOUD_OIDC_SESSION_NAME", "HUAWEICLOUD_OIDC_DURATION_SECONDS", "HUAWEICLOUD_OIDC_POLICY",
        "HUAWEICLOUD_OIDC_POLICY_IDS", "HUAWEICLOUD_SDK_STS_ENDPOINT",
    ),
    *_ignored(_SDK, "for services without regions; IoTDA has regions", "HUAWEICLOUD_SDK_DOMAIN_ID"),
    *_ignored(
        _SDK, "the identity of a pod is not used",
        "HC_CONTAINER_CREDENTIALS_FULL_URI", "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    ),
    *_ignored(_TERRAFORM, _NO_ENTERPRISE, "HW_ENTERPRISE_PROJECT_ID"),
    *_ignored(_TERRAFORM, "read instead: the setting max_attempts", "HW_MAX_RETRIES"),
    *_ignored(_TERRAFORM, "read instead: HW_IOTDA_SIGNING", "HW_SIGNING_ALGORITHM"),
    *_ignored(_TERRAFORM, "a temporary key lasts six hours and is refreshed", "HW_ASSUME_ROLE_DURATION"),
    *_ignored(
        _TERRAFORM, _TOOL,
        "HW_TF_CUSTOM_UA", "HW_ENABLE_FORCE_NEW", "SKIP_CHECK_WEBSITE_TYPE", "SKIP_CHECK_UPGRADE",
    ),
    *_ignored(_TERRAFORM, "IoTDA takes no client certificate", "OS_CERT", "OS_KEY"),
    *_openstack(),
)  # fmt: skip

#: Every key of a profile in ``~/.hcloud/config.json`` and of ``~/.huaweicloud/credentials``.
FILE_KEYS: tuple[VendorName, ...] = (
    *(VendorName(key, "profile", READ, setting) for setting, key in names_in("profile").items()),
    VendorName("mode", "profile", READ, "the key that counts: AKSK or SSO"),
    VendorName("ssoAuth", "profile", READ, "the temporary key, if mode is SSO"),
    *_ignored("profile", "requests to IoTDA need no id of the account", "domainId"),
    *_ignored("profile", "read instead: the setting insecure", "skipSecureVerify"),
    *_ignored("profile", "read instead: the setting deadline", "readTimeout", "connectTimeout"),
    *_ignored("profile", "read instead: the setting max_attempts", "retryCount"),
    *(VendorName(key, "credentials file", READ, setting) for setting, key in names_in("section").items()),
    *_ignored("credentials file", "for services without regions; IoTDA has regions", "domain_id"),
)
