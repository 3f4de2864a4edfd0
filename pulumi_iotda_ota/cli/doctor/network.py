"""Looks whether an endpoint can be reached at all: name, connection, certificate, and its clock. Nothing is signed.

This is the one place beside the transport that opens a connection: it has to see each step by itself.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import certifi

from pulumi_iotda_ota.cli.doctor.findings import OK, PROBLEM, SKIPPED, WARNING, Finding
from pulumi_iotda_ota.iotda.http.bounded_socket import tunnel_status
from pulumi_iotda_ota.iotda.http.hints import hint_on_no_address
from pulumi_iotda_ota.iotda.http.messages import Request
from pulumi_iotda_ota.iotda.http.network_errors import in_words
from pulumi_iotda_ota.iotda.http.proxy import proxy_error, proxy_of
from pulumi_iotda_ota.iotda.references import BY_ARGUMENT
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, render

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.http.proxy import Proxy
    from pulumi_iotda_ota.iotda.retry import Clock

_SECONDS = 10.0
_GOOD_FOR = timedelta(minutes=15)  # a signature is, either way
_WORTH_A_WARNING = timedelta(minutes=5)
# What a tunnel is opened for.
_CONNECT = Request("CONNECT", "reach the endpoint", "a connection", "CONNECT", "", read=lambda _: None)
_WAY = "check the endpoint and the way to it (network, proxy, firewall)"


def reached(connection: ResolvedConnection, environ: Mapping[str, str], clock: Clock) -> Iterator[Finding]:
    """Give what was found on the way to the endpoint, step by step, and how far the clocks are apart."""
    proxy = proxy_of(connection)
    if proxy:
        yield from _through(proxy, connection, environ, clock)
        return
    parts = urlsplit(connection.endpoint)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        addresses = sorted({str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})
    except (OSError, UnicodeError):  # the second: a part of the name that is longer than names may be
        hints = dict(hint_on_no_address(connection))
        advice = hints.get("cause", _WAY)
        yield Finding("network", PROBLEM, f"{host} has no address", advice)
        return
    try:
        plain = socket.create_connection((host, port), timeout=_SECONDS)
    except OSError as error:
        yield Finding("network", PROBLEM, f"no connection to {host}:{port} ({addresses[0]}): {in_words(error)}", _WAY)
        return
    with plain:
        yield Finding("network", OK, f"{host}:{port} answers at {addresses[0]}")
        yield from _spoken(connection, environ, plain, host, clock)


def _through(
    proxy: Proxy, connection: ResolvedConnection, environ: Mapping[str, str], clock: Clock
) -> Iterator[Finding]:
    """Give what the proxy says, and what is behind it if the proxy is one that a tunnel can be opened through."""
    named = f"the proxy {proxy.address} (from {proxy.origin})"
    endpoint = urlsplit(connection.endpoint)
    address = (str(proxy.parts.hostname), proxy.port)
    try:
        if proxy.parts.scheme != "http" or endpoint.scheme != "https":
            socket.create_connection(address, timeout=_SECONDS).close()
            yield Finding("network", OK, f"requests go through {named}, which answers; what is behind it is not seen")
            yield Finding("clock", SKIPPED, "not compared through this proxy")
            return
        tunnel = http.client.HTTPConnection(*address, timeout=_SECONDS)
        headers = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
        tunnel.set_tunnel(endpoint.hostname or "", endpoint.port or 443, headers)
        tunnel.connect()
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        failed = proxy_error(proxy, _CONNECT, connection, status=tunnel_status(error), error=error)
        facts = dict(failed.facts_in(COMMAND_LINE))
        headline = render(failed.message.headline, COMMAND_LINE)
        yield Finding("network", PROBLEM, headline, facts["fix"], (("proxy", facts["--proxy"]),))
        return
    with tunnel.sock as plain:
        yield Finding("network", OK, f"{named} connects to {endpoint.hostname}")
        yield from _spoken(connection, environ, plain, endpoint.hostname or "", clock)


def _spoken(
    connection: ResolvedConnection, environ: Mapping[str, str], plain: socket.socket, host: str, clock: Clock
) -> Iterator[Finding]:
    secure = connection.endpoint.startswith("https://")
    try:
        context = _context(connection, environ) if secure else None
    except OSError as error:
        path, name = _trusted(connection, environ)
        text = f"the certificates to trust cannot be read, {sanitize(path)}: {in_words(error)}"
        yield Finding("certificate", PROBLEM, text, f"correct {name}, which names them")
        return
    try:
        open_socket = context.wrap_socket(plain, server_hostname=host) if context else plain
    except OSError as error:
        advice = "correct the endpoint, or give the certificate of its authority: --ca-file"
        yield Finding("certificate", PROBLEM, f"no safe connection to {host}: {in_words(error)}", advice)
        return
    with open_socket:
        if isinstance(open_socket, ssl.SSLSocket):
            yield _certificate(connection, open_socket)
        yield clock_skew(_date(open_socket, host), clock.now())


def _context(connection: ResolvedConnection, environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return what trusts whom the transport trusts: `ca_file`, what the environment names, or the usual ones."""
    trusted, _ = _trusted(connection, environ)
    folder = trusted.is_dir()
    context = ssl.create_default_context(cafile=None if folder else trusted, capath=trusted if folder else None)
    if connection.insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _trusted(connection: ResolvedConnection, environ: Mapping[str, str]) -> tuple[Path, str]:
    """Return where the certificates to trust are, and what says so."""
    if connection.ca_file:
        origin = render(connection.origins.get("ca_file", BY_ARGUMENT), COMMAND_LINE)
        return Path(connection.ca_file), "--ca-file" if origin == "option" else origin
    names = (name for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if environ.get(name))
    name = next(names, None)
    return (Path(environ[name]), f"{name} (environment)") if name else (Path(certifi.where()), "certifi")


def _certificate(connection: ResolvedConnection, spoken: ssl.SSLSocket) -> Finding:
    if connection.insecure:
        text = f"{spoken.version()}; the certificate is not verified"
        return Finding(
            "certificate", WARNING, text, "leave insecure out, and give the authority's certificate: --ca-file"
        )
    until = sanitize((spoken.getpeercert() or {}).get("notAfter", "an unknown time"))
    return Finding("certificate", OK, f"{spoken.version()}, verified, good until {until}")


def _date(spoken: socket.socket, host: str) -> str:
    """Return the Date of an answer to a request that asks for nothing, or empty."""
    connected = http.client.HTTPConnection(host, timeout=_SECONDS)
    connected.sock = spoken
    try:
        connected.request("HEAD", "/", headers={"Connection": "close"})
        return connected.getresponse().getheader("Date") or ""
    except (OSError, http.client.HTTPException):
        return ""


def clock_skew(date: str, now: datetime) -> Finding:
    """Return how far this machine's clock is from that of an answer.

    Args:
        date: the Date header of the answer.
        now: the time of this machine.
    """
    try:
        theirs = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return Finding("clock", SKIPPED, "the endpoint tells no time to compare with")
    ahead = now - (theirs if theirs.tzinfo else theirs.replace(tzinfo=timezone.utc))
    seconds = abs(ahead).total_seconds()
    side = "ahead of" if ahead > timedelta() else "behind"
    text = f"this machine's clock is {seconds:,.0f} seconds {side} the service's"
    advice = "set the clock (NTP): a signature is good for 15 minutes either way"
    if abs(ahead) > _GOOD_FOR:
        return Finding("clock", PROBLEM, text, advice)
    if abs(ahead) > _WORTH_A_WARNING:
        return Finding("clock", WARNING, text, advice)
    return Finding("clock", OK, f"within {max(1, round(seconds))} seconds of the service's")
