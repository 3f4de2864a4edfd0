"""From a request to its response: record the request, choose a fault, check the caller, run the operation."""

from __future__ import annotations

import dataclasses
import gzip
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pulumi_iotda_ota.emulator.iam import ACCOUNT_OPERATIONS, AccountCall
from pulumi_iotda_ota.emulator.messages import ApiError, Reply, Request, json_reply
from pulumi_iotda_ota.emulator.operations import OPERATIONS, route
from pulumi_iotda_ota.emulator.service import Call, Service

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator.auth import Authenticator
    from pulumi_iotda_ota.emulator.faults import Fault, Faults
    from pulumi_iotda_ota.emulator.iam import Accounts

_MAX_BODY = 12 * 1024 * 1024
_MAX_TARGET = 32 * 1024
_MAX_INSTANCE_ID = 36
_WORTH_COMPRESSING = 512

Admin = Callable[[Request], Reply]


class Application:
    """The operations behind one project id.

    Args:
        service: the emulated state. Acquire ``mutex`` to read or change it.
        authenticator: the check of the caller.
        accounts: the identities of IAM.
        faults: the rules that change responses.
        project_id: the project of the paths.
        latency: seconds that every response is delayed.
        admin: responds to paths under ``/_emulator/``.
    """

    def __init__(
        self,
        service: Service,
        authenticator: Authenticator,
        accounts: Accounts,
        faults: Faults,
        *,
        project_id: str,
        latency: float,
        admin: Admin,
    ) -> None:
        self.service = service
        self.latency = latency
        self.mutex = threading.RLock()
        self.stopping = threading.Event()
        self._authenticator = authenticator
        self._accounts = accounts
        self._faults = faults
        self._project_id = project_id
        self._admin = admin
        self._requests: list[Request] = []
        self._inside = self._most_inside = 0
        self._timers: list[threading.Timer] = []

    @property
    def requests(self) -> list[Request]:
        """Return the requests so far, in the order they came."""
        with self.mutex:
            return list(self._requests)

    @property
    def most_at_once(self) -> int:
        """Return the highest number of requests at the same time."""
        with self.mutex:
            return self._most_inside

    def forget_requests(self) -> None:
        """Begin a new record."""
        with self.mutex:
            self._requests.clear()
            self._most_inside = self._inside

    def start(self) -> None:
        """Allow delays again."""
        self.stopping.clear()

    def stop(self) -> None:
        """End every delay, and drop the requests that were put off."""
        self.stopping.set()
        for timer in self._timers:
            timer.cancel()

    def respond(self, request: Request) -> Reply:
        """Return the response to a request."""
        if request.path.startswith("/_emulator/"):
            return self._admin(request)
        request = dataclasses.replace(request, operation=_operation_of(request))
        with self._recorded(request):
            fault = self._faults.choose(request)
            self.stopping.wait(self.latency + (fault.delay if fault else 0.0))
            reply = self._response(request) if fault is None else self._spoiled(request, fault)
            return self._compressed(request, _traced(request, reply))

    @contextmanager
    def _recorded(self, request: Request) -> Iterator[None]:
        with self.mutex:
            self._requests.append(request)
            self._inside += 1
            self._most_inside = max(self._most_inside, self._inside)
        try:
            yield
        finally:
            with self.mutex:
                self._inside -= 1

    def _spoiled(self, request: Request, fault: Fault) -> Reply:
        if fault.before:
            fault.before()
        if fault.accept_after is not None:
            self._put_off(request, fault.accept_after)
        return fault.spoil(self._response(request) if fault.handles else Reply(headers=_request_id()))

    def _put_off(self, request: Request, seconds: float) -> None:
        timer = threading.Timer(seconds, self._response, [request])
        timer.daemon = True
        self._timers.append(timer)
        timer.start()

    def _response(self, request: Request) -> Reply:
        headers = _request_id()
        try:
            reply = self._handled(request)
        except ApiError as exc:
            reply = json_reply(exc.kind.status, exc.body(headers["X-Request-Id"]))
        return dataclasses.replace(reply, headers={**reply.headers, **headers})

    def _handled(self, request: Request) -> Reply:
        if len(request.body) > _MAX_BODY:
            raise ApiError("body_too_large")
        if len(request.target) > _MAX_TARGET:
            raise ApiError("uri_too_long")
        if request.operation in ACCOUNT_OPERATIONS:
            return ACCOUNT_OPERATIONS[request.operation](AccountCall(self._authenticator, self._accounts, request))
        self._authenticator.check(request)
        operation, ids = route(request)
        if ids.pop("project_id") != self._project_id:
            raise ApiError("project")
        if len(request.headers.get("Instance-Id", "")) > _MAX_INSTANCE_ID:
            raise ApiError("invalid", f"Instance-Id is longer than {_MAX_INSTANCE_ID} characters.")
        with self.mutex:
            return OPERATIONS[operation](Call(self.service, request, ids))

    def _compressed(self, request: Request, reply: Reply) -> Reply:
        accepts = "gzip" in request.headers.get("Accept-Encoding", "")
        if not (accepts and self.service.switches.gzip) or len(reply.body) < _WORTH_COMPRESSING:
            return reply
        if "Content-Encoding" in reply.headers:
            return reply
        body = gzip.compress(reply.body, compresslevel=1, mtime=0)
        return dataclasses.replace(reply, body=body, headers={**reply.headers, "Content-Encoding": "gzip"})


def _operation_of(request: Request) -> str:
    try:
        return route(request)[0]
    except ApiError:
        return ""


def _traced(request: Request, reply: Reply) -> Reply:
    """Rename the header of the request id as IAM names it."""
    headers = dict(reply.headers)
    if request.operation in ACCOUNT_OPERATIONS and "X-Request-Id" in headers:
        headers["X-IAM-Trace-Id"] = headers.pop("X-Request-Id")
    return dataclasses.replace(reply, headers=headers)


def _request_id() -> dict[str, str]:
    return {"X-Request-Id": secrets.token_hex(16)}
