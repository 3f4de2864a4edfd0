"""What becomes of answers that refuse."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from pulumi_iotda_ota.iotda.actions import ACTIONS, UNCONFIRMED
from pulumi_iotda_ota.iotda.api import devices, protocol
from pulumi_iotda_ota.iotda.auth.credentials import AccessKey, AuthToken
from pulumi_iotda_ota.iotda.errors import CredentialsError, ServiceError
from pulumi_iotda_ota.iotda.http.error_responses import read_fault, refusal
from pulumi_iotda_ota.iotda.http.messages import Response
from pulumi_iotda_ota.iotda.models import PackageQuery
from tests.support.fault_helpers import CONNECTION, KEY, NOW, answer

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.http.messages import Request

SAMPLES = sorted((Path(__file__).parents[1] / "contract" / "samples" / "failures").glob("*.json"))
LIST = protocol.list_packages(PackageQuery("firmwarePackage", product_id="p7"))
INSTANCE = "https://a1.st1.iotda-app.cn-north-4.myhuaweicloud.com"


def refused(
    status: int,
    code: str = "",
    message: str = "",
    *,
    request: Request[Any] = LIST,
    headers: dict[str, str] | None = None,
    **changes: Any,
) -> ServiceError | CredentialsError:
    """Return the error for a refusal with this status, code and message."""
    came = replace(answer(status, {"error_code": code, "error_msg": message}), headers=headers or {})
    return refusal(request, came, connection=replace(CONNECTION, **changes), now=NOW)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_every_known_shape_is_read(sample: Path) -> None:
    """Code, message and request id are found in every shape that service, gateway, IAM and proxies use."""
    content = json.loads(sample.read_text(encoding="utf-8"))
    came = Response(content["status"], content["headers"], content["body"].encode())
    fault = read_fault(came, secrets=CONNECTION.secrets)

    assert {"code": fault.code, "message": fault.message, "request_id": fault.request_id} == content["expected"]


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 150, b'{"error_code":' + b"9" * 5000 + b"}", b"\xff" * 99])
def test_a_hostile_body_is_only_a_refusal(body: bytes) -> None:
    """However a refusal's body is made, its status decides."""
    assert read_fault(Response(400, {}, body)).status == 400


def test_a_service_error_keeps_everything() -> None:
    """Status, code, message, request id and the requested wait are attributes. The text names them too."""
    error = refused(503, "IOTDA.000001", "Internal server error.", headers={"x-request-id": "9f3c", "retry-after": "7"})

    assert isinstance(error, ServiceError)
    assert (error.status, error.error_code, error.error_msg) == (503, "IOTDA.000001", "Internal server error.")
    assert (error.request_id, error.retry_after) == ("9f3c", 7.0)
    assert error.headline == "Huawei Cloud failed to list OTA packages (503 IOTDA.000001, request 9f3c)"
    assert ("requested", 'package_type="firmwarePackage", product_id="p7"') in error.facts
    assert ("endpoint", "https://iotda.cn-north-4.myhuaweicloud.com (from the region cn-north-4)") in error.facts


@pytest.mark.parametrize(
    ("status", "code", "message", "label", "words"),
    [
        (403, "IOTDA.001000", "The application does not exist.", "fix", "check app_id"),
        (403, "IOTDA.001006", "", "fix", "check app_id"),
        (403, "IOTDA.001007", "", "fix", "check app_id"),
        (403, "IOTDA.001005", "", "fix", "set app_id"),
        (403, "IOTDA.001002", "", "fix", "authorize this resource space"),
        (403, "IOTDA.000021", "User not found", "cause", "another edition"),
        (403, "IOTDA.000004", "", "fix", "get a new token"),
        (403, "IAM.0003", "Policy doesn't allow", "fix", "iotda:otapackages:queryList"),
        (403, "APIGW.0302", "", "fix", "iotda:otapackages:queryList"),
        (403, "IOTDA.014999", "", "cause", "iotda_admin_trust"),
        (500, "X.1", "no permission of the agency", "cause", "obs:object:GetObject, and KMS Administrator if"),
        (400, "X.1", "The instance is required.", "cause", "instance_id is not set"),
        (404, "", "", "cause", "project_id belongs to another region"),
        (404, "APIGW.0101", "", "cause", "application endpoint"),
        (404, "IOTDA.000029", "", "cause", "application endpoint"),
        (429, "APIGW.0308", "", "fix", "try again later"),
        (403, "IOTDA.021102", "", "fix", "try again later"),
    ],
)
def test_known_refusals_have_a_hint(status: int, code: str, message: str, label: str, words: str) -> None:
    """Each refusal that is known says what to do, or what is likely."""
    facts = refused(status, code, message).facts

    assert any(label == found and words in text for found, text in facts), facts


ID = "28f61af50fc9452aa0ed5ea25c3cc3d3"
NAMED: dict[str, Request[Any]] = {
    "ListOtaPackageInfo": protocol.list_packages(PackageQuery("firmwarePackage")),
    "ShowOtaPackage": protocol.show_package(ID),
    "DeleteOtaPackage": protocol.delete_package(ID),
    "ShowBatchTask": protocol.show_batch_task("5c90fa7d3c4e4405e8525079"),
    "DeleteBatchTask": protocol.delete_batch_task("5c90fa7d3c4e4405e8525079"),
}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("APIGW.0302", ""),
        ("APIG.0302", ""),
        ("IAM.0003", "Policy doesn't allow"),
        ("IOTDA.000099", "User is not authorized to perform: kms or obs action"),
        ("", "Policy doesn't allow iotda:x to be performed."),
    ],
)
@pytest.mark.parametrize("operation", NAMED)
def test_a_denial_names_the_action_of_its_operation(operation: str, code: str, message: str) -> None:
    """Each operation has its own IAM action, and a denial of permission is never one of the agency."""
    error = refused(403, code, message, request=NAMED[operation])
    advice = dict(error.facts)["fix"]

    assert NAMED[operation].operation == operation
    assert advice.startswith(f"grant the user {ACTIONS[operation][0]}")
    assert "iotda-ota doctor --policy" in advice
    assert "cause" not in dict(error.facts)


def test_an_encoded_message_is_a_denial_of_permission() -> None:
    """A refusal with encoded_authorization_message is one of IAM, whatever its code and its text."""
    body = json.dumps({"error_code": "X.1", "error_msg": "agency", "encoded_authorization_message": "eyJ"}).encode()
    error = refusal(LIST, Response(403, {}, body), connection=CONNECTION, now=NOW)

    assert "iotda:otapackages:queryList" in dict(error.facts)["fix"]
    assert "cause" not in dict(error.facts)
    assert "eyJ" not in str(error)


@pytest.mark.parametrize("body", [b"<html><title>Blocked by firewall</title></html>", b"", b"Forbidden"])
def test_a_page_of_something_between_is_no_matter_of_the_agency(body: bytes) -> None:
    """A 403 without a code of the service names no agency: something between refused it."""
    error = refusal(LIST, Response(403, {}, body), connection=CONNECTION, now=NOW)

    assert "iotda_admin_trust" not in str(error)
    assert "a firewall or proxy between this machine and IoTDA" in dict(error.facts)["cause"]


def test_every_operation_has_an_action() -> None:
    """The table has an action for every operation of the API that is requested, and for no other."""
    text = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in (protocol, devices))
    written = set(re.findall(r'operation="(\w+)"', text)) | {
        f"{verb}BatchTask" for verb in ("Stop", "Retry", "Confirm")
    }

    assert set(ACTIONS) == written
    confirmed = [actions[0] for name, actions in ACTIONS.items() if name not in UNCONFIRMED]
    assert len(set(confirmed)) == len(confirmed) == len(ACTIONS) - len(UNCONFIRMED)


def test_a_missing_package_is_no_wrong_endpoint() -> None:
    """A 404 of one package means that package; only a list that is not found points to the endpoint."""
    labels = [label for label, _ in refused(404, request=protocol.show_package("abc")).facts]

    assert "cause" not in labels


@pytest.mark.parametrize(
    ("code", "label", "words"),
    [("IOTDA.014283", "fix", "check group_ids, targets and package_ids"), ("", "cause", "another region")],
)
def test_a_task_whose_devices_or_packages_are_missing(code: str, label: str, words: str) -> None:
    """A 404 at a creation is about what the task names where the service itself says so, else about the endpoint."""
    body = {"task_name": "t", "task_type": "firmwareUpgrade", "targets": ["d1"], "document": {"package_ids": ["p1"]}}
    facts = refused(404, code, request=protocol.create_batch_task(body, now=NOW)).facts

    assert [(found, text) for found, text in facts if found in ("cause", "fix")] == [
        (label, next(text for _, text in facts if words in text))
    ]


def test_an_instance_that_was_given_is_not_asked_for() -> None:
    """The hint about instance_id comes only where none was given."""
    facts = refused(400, "X.1", "The instance is wrong.", instance_id="i1").facts

    assert not any("instance_id" in text for _, text in facts)


def test_refused_credentials_tell_the_whole_story() -> None:
    """A 401 says which key, from where, which signing, which endpoint, and that nothing more is sent."""
    error = refused(401, "IOTDA.000002", "Authentication failed.", headers={"x-request-id": "9f3c"})

    assert isinstance(error, CredentialsError)
    assert (error.status, error.error_code, error.request_id) == (401, "IOTDA.000002", "9f3c")
    assert error.headline == "Huawei Cloud rejected the credentials (401 IOTDA.000002, request 9f3c)"
    facts = dict(error.facts)
    assert facts["used"] == "access key AK…7Q from HW_ACCESS_KEY (environment), standard signing"
    assert facts["endpoint"] == "https://iotda.cn-north-4.myhuaweicloud.com (from the region cn-north-4)"
    assert facts["not retried"] == "IAM locks the account after five failures"
    assert "very-secret-key" not in str(error)


@pytest.mark.parametrize(
    ("changes", "message", "words"),
    [
        ({"endpoint": INSTANCE}, "", "this endpoint of an instance needs derived signing"),
        ({"algorithm": "derived"}, "", "this endpoint of a region needs standard signing"),
        ({"endpoint": "https://iot.example.com"}, "", 'it needs signing="derived"'),
        ({"endpoint": "https://iot.example.com", "algorithm": "derived"}, "", "the instance is not in cn-north-4"),
        ({"credential": replace(KEY, source="secretAccessKey (profile p in ~/.hcloud/config.json)")}, "", "encrypted"),
        ({}, "", "the secret key is not that of the access key"),
        ({"endpoint": INSTANCE, "algorithm": "derived"}, "", "the secret key is not that of the access key"),
        ({}, "Get secretKey failed,ak:x,err:ak not exist", "the access key was deleted"),
        ({}, "AK access failed to reach the limit,forbidden.", "locks the account for five minutes or longer"),
        ({"credential": AuthToken(SecretStr("t" * 20), "argument")}, "", "the token has expired"),
    ],
)
def test_a_refused_credential_has_a_likely_cause(changes: dict[str, Any], message: str, words: str) -> None:
    """The cause that fits endpoint, signing and message is named."""
    facts = refused(401, "IOTDA.000002", message, **changes).facts

    assert any(words in text for _, text in facts), facts


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:8080", "https://iot.example.com"])
def test_a_wrong_secret_is_likelier_than_another_signature(endpoint: str) -> None:
    """On a host that does not show its edition both causes are named, the usual one first."""
    likely = [text for label, text in refused(401, "IOTDA.000002", endpoint=endpoint).facts if label == "cause"]

    assert [text[:36] for text in likely] == [
        "the secret key is not that of the ac",
        "if this is the custom domain of an i",
    ]


@pytest.mark.parametrize(
    ("minutes", "words"), [(-27, "27 minutes ahead of the service's"), (16, "16 minutes behind the service's")]
)
def test_a_wrong_clock_explains_a_refused_signature(minutes: int, words: str) -> None:
    """A clock that is off by more than 15 minutes is named as the cause, by the answer's Date."""
    date = format_datetime(NOW + timedelta(minutes=minutes), usegmt=True)
    facts = dict(refused(401, "APIGW.0301", "verify aksk signature fail", headers={"date": date}).facts)

    assert words in facts["cause"]


@pytest.mark.parametrize("date", [format_datetime(NOW + timedelta(minutes=15), usegmt=True), "", "never", "1 2 3"])
def test_a_right_clock_is_not_blamed(date: str) -> None:
    """A small difference, or a Date that cannot be read, explains nothing."""
    facts = dict(refused(401, "IOTDA.000002", headers={"date": date}).facts)

    assert "clock" not in facts["cause"]


def test_a_clock_does_not_explain_a_refused_token() -> None:
    """A token is not signed, so the clock is not its fault."""
    date = format_datetime(NOW + timedelta(hours=3), usegmt=True)
    token = AuthToken(SecretStr("t" * 20), "argument")

    assert "clock" not in str(refused(401, headers={"date": date}, credential=token))


def test_a_temporary_key_is_named_as_such() -> None:
    """A key with a security token is a temporary one."""
    temporary = AccessKey(KEY.access_key, KEY.secret_key, SecretStr("session-token"), "argument")
    text = str(refused(401, "APIGW.0301", credential=temporary))

    assert "temporary access key AK…7Q" in text
    assert "the secret key or the security token is not that of the access key" in " ".join(text.split())


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://evil.example/steal?x=1", "evil.example"),
        ("//other.example", "other.example"),
        ("/elsewhere", "another path"),
        ("https://[::1", "an address that cannot be read"),
        ("https://a\u202eb.example", "a\\u202eb.example"),
        ("", "another path"),
    ],
)
def test_a_redirect_names_its_target(location: str, shown: str) -> None:
    """A redirect is an error that names the host it points to, escaped, and says that it is not followed."""
    error = refused(302, headers={"location": location})

    assert isinstance(error, ServiceError)
    assert f"redirect to {shown} (302" in error.headline
    assert ("not followed", "credentials are sent to the endpoint only") in error.facts
