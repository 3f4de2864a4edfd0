"""Faults on demand: rules that say which answer goes wrong, when, and how.

A rule counts the requests it matches; it acts on the ``nth`` of them and the ``times - 1`` that follow. This module
decides and describes; ``application.py`` applies what changes an answer, ``response_writer.py`` what spoils the bytes.
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
# The ways that send a response, or the beginning of one.
_TELLING = frozenset({"whole", "headers", "cut", "drip", "lengths", "negative"})


class Fault(BaseModel):
    """One rule.

    Which requests:

    Args:
        operation: the operation to act on, such as ``ListOtaPackageInfo``; any by default.
        nth: the first matching request to act on, counted from 1.
        times: how many to act on; None is all from then on.
        match: a further condition on the request (in process only).

    What happens before the answer:

    Args:
        before: called before the request is handled, to insert or delete between pages (in process only).
        delay: seconds to wait before anything else.
        accept: whether the request is handled all the same, so that what it asks for takes effect.
        accept_after: handle the request so many seconds later, in the background; goes with ``wire="drop"``.

    What is answered:

    Args:
        error: a row of ``errors.ERRORS``, such as ``throttled`` or ``gateway_timeout``.
        status: the HTTP status; given alone it comes with an empty body.
        body: the body: text, bytes, or anything that goes into JSON.
        headers: headers to set, over those of the answer.
        merge: JSON to merge into the true answer (RFC 7396: null removes a field); the request is handled.
        edit: a function from the JSON of the true answer to another (in process only); the request is handled.

    How it travels:

    Args:
        wire: ``drop`` closes without a byte, ``reset`` does so with a TCP reset, ``headers`` announces the whole body
            and closes before the first byte of it, ``cut`` after half of it, ``garbage`` sends bytes that are not HTTP,
            ``drip`` sends a few bytes at a time, ``endless`` never stops sending, ``lengths`` announces two different
            lengths, ``negative`` a length below zero.
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
        """Return how many answers it has spoiled so far."""
        acted = max(0, self._seen - self.nth + 1)
        return acted if self.times is None else min(acted, self.times)

    @property
    def handles(self) -> bool:
        """Return whether the request is handled at once, as if nothing were wrong."""
        if self.accept or self.merge is not None or self.edit is not None:
            return True
        untouched = self.status is None and self.body is None and self.error is None
        return untouched and self.accept_after is None and self.wire in _TELLING

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
    """The rules in force; the first that acts on a request wins, the others count it too."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._rules: list[Fault] = []

    def add(self, fault: Fault | None = None, **fields: Any) -> Fault:
        """Put a rule in force and return it; its ``hits`` tell how often it acted.

        Args:
            fault: a rule made before, or
            fields: the fields of a new one, see :class:`Fault`.
        """
        rule = fault or Fault(**fields)
        with self._mutex:
            self._rules.append(rule)
        return rule

    def remove(self, fault: Fault) -> None:
        """Put a rule out of force."""
        with self._mutex:
            self._rules = [rule for rule in self._rules if rule is not fault]

    def clear(self) -> None:
        """Put all rules out of force."""
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
    answer = json_reply(kind.status, ApiError(name).body(reply.headers["X-Request-Id"]))
    return replace(answer, headers={**answer.headers, "X-Request-Id": reply.headers["X-Request-Id"]})


def _reply_with(body: Any) -> Reply:
    if isinstance(body, bytes):
        return Reply(body=body)
    if isinstance(body, str):
        kind = "text/html" if body.lstrip().startswith("<") else "text/plain"
        return Reply(body=body.encode(), headers={"Content-Type": kind})
    return json_reply(200, body)


def _known(name: str | None, table: Iterable[str], kind: str) -> str | None:
    # A rule with a misspelt name would never act, and the test that relies on it would prove nothing.
    if name is not None and name not in table:
        raise ValueError(f"there is no {kind} {name}; there are {', '.join(sorted(table))}")
    return name


def _merged(content: Any, change: Any) -> Any:
    if not isinstance(change, dict):
        return change
    base = content if isinstance(content, dict) else {}
    merged = {name: value for name, value in base.items() if name not in change}
    return merged | {name: _merged(base.get(name), value) for name, value in change.items() if value is not None}
