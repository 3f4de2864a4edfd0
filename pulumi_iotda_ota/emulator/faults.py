"""Faults: rules for which response is wrong, when, and how.

A rule counts the requests that it matches. It acts on the ``nth`` of them and on the ``times - 1`` that follow.
``application.py`` applies a rule, and ``server.py`` sends the bytes.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator

from pulumi_iotda_ota.emulator.messages import ERRORS, ApiError, Reply, Request, json_reply
from pulumi_iotda_ota.emulator.operations import NAMES

Wire = Literal["whole", "drop", "reset", "headers", "cut", "garbage", "drip", "endless", "lengths", "negative"]
# These send a response, or the beginning of one.
_SENDING = frozenset({"whole", "headers", "cut", "drip", "lengths", "negative"})


class Fault(BaseModel):
    """One rule.

    Which requests:

    Args:
        operation: the operation to act on, such as ``ListOtaPackageInfo``; any by default.
        nth: the first matching request to act on, counted from 1.
        times: how many to act on; None is all from then on.
        match: a further condition on the request (in process only).

    What happens before the response:

    Args:
        before: called before the request is handled, to insert or delete between pages (in process only).
        delay: seconds to wait before anything else.
        accept: whether the request is handled, so that it takes effect although the response is a fault.
        accept_after: handle the request this many seconds later, in the background; use it with ``wire="drop"``.

    What the response is:

    Args:
        error: a row of ``errors.ERRORS``, such as ``throttled`` or ``gateway_timeout``.
        status: the HTTP status; set alone, the body is empty.
        body: the body: a string, bytes, or any value that is JSON.
        headers: headers that replace those of the response.
        merge: JSON to merge into the true response (RFC 7396: null removes a field); the request is handled.
        edit: a function from the JSON of the true response to another (in process only); the request is handled.

    How the bytes travel:

    Args:
        wire: ``drop`` closes without a byte, and ``reset`` with a TCP reset. ``headers`` closes after the headers, and
            ``cut`` after half of the body. ``garbage`` sends bytes that are not HTTP. ``drip`` sends a few bytes at a
            time, and ``endless`` never stops. ``lengths`` announces two different lengths, ``negative`` one below zero.
        interim: statuses from 100 to 199 that are sent before the response, such as 102 or 103.
        interval: seconds between two pieces of ``drip``.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    operation: str | None = None
    nth: Annotated[int, Field(ge=1)] = 1
    times: Annotated[int, Field(ge=1)] | None = 1
    match: Callable[[Request], bool] | None = None
    before: Callable[[], object] | None = None
    delay: Annotated[float, Field(ge=0)] = 0.0
    accept: bool = False
    accept_after: Annotated[float, Field(ge=0)] | None = None
    error: str | None = None
    status: Annotated[int, Field(ge=100, le=599)] | None = None
    body: Any = None
    headers: dict[str, str] = {}
    merge: dict[str, Any] | None = None
    edit: Callable[[Any], Any] | None = None
    wire: Wire = "whole"
    interim: tuple[Annotated[int, Field(ge=100, le=199)], ...] = ()
    interval: Annotated[float, Field(ge=0)] = 0.05

    _seen: int = PrivateAttr(default=0)

    @field_validator("operation")
    @classmethod
    def _operation_exists(cls, name: str | None) -> str | None:
        return _known(name, NAMES, "operation")

    @field_validator("error")
    @classmethod
    def _error_exists(cls, name: str | None) -> str | None:
        return _known(name, ERRORS, "error")

    @property
    def hits(self) -> int:
        """Return how many responses it has changed so far."""
        acted = max(0, self._seen - self.nth + 1)
        return acted if self.times is None else min(acted, self.times)

    @property
    def handles(self) -> bool:
        """Return whether the request is handled at once, as without the fault."""
        if self.accept or self.merge is not None or self.edit is not None:
            return True
        untouched = self.status is None and self.body is None and self.error is None
        return untouched and self.accept_after is None and self.wire in _SENDING

    def takes(self, request: Request) -> bool:
        """Count a request and return whether the rule acts on it."""
        if self.operation not in (None, request.operation) or (self.match and not self.match(request)):
            return False
        self._seen += 1
        return self._seen >= self.nth and (self.times is None or self._seen < self.nth + self.times)

    def spoil(self, reply: Reply) -> Reply:
        """Return what is sent instead of ``reply``."""
        if self.merge is not None or self.edit is not None:
            reply = self._changed(reply)
        if self.error is not None:
            reply = _reply_of_error(self.error, reply)
        elif self.body is not None:
            reply = _reply_with(self.body)
        elif self.status is not None:
            reply = Reply()
        status = reply.status if self.status is None else self.status
        headers = {**reply.headers, **self.headers}
        return Reply(status, reply.body, headers, self.wire, self.interval, self.interim)

    def _changed(self, reply: Reply) -> Reply:
        content = json.loads(reply.body or b"null")
        if self.merge is not None:
            content = _merged(content, self.merge)
        if self.edit is not None:
            content = self.edit(content)
        return Reply(reply.status, json_reply(reply.status, content).body, reply.headers)


class Faults:
    """The rules. The first that acts on a request wins, and the others count it too."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._rules: list[Fault] = []

    def add(self, fault: Fault | None = None, **fields: Any) -> Fault:
        """Add a rule and return it; its ``hits`` count how often it acted.

        Args:
            fault: the rule, or
            fields: the fields of a new rule, see :class:`Fault`.
        """
        rule = fault or Fault(**fields)
        with self._mutex:
            self._rules.append(rule)
        return rule

    def remove(self, fault: Fault) -> None:
        """Remove a rule."""
        with self._mutex:
            self._rules = [rule for rule in self._rules if rule is not fault]

    def clear(self) -> None:
        """Remove all rules."""
        with self._mutex:
            self._rules.clear()

    def __iter__(self) -> Iterator[Fault]:
        with self._mutex:
            return iter(list(self._rules))

    def choose(self, request: Request) -> Fault | None:
        """Return the rule that acts on a request, or None."""
        with self._mutex:
            acting = [rule for rule in self._rules if rule.takes(request)]
        return acting[0] if acting else None


def _reply_of_error(name: str, reply: Reply) -> Reply:
    kind = ERRORS[name]
    request_id = reply.headers["X-Request-Id"]
    error = json_reply(kind.status, ApiError(name).body(request_id))
    return replace(error, headers={**error.headers, "X-Request-Id": request_id})


def _reply_with(body: Any) -> Reply:
    if isinstance(body, bytes):
        return Reply(body=body)
    if isinstance(body, str):
        kind = "text/html" if body.lstrip().startswith("<") else "text/plain"
        return Reply(body=body.encode(), headers={"Content-Type": kind})
    return json_reply(200, body)


def _known(name: str | None, table: Iterable[str], kind: str) -> str | None:
    # A rule with a misspelt name would never act, and its test would prove nothing.
    if name is not None and name not in table:
        raise ValueError(f"there is no {kind} {name}; there are {', '.join(sorted(table))}")
    return name


def _merged(content: Any, change: Any) -> Any:
    if not isinstance(change, dict):
        return change
    base = content if isinstance(content, dict) else {}
    merged = {name: value for name, value in base.items() if name not in change}
    return merged | {name: _merged(base.get(name), value) for name, value in change.items() if value is not None}
