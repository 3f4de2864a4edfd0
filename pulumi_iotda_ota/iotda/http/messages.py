"""A request before it is signed, and a response before it is read."""

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


def forms_of(secrets: Iterable[str]) -> tuple[str, ...]:
    """Return secrets in every form in which a response can repeat them, the longest first.

    A request has them as they are, or in JSON. A response can also escape them for HTML or a URL.
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
    """A response.

    Attributes:
        status: the HTTP status.
        headers: the headers, names in lower case.
        body: the body, decompressed.
    """

    status: int
    # IAM returns its tokens in a header, and its keys in a body.
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def request_id(self) -> str:
        """Return the id that the vendor's support needs, or empty."""
        found = self.headers.get("x-request-id") or self.headers.get("x-iam-trace-id") or ""
        return sanitize(found, limit=80)

    def without(self, secrets: Iterable[str]) -> Response:
        """Return the response with its secrets redacted, in all forms of :func:`forms_of`."""
        body, headers = self.body, dict(self.headers)
        for form in forms_of(secrets):
            body = body.replace(form.encode(), REDACTED.encode())
            headers = {name: value.replace(form, REDACTED) for name, value in headers.items()}
        return replace(self, body=body, headers=headers)


@dataclass(frozen=True)
class Request(Generic[Content]):
    """A request before it is signed, and how its response is read.

    Attributes:
        operation: the name of the operation in the API.
        doing: the action, to follow "could not" in an error.
        requested_values: the arguments by name, or a text, for the fact ``requested`` of an error.
        method: the HTTP method.
        path: the path below ``root``.
        read: reads the body of the response.
        query: the query parameters, not encoded.
        body: the body; JSON, or empty.
        repeatable: whether sending it twice has the same effect as sending it once.
        root: the prefix of the path.
        headers: further headers.
        accepts: statuses outside of 200 to 299 that are no error.
        patience: the seconds of one attempt, or None for the usual ones.
        join: adds content from the status and the headers.
    """

    operation: str
    doing: str
    requested_values: Mapping[str, object] | str
    method: str
    path: str
    read: Callable[[bytes], Content]
    query: tuple[tuple[str, str], ...] = ()
    # A body can hold a password, and a header a token.
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
        return self.requested_values if isinstance(self.requested_values, str) else arguments(self.requested_values)

    @property
    def goes_to_iam(self) -> bool:
        """Return whether IAM or the metadata service receives it, not IoTDA."""
        return "{project_id}" not in self.root

    def content(self, response: Response) -> Content:
        """Return the content of a response."""
        content = self.read(response.body)
        return self.join(content, response) if self.join else content

    def target(self, project_id: str) -> str:
        """Return the path and the query of the URL."""
        query = f"?{canonical_query(self.query)}" if self.query else ""
        return f"{self.root.format(project_id=project_id)}{self.path}{query}"
