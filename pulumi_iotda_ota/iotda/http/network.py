"""The proxy of a connection, and why a request has no response.

Libraries raise a chain of wrapped exceptions, and the most specific one has the description. No error has a class
name, a query string or the password of a proxy. ``requests`` decides which variable counts for a proxy, and which hosts
need none.
"""

from __future__ import annotations

import base64
import http.client
import os
import socket
import ssl
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

from requests.utils import get_environ_proxies, select_proxy
from urllib3 import exceptions as urllib3

from pulumi_iotda_ota.iotda.auth.endpoint import PROXY_SCHEMES, stays_here
from pulumi_iotda_ota.iotda.errors import ConfigurationError, TransportError
from pulumi_iotda_ota.iotda.references import setting
from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.http.messages import Request

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


_PORTS = {"http": 80, "https": 443}
_SOCKS_PORT = 1080
# The refusals that are not final.
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_CLIENT_ERRORS = range(400, 500)
_ENCODED = "write @ as %40, / as %2F, # as %23, ? as %3F and % as %25 in user and password"


@dataclass(frozen=True)
class Proxy:
    """A proxy.

    Attributes:
        url: its URL, with user and password.
        address: its host and port, for messages.
        origin: where it is configured.
    """

    url: str = field(repr=False)
    address: str
    origin: str

    @property
    def parts(self) -> SplitResult:
        """Return the parts of its URL."""
        return urlsplit(self.url)

    @property
    def is_socks(self) -> bool:
        """Return whether it is a SOCKS proxy."""
        return self.parts.scheme.startswith("socks")

    @property
    def port(self) -> int:
        """Return its port."""
        parts = self.parts
        return parts.port or _PORTS.get(parts.scheme, _SOCKS_PORT)

    @property
    def authorization(self) -> str:
        """Return the value of the header with user and password, or empty."""
        user, password = self.parts.username, self.parts.password
        if not user:
            return ""
        pair = f"{unquote(user)}:{unquote(password or '')}".encode("latin-1", "replace")
        return f"Basic {base64.b64encode(pair).decode()}"


def proxy_of(connection: ResolvedConnection) -> Proxy | None:
    """Return the proxy of the connection, or of the environment, or None.

    Raises:
        ConfigurationError: its address is wrong, or it needs an extra that is not installed.
    """
    if connection.proxy:
        return _read(connection.proxy, connection.origins.get("proxy", "argument"))
    if stays_here(connection.endpoint):
        return None
    url = select_proxy(connection.endpoint, get_environ_proxies(connection.endpoint))
    return None if url is None else _read(url, _variable(connection.endpoint))


def _variable(endpoint: str) -> str:
    """Return the variable with the proxy of an endpoint; a lower-case variable comes first."""
    names = (f"{urlsplit(endpoint).scheme}_proxy", "all_proxy")
    found = [name for lower in names for name in (lower, lower.upper()) if os.environ.get(name)]
    return f"{found[0]} (environment)" if found else "the system's settings"


def _read(text: str, origin: str) -> Proxy:
    url = text.strip() if "://" in text else f"http://{text.strip()}"
    if not _is_address(url):
        raise ConfigurationError(
            f"the proxy of {origin} is not a valid address",
            setting="proxy",
            facts=[
                ("source", origin),
                ("fix", f"write http://user:password@host:port, or no user and password; {_ENCODED}"),
            ],
        )
    parts = urlsplit(url)
    shown = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
    proxy = Proxy(url, "", origin)
    proxy = Proxy(url, sanitize(f"{shown}:{proxy.port}", limit=120), origin)
    if proxy.is_socks:
        _require_socks(proxy)
    return proxy


def _is_address(url: str) -> bool:
    """Return whether a text has scheme and host, and at most a user; otherwise a password can be split."""
    try:
        parts = urlsplit(url)
        valid = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    rest = parts.path.strip("/") or parts.query or parts.fragment or url.endswith(("?", "#"))
    return bool(valid) and parts.scheme in PROXY_SCHEMES and not rest and parts.netloc.count("@") <= 1


def _require_socks(proxy: Proxy) -> None:
    try:
        import_module("socks")
    except ImportError:
        raise ConfigurationError(
            f"the proxy {proxy.address} is a SOCKS proxy, and PySocks is not installed",
            setting="proxy",
            facts=[("source", proxy.origin), ("fix", 'pip install "pulumi-iotda-ota[socks]"')],
        ) from None


def proxy_error(
    proxy: Proxy,
    request: Request[Any],
    connection: ResolvedConnection,
    *,
    status: int = 0,
    error: Exception | None = None,
) -> TransportError:
    """Return the error for a request that a proxy refused, or that did not reach the proxy."""
    host = urlsplit(connection.endpoint).hostname
    variable = proxy.origin.partition(" ")[0] if "(environment)" in proxy.origin else "HTTPS_PROXY"
    answered, final = _answer(status, error)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED or "uthentication" in answered:
        scheme = proxy.parts.scheme
        advice = f"set {variable}={scheme}://user:password@{proxy.address}; {_ENCODED}"
    elif answered:
        advice = f"let the proxy connect to {host}, or add {host} to NO_PROXY"
    elif error is not None and is_unresolved(error) and proxy.is_socks and not _is_unreachable(error):
        # With socks5 this machine resolves the name of the service.
        return TransportError(
            f"could not {request.doing}: {in_words(error)}",
            sent=False,
            facts=[
                ("requested", request.requested),
                ("endpoint", connection.address),
                (setting("proxy"), f"{proxy.address} (from {proxy.origin})"),
                ("fix", "use socks5h://, so that the proxy resolves the name, or correct the endpoint"),
            ],
        )
    else:
        advice = f"correct {proxy.origin.partition(' (')[0]}, or add {host} to NO_PROXY, and run it again"
    problem = f"no connection to the proxy {proxy.address}"
    if answered:
        problem = f"the proxy {proxy.address} answered {answered}"
    elif error is not None and is_clear_text(error):
        problem, final = f"{problem}: the proxy does not speak TLS", True
        advice = f"use http://{proxy.address} for the proxy, not https://"
    elif error is not None and is_untrusted(error):
        problem, final = f"{problem}: {in_words(error)}", True
        advice = f"set {setting('ca_file')} to the certificate of the authority of the proxy, or correct the proxy"
    elif error is not None:
        problem = f"{problem}: {in_words(error)}"
    return TransportError(
        f"could not {request.doing}: {problem}",
        sent=False,
        temporary=not final,
        facts=[
            ("requested", request.requested),
            (setting("proxy"), f"{proxy.address} (from {proxy.origin})"),
            ("fix", advice),
        ],
    )


def _answer(status: int, error: Exception | None) -> tuple[str, bool]:
    """Return the refusal of a proxy, or empty, and whether it is final."""
    if status:
        known = {int(one): one.phrase for one in HTTPStatus}
        text = f"{status} {known[status]}" if status in known else str(status)
        return text, status in _CLIENT_ERRORS and status not in _PASSING
    said = _socks_errors(error)
    if not said or _is_unreachable(error) or is_unresolved(said[-1]):
        return "", False
    kind, text = type(said[-1]).__name__, sanitize(getattr(said[-1], "msg", ""), limit=100)
    if "Auth" in kind:
        return f"that authentication failed ({text})", True
    # Such as "0x05: Connection refused".
    return (text, text.startswith("0x02")) if kind in ("SOCKS5Error", "SOCKS4Error") else ("", False)


def _socks_errors(error: Exception | None) -> list[BaseException]:
    """Return the errors of PySocks, the innermost last; PySocks is not imported here."""
    return [link for link in (chain(error) if error else ()) if type(link).__module__ == "socks"]


def _is_unreachable(error: Exception | None) -> bool:
    """Return whether the proxy itself was not reached."""
    # PySocks does not wrap an error when it resolves the name of the proxy.
    found = _socks_errors(error)
    return not found or any(type(link).__name__ == "ProxyConnectionError" for link in found)
