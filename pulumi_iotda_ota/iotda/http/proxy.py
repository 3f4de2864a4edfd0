"""The proxy that requests go over, as a party of its own: which one it is, what is wrong with it, what it answered.

Which variable counts, and what goes past it, ``requests`` alone decides. A password of a proxy gets into no error.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

from requests.utils import get_environ_proxies, select_proxy

from pulumi_iotda_ota.iotda.auth.endpoint import PROXY_SCHEMES, stays_here
from pulumi_iotda_ota.iotda.errors import ConfigurationError, TransportError
from pulumi_iotda_ota.iotda.http.network_errors import chain, in_words, is_unresolved
from pulumi_iotda_ota.iotda.references import setting
from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.http.messages import Request

_PORTS = {"http": 80, "https": 443}
_SOCKS_PORT = 1080
# What a proxy can answer otherwise a moment later.
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_CLIENT_ERRORS = range(400, 500)
_ENCODED = "write @ as %40, / as %2F, # as %23, ? as %3F and % as %25 in user and password"


@dataclass(frozen=True)
class Proxy:
    """A proxy.

    Args:
        url: its address, with user and password.
        address: host and port, as a message shows it.
        origin: where it was configured.
    """

    url: str = field(repr=False)
    address: str
    origin: str

    @property
    def parts(self) -> SplitResult:
        """Return its address in parts."""
        return urlsplit(self.url)

    @property
    def is_socks(self) -> bool:
        """Return whether it speaks SOCKS."""
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
    """Return the proxy that requests go over: that of the connection, else what the environment names, or None.

    Args:
        connection: where they go.

    Raises:
        ConfigurationError: it is no address, or of a kind that cannot be used here.
    """
    if connection.proxy:
        return _read(connection.proxy, connection.origins.get("proxy", "argument"))
    if stays_here(connection.endpoint):
        return None
    url = select_proxy(connection.endpoint, get_environ_proxies(connection.endpoint))
    return None if url is None else _read(url, _variable(connection.endpoint))


def _variable(endpoint: str) -> str:
    """Return the variable that has the proxy of an endpoint; a small one goes before a capital one."""
    names = (f"{urlsplit(endpoint).scheme}_proxy", "all_proxy")
    found = [name for lower in names for name in (lower, lower.upper()) if os.environ.get(name)]
    return f"{found[0]} (environment)" if found else "the system's settings"


def _read(text: str, origin: str) -> Proxy:
    url = text.strip() if "://" in text else f"http://{text.strip()}"
    if not _is_address(url):
        raise ConfigurationError(
            f"the proxy of {origin} is no address",
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
    """Return whether a text is a scheme, a host and perhaps a user; else a password may have been cut in two."""
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
    """Return the error for a request that did not get past a proxy.

    Args:
        proxy: the proxy.
        request: what was to be sent.
        connection: where to.
        status: what it answered, or 0.
        error: what was raised, or None.
    """
    host = urlsplit(connection.endpoint).hostname
    variable = proxy.origin.partition(" ")[0] if "(environment)" in proxy.origin else "HTTPS_PROXY"
    answered, final = _answer(status, error)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED or "uthentication" in answered:
        scheme = proxy.parts.scheme
        advice = f"set {variable}={scheme}://user:password@{proxy.address}; {_ENCODED}"
    elif answered:
        advice = f"let the proxy connect to {host}, or add {host} to NO_PROXY"
    elif error is not None and is_unresolved(error) and proxy.is_socks and not _at_its_door(error):
        # The name of the service, and not that of the proxy: it is resolved here, before the proxy gets it.
        return TransportError(
            f"could not {request.doing}: {in_words(error)}",
            sent=False,
            facts=[
                ("requested", request.requested),
                ("endpoint", connection.address),
                (setting("proxy"), f"{proxy.address} (from {proxy.origin})"),
                ("fix", "use socks5h://, with which the proxy resolves the name; or correct the endpoint"),
            ],
        )
    else:
        advice = f"correct {proxy.origin.partition(' (')[0]}, or add {host} to NO_PROXY, and run it again"
    problem = (
        f"the proxy {proxy.address} answered {answered}"
        if answered
        else f"no connection to the proxy {proxy.address}: {in_words(error or Exception())}"
    )
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
    """Return what a proxy answered, in words, or nothing; and whether it will answer the same again."""
    if status:
        known = {int(one): one.phrase for one in HTTPStatus}
        text = f"{status} {known[status]}" if status in known else str(status)
        return text, status in _CLIENT_ERRORS and status not in _PASSING
    said = _socks_errors(error)
    if not said or _at_its_door(error) or is_unresolved(said[-1]):
        return "", False
    kind, text = type(said[-1]).__name__, sanitize(getattr(said[-1], "msg", ""), limit=100)
    if "Auth" in kind:
        return f"that authentication failed ({text})", True
    # Such as "0x05: Connection refused".
    return (text, text.startswith("0x02")) if kind in ("SOCKS5Error", "SOCKS4Error") else ("", False)


def _socks_errors(error: Exception | None) -> list[BaseException]:
    """Return what PySocks raised, the innermost last; it is not imported here."""
    return [link for link in (chain(error) if error else ()) if type(link).__module__ == "socks"]


def _at_its_door(error: Exception | None) -> bool:
    """Return whether not even the proxy was reached."""
    # PySocks looks the name of the proxy up before it wraps errors.
    found = _socks_errors(error)
    return not found or any(type(link).__name__ == "ProxyConnectionError" for link in found)
