"""One request as it came and one answer as it will go. No sockets, no meaning of any operation."""

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
        operation: the operation the path stands for, such as ``ListOtaPackageInfo``, or empty.
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
    """One HTTP answer.

    Args:
        status: the HTTP status.
        body: the bytes of the body.
        headers: headers in addition to those the server writes itself.
        wire: how the bytes travel, a name of ``response_writer._WAYS``; the fair way by default.
        interval: seconds between two pieces, for the ways that send slowly.
        interim: statuses that are sent before the response.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wire: str = "whole"
    interval: float = 0.05
    interim: tuple[int, ...] = ()


def json_reply(status: int, content: Any) -> Reply:
    """Return an answer that holds ``content`` as JSON."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, body, {"Content-Type": "application/json;charset=utf8"})
