"""Describe why there is no response.

Libraries raise a chain of wrapped exceptions, and the most specific one gives the description. It has no class name, no
address and no query string.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from typing import TYPE_CHECKING

from urllib3 import exceptions as urllib3

from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LONGEST_CHAIN = 20
# How OpenSSL calls a response in clear text.
_NO_TLS = "WRONG_VERSION_NUMBER"


def _tls(error: BaseException) -> str:
    reason = str(getattr(error, "reason", None) or "the handshake failed")
    question = "; the server does not speak TLS there; is it http://?" if reason.upper() == _NO_TLS else ""
    return f"TLS failed: {sanitize(reason.replace('_', ' ').lower(), limit=100)}{question}"


def _certificate(error: BaseException) -> str:
    return f"the server's certificate is not trusted: {sanitize(getattr(error, 'verify_message', ''), limit=100)}"


def _system(error: BaseException) -> str:
    number = getattr(error, "errno", None)
    return os.strerror(number).lower() if isinstance(number, int) else ""


def _always(words: str) -> Callable[[BaseException], str]:
    return lambda _error: words


_NO_ADDRESS = (socket.gaierror, urllib3.NameResolutionError)
# The first kind that is in the chain decides.
_WORDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Callable[[BaseException], str]], ...] = (
    (_NO_ADDRESS, _always("the host name could not be resolved")),
    (ssl.SSLCertVerificationError, _certificate),
    (ssl.SSLError, _tls),
    (ConnectionRefusedError, _always("the connection was refused")),
    (http.client.RemoteDisconnected, _always("the server closed the connection without a response")),
    ((ConnectionResetError, BrokenPipeError), _always("the connection was reset")),
    (http.client.BadStatusLine, _always("the response was not HTTP")),
    (urllib3.ConnectTimeoutError, _always("no connection in time")),
    ((TimeoutError, urllib3.TimeoutError), _always("no complete response in time")),
    (urllib3.DecodeError, _always("the response could not be decompressed")),
    (
        (http.client.HTTPException, urllib3.ProtocolError, urllib3.InvalidHeader),
        _always("the response was cut off or garbled"),
    ),
    (OSError, _system),
)


def in_words(error: BaseException) -> str:
    """Return why there is no response, to follow a colon."""
    links = list(chain(error))
    for kind, words in _WORDS:
        found = next(filter(None, (words(link) for link in links if isinstance(link, kind))), "")
        if found:
            return found
    return "the connection failed"


def is_unresolved(error: BaseException) -> bool:
    """Return whether the host name has no address."""
    return any(isinstance(link, _NO_ADDRESS) for link in chain(error))


def is_untrusted(error: BaseException) -> bool:
    """Return whether TLS would fail again."""
    passing = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError)
    links = list(chain(error))
    return any(isinstance(link, ssl.SSLError) for link in links) and not any(
        isinstance(link, passing) for link in links
    )


def is_clear_text(error: BaseException) -> bool:
    """Return whether the other side does not speak TLS."""
    return any(isinstance(link, ssl.SSLError) and link.reason == _NO_TLS for link in chain(error))


def chain(error: BaseException) -> Iterator[BaseException]:
    """Return an exception and all exceptions that it wraps, in each way that libraries use.

    Its ``__context__`` is left out, because it can be an earlier error that the caller handles.
    """
    waiting: list[object] = [error]
    given: list[BaseException] = []
    while waiting and len(given) < _LONGEST_CHAIN:
        link = waiting.pop(0)
        if isinstance(link, BaseException) and link not in given:
            given.append(link)
            yield link
            waiting += [link.__cause__, getattr(link, "reason", None), getattr(link, "socket_err", None), *link.args]
