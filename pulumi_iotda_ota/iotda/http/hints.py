"""The advice for known refusals, by documented code and status.

A ``cause`` is a probable reason, a ``fix`` solves a known problem.
Source: the vendor's pages "Error Codes" of IoTDA, API Gateway and IAM.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.actions import ACTIONS, AGENCY, AGENCY_NEEDS, UNCONFIRMED
from pulumi_iotda_ota.iotda.auth.credentials import AccessKey, EcsMetadata, IdToken, UserPassword
from pulumi_iotda_ota.iotda.auth.endpoint import IAM_REGIONS, REGIONS, near_region, read_endpoint
from pulumi_iotda_ota.iotda.references import argument, setting
from pulumi_iotda_ota.iotda.retry import is_throttle

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.http.messages import Request

Facts = list[tuple[str, str]]

_WRONG_EDITION = (
    "cause",
    f"this endpoint belongs to another edition; set {setting('endpoint')} to the one on the instance's console page",
)
_WRONG_SPACE = (
    "fix",
    f"check {argument('app_id')}: this account, project and instance have no such resource space",
)
_POLICY = "iotda-ota doctor --policy prints a policy"
_NO_PERMISSION = ("fix", f"grant the user the IAM action of the operation, which the message names; {_POLICY}")
# The wording of a denial of IAM, with any code.
_DENIED = ("not authorized to perform", "policy doesn't allow")
_OF_SERVICE = "IOTDA."
_CODES = (_OF_SERVICE, "APIGW.", "APIG.", "IAM.")
_WRONG_PLACE = (
    "cause",
    f"{setting('endpoint')} is not IoTDA's application endpoint, or {setting('project_id')} belongs to another region",
)
_INTERMEDIARY = (
    "cause",
    "a firewall or proxy between this machine and IoTDA sent it: a response of the service has an error_code",
)
# The ids of a creation that can be wrong.
_WRONG_IDS = {
    "CreateBatchTask": (
        "fix",
        f"check {argument('group_ids')}, {argument('targets')} and {argument('package_ids')}",
    ),
    "CreateOtaPackage": (
        "fix",
        f"check {argument('product_id')}, {argument('module_name')} and {argument('obs_location')}",
    ),
}
_AGENCY = (
    "cause",
    f"the agency {AGENCY} lacks {AGENCY_NEEDS}, which OTA operations need",
)
_SEVERAL_INSTANCES = (
    "cause",
    f"the account has several instances, and {setting('instance_id')} is not set",
)
ON_ECS = f"{setting('credentials', 'ecs')} works only on an ECS of Huawei Cloud that has an agency"
_BY_OPERATION = {
    "KeystoneCreateUserTokenByPassword": (
        f"check {setting('user_name')}, {setting('domain_name')}, and {setting('region')} or {setting('project_id')}"
    ),
    "CreateUnscopedTokenWithIdToken": f"check {setting('idp_id')}, and that its conversion rules accept this token",
    "CreateTemporaryAccessKeyByToken": (
        f"check that the conversion rules of {setting('idp_id')} assign a user group to the token"
    ),
    "CreateTemporaryAccessKeyByAgency": (
        f"check {setting('agency_name')} and its account, and that the credential may assume it (Agent Operator)"
    ),
    "KeystoneListProjects": f"set {setting('project_id')}, or permit the credential to list projects",
    "CreateMetadataToken": ON_ECS,
    "ShowSecurityKey": ON_ECS,
}
TOO_FAST = ("fix", "try again later, or run fewer programs at a time")

_EXPIRED = "the token has expired, or is of another region"
_ENCRYPTED = (
    "the profile's secrets are encrypted (hcloud configure set --cli-auth-encrypt=false), or its sign-in has expired"
)
_OTHER_CAUSES: dict[type, str] = {
    UserPassword: (
        f"{setting('user_name')}, {setting('password')} or {setting('domain_name')} is wrong; only an IAM user gets a "
        "token, a HUAWEI ID does not"
    ),
    IdToken: (f"the identity provider's token has expired, or {setting('idp_id')} is that of another provider"),
    EcsMetadata: ON_ECS,
}

_LOCKED = "IAM.0061"
_WRONG_SIGNATURE = ("IOTDA.000002", "APIGW.0301")
#: The advice by code.
BY_CODE = {
    "IOTDA.000004": ("fix", "get a new token: this one is invalid or has expired"),
    "IOTDA.000021": _WRONG_EDITION,
    "IOTDA.000029": _WRONG_PLACE,
    "IOTDA.001000": _WRONG_SPACE,
    "IOTDA.001002": ("fix", "authorize this resource space for the user"),
    "IOTDA.001005": (
        "fix",
        f"set {argument('app_id')}: the account has more than one resource space",
    ),
    "IOTDA.001006": _WRONG_SPACE,
    "IOTDA.001007": _WRONG_SPACE,
    "APIGW.0101": _WRONG_PLACE,
    "APIGW.0302": _NO_PERMISSION,
    "APIGW.0306": _NO_PERMISSION,
    "APIG.0302": _NO_PERMISSION,
    "APIG.0306": _NO_PERMISSION,
    "APIGW.0310": ("fix", f"check {setting('project_id')}: the project is not available"),
    "APIGW.0802": ("fix", "grant the user access to this region"),
    "IAM.0002": _NO_PERMISSION,
    "IAM.0003": _NO_PERMISSION,
}


def hint(
    request: Request[Any], status: int, code: str, message: str, connection: ResolvedConnection, *, denied: bool = False
) -> Facts:
    """Return the advice for a refusal, or an empty list.

    ``denied`` says that the response has a field that only a denial of IAM has.
    """
    if is_throttle(status, code):
        return [TOO_FAST]
    if request.goes_to_iam:
        advised = status < HTTPStatus.INTERNAL_SERVER_ERROR and request.operation in _BY_OPERATION
        return [("fix", _BY_OPERATION[request.operation])] if advised else []
    if denied or BY_CODE.get(code) is _NO_PERMISSION or any(words in message.lower() for words in _DENIED):
        probably = "probably " if request.operation in UNCONFIRMED else ""
        return [("fix", f"grant the user {probably}{' and '.join(ACTIONS[request.operation])}; {_POLICY}")]
    facts = [BY_CODE[code]] if code in BY_CODE else []
    if status == HTTPStatus.FORBIDDEN and not code.startswith(_CODES):
        return [*facts, _INTERMEDIARY]
    of_package = status == HTTPStatus.FORBIDDEN and not facts and "ota-upgrades" in request.path
    if code and (_names_agency(message) or (of_package and code.startswith(_OF_SERVICE))):
        facts.append(_AGENCY)
    if "instance" in message.lower() and connection.instance_id is None:
        facts.append(_SEVERAL_INSTANCES)
    if status == HTTPStatus.NOT_FOUND and not facts and _is_collection(request):
        # If the service did not find something, the creation names it. A gateway knows only the path.
        facts.append(_WRONG_IDS.get(request.operation, _WRONG_PLACE) if code.startswith("IOTDA.") else _WRONG_PLACE)
    return facts


def hint_on_page(request: Request[Any], status: int) -> Facts:
    """Return the likely cause of a refusal that is a web page or plain text."""
    is_elsewhere = status == HTTPStatus.NOT_FOUND and _is_collection(request)
    return [*([_WRONG_PLACE] if is_elsewhere else []), _INTERMEDIARY]


def hint_on_no_address(connection: ResolvedConnection) -> Facts:
    """Return the likely cause of a host name without an address, or an empty list."""
    region = connection.region
    if connection.origins.get("endpoint") != f"the region {region}":
        return []
    if region in REGIONS:
        own = "no name server responds, or the region has no shared endpoint"
        return [("cause", own)]
    if region in IAM_REGIONS:
        own = f"set {setting('endpoint')} to the endpoint on the console page of the instance"
        return [("cause", f"{region} has no shared endpoint of IoTDA"), ("fix", own)]
    meant = near_region(region)
    question = f"; did you mean {meant}?" if meant else ""
    return [("cause", f"the region name {region} is wrong, as the endpoint is made from it{question}")]


def hint_on_refused_credentials(
    request: Request[Any], code: str, message: str, connection: ResolvedConnection
) -> Facts:
    """Return the likely cause of a 401, or an empty list."""
    if (
        code == _LOCKED
        or "locked" in message.lower()
        or ("forbidden" in message.lower() and "limit" in message.lower())
    ):
        return [("fix", "wait: after five failures IAM locks the account for five minutes or longer")]
    credential = connection.credential
    if not isinstance(credential, AccessKey):
        return [("cause", _OTHER_CAUSES.get(type(credential), _EXPIRED))]
    if "not exist" in message.lower():
        return [("cause", "the access key was deleted, or mistyped")]
    if ".hcloud" in credential.source:
        return [("cause", _ENCRYPTED)]
    wrong = [("cause", _wrong_secret(credential))] if code in _WRONG_SIGNATURE else []
    return wrong if request.goes_to_iam else _wrong_signing(connection, wrong)


def _wrong_signing(connection: ResolvedConnection, wrong: Facts) -> Facts:
    """Return the signing that the endpoint needs, or the cause if the signing is right."""
    forced = _forced_mismatch(connection)
    if forced:
        return [("cause", forced)]
    endpoint = read_endpoint(connection.endpoint)
    if endpoint.is_instance or endpoint.region:
        return wrong
    # A custom domain shows neither the edition nor the region.
    if connection.algorithm == "derived":
        standard = setting("signing", "standard")
        other = f"the instance is not in {connection.region}, or it needs {standard}"
        return [*wrong, ("cause", other)]
    return [*wrong, ("cause", f"if this is the custom domain of an instance, it needs {setting('signing', 'derived')}")]


def _names_agency(message: str) -> bool:
    return any(word in message.lower() for word in ("agency", "iotda_admin_trust", "kms", "obs "))


def _is_collection(request: Request[Any]) -> bool:
    return request.path in ("ota-upgrades/packages", "batchtasks", "devices")


def _wrong_secret(credential: AccessKey) -> str:
    if credential.security_token:
        return "the secret key or the security token is not that of the access key, or they have expired"
    return f"the secret key is not that of the access key, or a temporary key lacks its {setting('security_token')}"


def _forced_mismatch(connection: ResolvedConnection) -> str:
    """Return the mismatch of a configured algorithm and the endpoint, or empty."""
    endpoint = read_endpoint(connection.endpoint)
    derived = connection.algorithm == "derived"
    if endpoint.is_instance and not derived:
        return f"this endpoint of an instance needs derived signing, and it is set to {setting('signing', 'standard')}"
    if derived and endpoint.region and not endpoint.is_instance:
        return f"this endpoint of a region needs standard signing, and it is set to {setting('signing', 'derived')}"
    return ""
