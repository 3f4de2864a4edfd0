"""What each setting is called in the places of the vendor's tools.

Source: the pages of the vendor's Terraform provider (``HW_*``), of its SDK (``HUAWEICLOUD_SDK_*``, and the sections of
its credentials file) and of KooCLI (profiles).
"""

from __future__ import annotations

__all__ = ["HW", "PROFILE", "SDK", "SECTION"]

HW = {
    "region": "HW_REGION_NAME",
    "endpoint": "HW_IOTDA_ENDPOINT",
    "project_id": "HW_PROJECT_ID",
    "instance_id": "HW_IOTDA_INSTANCE_ID",
    "signing": "HW_IOTDA_SIGNING",
    "insecure": "HW_INSECURE",
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
