"""One HTTP request, one response, and the errors that a response can be. No sockets, no meaning of any operation."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers


@dataclass(frozen=True)
class Request:
    """One HTTP request, as recorded.

    Args:
        method: ``GET``, ``POST``, ...
        target: path and query exactly as they came.
        headers: the headers, by name without regard to case.
        body: the bytes of the body.
        time: seconds since 1970.
        operation: the operation that the path stands for, such as ``ListOtaPackageInfo``, or empty.
    """

    method: str
    target: str
    headers: Headers
    body: bytes = b""
    time: float = 0.0
    operation: str = ""

    @property
    def raw_path(self) -> str:
        """Return the path as it came."""
        return self.target.partition("?")[0]

    @property
    def raw_query(self) -> str:
        """Return the query as it came, without the question mark."""
        return self.target.partition("?")[2]

    @property
    def path(self) -> str:
        """Return the path, decoded."""
        return unquote(self.raw_path)

    @property
    def query(self) -> dict[str, str]:
        """Return the query, decoded; of a repeated key the last value counts."""
        return dict(parse_qsl(self.raw_query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        """Return the body, read as JSON."""
        return json.loads(self.body)


@dataclass
class Reply:
    """One HTTP response.

    Args:
        status: the HTTP status.
        body: the bytes of the body.
        headers: headers in addition to those that the server writes itself.
        wire: how the bytes travel: ``whole``, or one of the faults in ``faults.Fault``.
        interval: seconds between two pieces of ``drip``.
        interim: statuses that are sent before the response.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wire: str = "whole"
    interval: float = 0.05
    interim: tuple[int, ...] = ()


def json_reply(status: int, content: Any) -> Reply:
    """Return a response with ``content`` as JSON."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, body, {"Content-Type": "application/json;charset=utf8"})


@dataclass(frozen=True)
class ErrorKind:
    """One error of the service.

    Args:
        status: the HTTP status.
        code: ``IOTDA.…`` of the service or ``APIGW.…`` of the gateway in front of it.
        message: the text; a detail is appended after a space.
        invented: whether no document has the code or the status. Then a client must not rely on the code.
        title: of the errors of IAM that have another form: ``{"error": {"message", "code", "title"}}``.
    """

    status: int
    code: str
    message: str
    invented: bool = False
    title: str = ""


_SIGNATURE = "Incorrect IAM authentication information:"

ERRORS: dict[str, ErrorKind] = {
    # The gateway: authentication, throttling, size.
    "signature": ErrorKind(401, "APIGW.0301", f"{_SIGNATURE} verify aksk signature fail"),
    "unknown_key": ErrorKind(401, "APIGW.0301", f"{_SIGNATURE} Get secretKey failed,ak:***,err:ak not exist"),
    "token": ErrorKind(401, "APIGW.0301", f"{_SIGNATURE} decrypt token fail"),
    "locked": ErrorKind(401, "APIGW.0301", f"{_SIGNATURE} AK access failed to reach the limit,forbidden."),
    "anonymous": ErrorKind(401, "APIGW.0301", f"{_SIGNATURE} no token and no signature found", invented=True),
    "token_expired": ErrorKind(401, "APIGW.0307", "The token must be updated."),
    "method_absent": ErrorKind(404, "APIGW.0101", "The API does not exist or has not been published."),
    "body_too_large": ErrorKind(413, "APIGW.0201", "Request entity too large"),
    "uri_too_long": ErrorKind(414, "APIGW.0201", "Request URI too long"),
    "project": ErrorKind(403, "APIGW.0310", "The project is unavailable."),
    "denied": ErrorKind(403, "APIGW.0302", "The user is not allowed to access the API."),
    "throttled": ErrorKind(
        429,
        "APIGW.0308",
        "The throttling threshold has been reached: policy user over ratelimit,limit:200,time:1 second",
    ),
    "search_rate": ErrorKind(
        429,
        "APIGW.0308",
        "The throttling threshold has been reached: policy user over ratelimit,limit:1,time:1 second",
    ),
    "bad_gateway": ErrorKind(502, "APIGW.0201", "Backend unavailable"),
    "iam_down": ErrorKind(503, "APIGW.0613", "The IAM service is unavailable."),
    "gateway_timeout": ErrorKind(504, "APIGW.0201", "Backend timeout"),
    # IAM, and the metadata service of an ECS.
    "password": ErrorKind(401, "", "The username or password is wrong.", title="Unauthorized"),
    "user_locked": ErrorKind(401, "", "The account is locked.", invented=True, title="Unauthorized"),
    "iam_request": ErrorKind(400, "", "The request body is invalid.", invented=True, title="Bad Request"),
    "iam_scope": ErrorKind(404, "", "Could not find the project.", invented=True, title="Not Found"),
    "iam_failed": ErrorKind(500, "", "An unexpected error occurred.", title="Internal Server Error"),
    "iam_denied": ErrorKind(403, "IAM.0003", "Policy doesn't allow it to be performed."),
    "iam_throttled": ErrorKind(429, "IAM.0012", "The throttling threshold has been reached."),
    "id_token": ErrorKind(401, "IAM.0067", "The token is invalid.", invented=True),
    "agency_missing": ErrorKind(404, "IAM.0004", "Could not find the agency.", invented=True),
    "agent_operator": ErrorKind(403, "IAM.0002", "You are not authorized to perform the action.", invented=True),
    "no_metadata_tokens": ErrorKind(404, "", "404 Not Found", title="Not Found"),
    "metadata_request": ErrorKind(400, "", "400 Bad Request", invented=True, title="Bad Request"),
    "metadata_token": ErrorKind(401, "", "401 Unauthorized", invented=True, title="Unauthorized"),
    "no_agency": ErrorKind(401, "", "Please configure Cloud Service Agency first", title="Unauthorized"),
    # The service.
    "internal": ErrorKind(500, "IOTDA.000001", "Internal server error."),
    "algorithm": ErrorKind(401, "IOTDA.000002", "Authentication failed."),
    "access_token": ErrorKind(403, "IOTDA.000004", "Invalid access token."),
    "invalid": ErrorKind(400, "IOTDA.000006", "Invalid input data."),
    "format": ErrorKind(400, "IOTDA.000008", "Invalid input. The request format is invalid."),
    "time_format": ErrorKind(400, "IOTDA.000009", "Invalid input. Invalid time format."),
    "limit": ErrorKind(400, "IOTDA.000017", "Invalid input. The specified parameter 'limit' is out of range."),
    "offset": ErrorKind(
        400, "IOTDA.000018", "Invalid input. The specified parameter 'offset' is out of range.", invented=True
    ),
    "not_subscribed": ErrorKind(
        403,
        "IOTDA.000021",
        "Operation not allowed. User not found by IAM token or the authorized user has not subscribed IOTDA service.",
    ),
    "unknown_uri": ErrorKind(404, "IOTDA.000029", "The requested URI does not exist."),
    "space_missing": ErrorKind(403, "IOTDA.001000", "The application does not exist."),
    "space_needed": ErrorKind(
        403,
        "IOTDA.001005",
        "Operation not allowed. The 'app_id' is not carried, and the authorized user has more than one applications. "
        "Include the parameter 'app_id'.",
    ),
    "rate_limit": ErrorKind(403, "IOTDA.021101", "Request reached the maximum rate limit."),
    "tenant_rate_limit": ErrorKind(
        403, "IOTDA.021102", "The request rate has reached the upper limit of the tenant, limit 200."
    ),
    # OTA and batch tasks: no code of these is published, only the statuses of the first three are.
    "package_missing": ErrorKind(404, "IOTDA.014280", "The package does not exist.", invented=True),
    "task_missing": ErrorKind(404, "IOTDA.014282", "The task does not exist.", invented=True),
    "group_missing": ErrorKind(404, "IOTDA.014283", "The group does not exist.", invented=True),
    "task_state": ErrorKind(403, "IOTDA.014284", "Operation not allowed. The task state forbids it.", invented=True),
    "package_exists": ErrorKind(403, "IOTDA.014285", "Operation not allowed. The package exists.", invented=True),
    "task_type": ErrorKind(400, "IOTDA.014288", "Invalid input. The task type does not allow it.", invented=True),
    "package_mix": ErrorKind(400, "IOTDA.014289", "Invalid input. The packages do not fit.", invented=True),
    "edition": ErrorKind(
        403, "IOTDA.014291", "Operation not allowed. The edition of the instance does not support it.", invented=True
    ),
    # One target of a stop, retry or confirm; the code is documented, the documents cut the text after "In".
    "target_state": ErrorKind(400, "IOTDA.014219", "Invalid input. The target state forbids it.", invented=True),
    # One device of a task whose upgrade failed.
    "device": ErrorKind(400, "IOTDA.014290", "Firmware update failed", invented=True),
}


class ApiError(Exception):
    """An operation is refused.

    Args:
        name: the key in :data:`ERRORS`.
        detail: the cause in this case, appended to the message.
    """

    def __init__(self, name: str, detail: str = "") -> None:
        self.kind = ERRORS[name]
        self.message = f"{self.kind.message} {detail}".rstrip()
        super().__init__(f"{self.kind.status} {self.kind.code} {self.message}")

    def body(self, request_id: str) -> dict[str, Any]:
        """Return the JSON of the response. The gateway's carries the request id, the service's does not."""
        if self.kind.title:
            return {"error": {"message": self.message, "code": self.kind.status, "title": self.kind.title}}
        body = {"error_code": self.kind.code, "error_msg": self.message}
        return {**body, "request_id": request_id} if self.kind.code.startswith("APIGW.") else body
