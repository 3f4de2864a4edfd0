"""What goes over the wire, as values: a request before it is signed, and an answer before it is read. Sends nothing."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import quote

from pulumi_iotda_ota.iotda.auth.signing import canonical_query
from pulumi_iotda_ota.iotda.references import arguments
from pulumi_iotda_ota.iotda.sanitize import REDACTED, SHORTEST_SECRET, sanitize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Content = TypeVar("Content")


def written(secrets: Iterable[str]) -> tuple[str, ...]:
    """Return secrets in every way that whoever repeats a request may write them, the longest first.

    Args:
        secrets: what was sent: as it is, or in JSON; it may come back escaped for a page or a URL on top.
    """
    sent = {
        form
        for secret in secrets
        if len(secret) >= SHORTEST_SECRET
        for form in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    }
    forms = {escaped(form) for form in sent for escaped in (str, html.escape, _percent_encoded)}
    return tuple(sorted(forms, key=len, reverse=True))


def _percent_encoded(text: str) -> str:
    return quote(text, safe="")


@dataclass(frozen=True)
class Response:
    """An answer as it came.

    Args:
        status: the HTTP status.
        headers: the headers, names in lower case.
        body: the body, decompressed.
    """

    status: int
    # IAM gives its tokens out in a header, and its keys in a body.
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def request_id(self) -> str:
        """Return the id that the vendor's support asks for, or empty; IAM's gateway calls it by another name."""
        found = self.headers.get("x-request-id") or self.headers.get("x-iam-trace-id") or ""
        return sanitize(found, limit=80)

    def without(self, secrets: Iterable[str]) -> Response:
        """Return the answer as it may be told: with each secret masked, before anything of it is cut to length.

        Args:
            secrets: what was sent, and may come back in any way that :func:`written` knows.
        """
        body, headers = self.body, dict(self.headers)
        for form in written(secrets):
            body = body.replace(form.encode(), REDACTED.encode())
            headers = {name: value.replace(form, REDACTED) for name, value in headers.items()}
        return replace(self, body=body, headers=headers)


@dataclass(frozen=True)
class Request(Generic[Content]):
    """A request before it is signed, and how its answer is read.

    Args:
        operation: the API's name of the operation.
        doing: what it does, for errors: goes after "could not".
        asked: the arguments by name, or a text.
        method: the HTTP method.
        path: the path below ``root``.
        read: turns the answer's body into a value.
        query: the query parameters, not encoded.
        body: the body; JSON, or empty.
        repeatable: whether sending it twice does what sending it once does.
        root: what stands before the path.
        headers: headers of its own.
        accepts: statuses that are an answer although they are no success.
        patience: seconds that one attempt may take; None leaves it to the caller.
        join: adds to what the body says what only the rest of the answer does.
    """

    operation: str
    doing: str
    asked: Mapping[str, object] | str
    method: str
    path: str
    read: Callable[[bytes], Content]
    query: tuple[tuple[str, str], ...] = ()
    # A body may hold a password, and a header a token.
    body: bytes = field(default=b"", repr=False)
    repeatable: bool = True
    root: str = "/v5/iot/{project_id}/"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    accepts: frozenset[int] = frozenset()
    patience: float | None = None
    join: Callable[[Content, Response], Content] | None = None

    @property
    def requested(self) -> str:
        """Return the arguments for an error: a request that succeeds renders none."""
        return self.asked if isinstance(self.asked, str) else arguments(self.asked)

    @property
    def goes_to_iam(self) -> bool:
        """Return whether it is about an account and not about IoTDA."""
        return "{project_id}" not in self.root

    def content(self, answer: Response) -> Content:
        """Return what an answer says."""
        content = self.read(answer.body)
        return self.join(content, answer) if self.join else content

    def target(self, project_id: str) -> str:
        """Return path and query as they are sent."""
        query = f"?{canonical_query(self.query)}" if self.query else ""
        return f"{self.root.format(project_id=project_id)}{self.path}{query}"
