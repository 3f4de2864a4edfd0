"""Everything that can go wrong with one answer, and what a client is to make of it: the lines of the matrix.

Every text that such an answer brings is hostile: it repeats the secret key, and tries to write to a terminal and to a
pipeline. No error may show any of that.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.errors import CredentialsError, IotdaOtaError, ProtocolError, ServiceError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SECRET = "0123456789abcdef-the-secret-key"
HOSTILE = f"\x1b[31m{SECRET}\r\n::error::\u202e##vso[task]\u2028"
_PAGE = f"<html><head><title>{HOSTILE}</title></head><body>maintenance</body></html>"


@dataclass(frozen=True)
class Fault:
    """One line.

    Attributes:
        says: what the first line of the error holds, as a pattern, where the fault stays.
        kind: the class of that error.
        rule: the rule of the emulator; empty where ``relay`` makes the fault.
        damage: changes the value that every answer of the operation must have; in place of ``rule``.
        relay: what stands between the client and the emulator: ``refused``, ``tls`` or ``proxy``.
        passes: whether the same request is sent again, and may succeed then.
        endured: whether a wait for an upgrade task goes on after it; by default where it passes.
        sent: whether the service may have carried out the request.
        slow: whether the answer does not end by itself: the deadline is short then.
        redirects: whether the answer sends the client to another host.
    """

    says: str
    kind: type[IotdaOtaError]
    rule: Mapping[str, Any] = field(default_factory=dict)
    damage: Callable[[dict[str, Any], str], None] | None = None
    relay: str = ""
    passes: bool = False
    endured: bool | None = None
    sent: bool = True
    slow: bool = False
    redirects: bool = False


def _no_answer(says: str, **more: Any) -> Fault:
    return Fault(says, TransportError, passes=True, **more)


def _garbled(body: object, **more: Any) -> Fault:
    return Fault("is not JSON|is empty", ProtocolError, {"status": 200, "body": body, **more}, passes=True)


def _wrong(says: str, **more: Any) -> Fault:
    return Fault(says, ProtocolError, **more)


def _refused(status: int, code: str = "", *, kind: type[IotdaOtaError] = ServiceError, **more: Any) -> Fault:
    body = {"error_code": code, "error_msg": HOSTILE, "request_id": HOSTILE}
    says = rf"Huawei Cloud (refused|failed) .*\({status}" if kind is ServiceError else rf"the credentials \({status}"
    headers = {"X-Request-Id": f"\x1b{SECRET}"}
    return Fault(says, kind, {"status": status, "body": body, "headers": headers}, **{"sent": False, **more})


def _throttled(status: int = 429, code: str = "APIGW.0308", *, retry_after: str | None = None) -> Fault:
    fault = _refused(status, code, passes=True)
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return replace(fault, rule={**fault.rule, "headers": headers})


def _failed(status: int, body: object = "", **more: Any) -> Fault:
    rule = {"status": status, "body": body}
    return Fault(rf"Huawei Cloud failed to .*\({status}", ServiceError, rule, passes=True, **more)


def _too_late(retry_after: str) -> Fault:
    return replace(_throttled(retry_after=retry_after), passes=False, endured=True)


FAULTS: dict[str, Fault] = {
    "connection refused": _no_answer("the connection was refused", relay="refused", sent=False),
    "reset": _no_answer("the connection was reset", rule={"wire": "reset"}),
    "dropped": _no_answer("the server closed the connection without a response", rule={"wire": "drop"}),
    "dropped after the headers": _no_answer("was cut off or garbled", rule={"wire": "headers"}),
    "cut body": _no_answer("was cut off or garbled", rule={"wire": "cut"}),
    "garbage": _no_answer("was not HTTP|was cut off or garbled", rule={"wire": "garbage"}),
    "bad gzip": _no_answer(
        "could not be decompressed", rule={"status": 200, "body": b"no gzip", "headers": {"Content-Encoding": "gzip"}}
    ),
    "HTML page": _garbled(_PAGE),
    "empty body": _garbled(b""),
    "half a body": _garbled(b'{"packages":[{"package_id":'),
    "no text": _garbled(b"\xff\xfe\x00"),
    "wrong content type": Fault("", IotdaOtaError, {"accept": True, "headers": {"Content-Type": "text/html"}}),
    "wrong type": _wrong("", damage=lambda holder, name: holder.update({name: {"no": HOSTILE}})),
    "missing field": _wrong(" is missing|holds no (list of )?records", damage=lambda holder, name: holder.pop(name)),
    "another shape": _wrong("", rule={"edit": lambda _: [HOSTILE]}),
    "deep JSON": _wrong("", rule={"status": 200, "body": b"[" * 500_000}),
    "5,000 digits": _wrong("", rule={"status": 200, "body": b"9" * 5000}),
    "endless body": _wrong("larger than 16 MiB", rule={"wire": "endless"}),
    "slow drip": _no_answer("no complete response in time", rule={"wire": "drip", "interval": 0.02}, slow=True),
    "silence": _no_answer("no complete response in time", rule={"delay": 0.5, "wire": "drop"}, slow=True),
    "429": _throttled(),
    "429 with seconds": _throttled(retry_after="3"),
    "429 with a date": _throttled(retry_after="Sun, 22 Nov 2020 12:00:00 GMT"),
    "429 with nonsense": _throttled(retry_after="soon"),
    "429 for an hour": _too_late("3600"),
    "429 for ever": _too_late("9" * 400),
    "403 IOTDA.021101": _throttled(403, "IOTDA.021101"),
    "403 IOTDA.021102": _throttled(403, "IOTDA.021102"),
    "400": _refused(400, "IOTDA.000006"),
    "401": _refused(401, "IOTDA.000002", kind=CredentialsError),
    "403": _refused(403, "IOTDA.001000"),
    "404": _refused(404, sent=True),
    "500": _failed(500, {"error_code": "IOTDA.000001", "error_msg": HOSTILE}),
    "501": Fault(r"Huawei Cloud failed to .*\(501", ServiceError, {"status": 501, "body": HOSTILE}),
    "502": _failed(502, _PAGE),
    "503": _failed(503),
    "504": _failed(504, HOSTILE),
    "redirect": Fault("redirect to localhost", ServiceError, {"status": 307}, redirects=True),
    "TLS failure": Fault("certificate is not trusted", TransportError, relay="tls", sent=False),
    "proxy refusing": Fault("the proxy .* answered 407", TransportError, relay="proxy", sent=False),
}
