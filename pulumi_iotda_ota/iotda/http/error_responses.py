"""Make an error with a fix from a response that refuses a request.

The service, its gateway, IAM and other servers on the way have bodies of different shapes. Their text is untrusted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic_core import from_json

from pulumi_iotda_ota.iotda import references
from pulumi_iotda_ota.iotda.auth.credentials import AccessKey
from pulumi_iotda_ota.iotda.errors import CredentialsError, ServiceError
from pulumi_iotda_ota.iotda.http.hints import hint, hint_on_page, hint_on_refused_credentials
from pulumi_iotda_ota.iotda.http.messages import forms_of
from pulumi_iotda_ota.iotda.retry import http_date, retry_after
from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.http.messages import Request, Response

_UNAUTHORIZED = 401
_REDIRECTS = range(300, 400)
_MOST_LOOKED_AT = 50
_INSTANCE_ENDPOINT = (
    f"set {references.setting('endpoint')} to the application endpoint of the IoTDA instance, as its console shows it"
)
_IAM_ENDPOINT = f"check that {references.setting('iam_endpoint')} is an IAM endpoint"
_TITLE = re.compile(rb"<title[^>]*>([^<]{1,200})", re.IGNORECASE)
#: A signature is valid for this long before and after its time.
SIGNATURE_VALIDITY = timedelta(minutes=15)
_REFUSALS = range(400, 500)
_ERROR_CODES = ("error_code", "errorCode")


@dataclass(frozen=True)
class Fault:
    """The failure that a response describes; every text is safe to print.

    Attributes:
        status: the HTTP status.
        code: the code of service, gateway or IAM, or empty.
        message: the message, or empty.
        request_id: the id that the vendor's support needs, or empty.
        kind: the kind of a body that is no JSON, or empty.
        denied: whether it has a field that only a denial of IAM has.
    """

    status: int
    code: str
    message: str
    request_id: str
    kind: str = ""
    denied: bool = False

    @property
    def numbers(self) -> str:
        """Return status, code and request id, for the end of a headline."""
        name = " ".join(filter(None, (str(self.status), self.code)))
        return ", ".join(filter(None, (name, f"request {self.request_id}" if self.request_id else "")))


def refusal(
    request: Request[Any], answer: Response, *, connection: ResolvedConnection, now: datetime
) -> ServiceError | CredentialsError:
    """Return the error for a response that is no success; a wrong clock can explain a refused signature."""
    fault = read_fault(answer, secrets=forms_of(connection.secrets))
    if answer.status in _REDIRECTS:
        return _redirected(request, answer, fault, connection)
    if answer.status == _UNAUTHORIZED:
        return _refused_credentials(request, answer, fault, connection, now)
    facts = [("requested", request.requested)]
    facts += [("response", fault.message)] if fault.message else []
    facts.append(("endpoint", connection.address))
    if answer.status in _REFUSALS and fault.kind:
        # The service and its gateway send JSON. Another sender knows nothing of agencies and instances.
        headline = f"could not {request.doing}: the response is {fault.kind} ({fault.numbers})"
        server = sanitize(answer.headers.get("server", ""), limit=80)
        facts += [*([("sent by", server)] if server else []), *hint_on_page(request, fault.status)]
    else:
        who = "failed" if answer.status >= 500 else "refused"  # noqa: PLR2004  server errors
        headline = f"Huawei Cloud {who} to {request.doing} ({fault.numbers})"
        facts += hint(request, fault.status, fault.code, fault.message, connection, denied=fault.denied)
    return ServiceError(
        headline,
        status=fault.status,
        error_code=fault.code,
        error_msg=fault.message,
        request_id=fault.request_id,
        retry_after=retry_after(answer.headers.get("retry-after"), now=now),
        facts=facts,
    )


def read_fault(answer: Response, *, secrets: tuple[str, ...] = ()) -> Fault:
    """Return the failure that a response describes, in any of the known shapes.

    ``{"error_code", "error_msg"}`` of the service and the gateway, ``{"error": {"code", "message"}}`` of IAM,
    ``{"errorCode", "errorMsg"}``, ``{"code", "message"}`` at any depth, an HTML page, plain text, or nothing at all.
    """

    def safe(text: object, limit: int = 300) -> str:
        return sanitize(" ".join(str(text).split()), limit=limit, secrets=secrets)

    content = _json(answer.body)
    code = message = request_id = ""
    denied = False
    for record in _objects(content):
        denied = denied or "encoded_authorization_message" in record
        code = code or safe(_first(record, *_ERROR_CODES, "code"), 60)
        message = message or safe(_first(record, "error_msg", "errorMsg", "message"))
        request_id = request_id or safe(_first(record, "request_id"), 80)
    kind = ""
    if content is None and answer.body:
        message = safe(_page_text(answer.body))
        kind = "a web page" if answer.body.lstrip().startswith(b"<") else "plain text"
    if code == str(answer.status):
        code = ""  # IAM repeats the status as the code
    return Fault(answer.status, code, message, answer.request_id or request_id, kind, denied)


def is_error(body: bytes) -> bool:
    """Return whether a body says that the request failed, whatever its status; the codes of its parts say nothing."""
    if not any(f'"{name}"'.encode() in body for name in _ERROR_CODES):
        return False
    content = _json(body)
    return isinstance(content, dict) and _first(content, *_ERROR_CODES) != ""


def _json(body: bytes) -> Any:
    try:
        return from_json(body)
    except ValueError:
        return None


def _objects(content: Any) -> Iterator[dict[str, Any]]:
    """Give the objects of an answer from the outside in; how many are looked at is bounded."""
    level = [content]
    looked_at = 0
    while level and looked_at < _MOST_LOOKED_AT:
        value = level.pop(0)
        looked_at += 1
        if isinstance(value, dict):
            yield value
            level += value.values()
        elif isinstance(value, list):
            level += value[:_MOST_LOOKED_AT]


def _first(record: dict[str, Any], *names: str) -> str | int:
    """Return the first of the named strings or numbers that a record has, or empty."""
    values = (record.get(name) for name in names)
    return next((value for value in values if isinstance(value, (str, int)) and not isinstance(value, bool)), "")


def _page_text(body: bytes) -> str:
    """Return the title of a page, or a plain text."""
    title = _TITLE.search(body)
    return (title.group(1) if title else body[:400]).decode(errors="replace")


def _redirected(request: Request[Any], answer: Response, fault: Fault, connection: ResolvedConnection) -> ServiceError:
    # Never followed: the credentials would go to another server.
    try:
        target = urlsplit(answer.headers.get("location", "")).hostname or "another path"
    except ValueError:
        target = "an address that cannot be read"
    return ServiceError(
        f"could not {request.doing}: the response is a redirect to {sanitize(target, limit=120)} ({fault.numbers})",
        status=fault.status,
        request_id=fault.request_id,
        facts=[
            ("endpoint", connection.address),
            ("not followed", "credentials are sent to the endpoint only"),
            ("fix", _IAM_ENDPOINT if request.goes_to_iam else _INSTANCE_ENDPOINT),
        ],
    )


def _refused_credentials(
    request: Request[Any], answer: Response, fault: Fault, connection: ResolvedConnection, now: datetime
) -> CredentialsError:
    credential = connection.credential
    signing = f", {connection.algorithm} signing" if isinstance(credential, AccessKey) else ""
    facts = [("used", f"{credential}{signing}"), ("endpoint", connection.address)]
    facts += [("response", fault.message)] if fault.message else []
    skew = _skew(answer, now)
    if skew and signing:
        facts.append(("cause", f"this machine's clock is {skew}; a signature is valid for 15 minutes"))
    else:
        facts += hint_on_refused_credentials(request, fault.code, fault.message, connection)
    facts.append(("not retried", "IAM locks the account after five failures"))
    return CredentialsError(
        f"Huawei Cloud rejected the credentials ({fault.numbers})",
        status=fault.status,
        error_code=fault.code,
        request_id=fault.request_id,
        facts=facts,
    )


def _skew(answer: Response, now: datetime) -> str:
    """Return how far the clock of this machine is off, or empty if that does not matter."""
    theirs = http_date(answer.headers.get("date", ""))
    ahead = now - theirs if theirs else timedelta()
    if abs(ahead) <= SIGNATURE_VALIDITY:
        return ""
    minutes = round(abs(ahead).total_seconds() / 60)
    return f"{minutes} minutes {'ahead of' if ahead > timedelta() else 'behind'} the service's"
