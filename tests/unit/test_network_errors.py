"""What is said about exceptions of other libraries, and that none of them gets through."""

from __future__ import annotations

import http.client
import inspect
import socket
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import requests
import urllib3

from pulumi_iotda_ota.iotda.api import protocol
from pulumi_iotda_ota.iotda.errors import ConfigurationError, IotdaOtaError, TransportError
from pulumi_iotda_ota.iotda.http.network import in_words
from pulumi_iotda_ota.iotda.http.transport import HttpTransport
from pulumi_iotda_ota.iotda.models import PackageQuery
from pulumi_iotda_ota.iotda.retry import SYSTEM_CLOCK
from tests.support.fault_helpers import CONNECTION

if TYPE_CHECKING:
    from collections.abc import Iterator

LIST = protocol.list_packages(PackageQuery("firmwarePackage"))
POOL: Any = None


def exceptions_of(module: Any) -> list[type[BaseException]]:
    """Return the exceptions that a module defines, without warnings."""
    found = [
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception) and not issubclass(kind, Warning) and kind.__module__.startswith(module.__name__)
    ]
    return sorted(found, key=lambda kind: kind.__name__)


def made(kind: type[BaseException]) -> BaseException:
    """Return an exception of a kind, whatever its constructor wants."""
    error = kind.__new__(kind)
    BaseException.__init__(error, "secret https://host/path?query=1")
    return error


def sent_into(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> IotdaOtaError:
    """Return what leaves the transport when requests raises this."""

    def request(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(requests.Session, "request", request)
    with pytest.raises(IotdaOtaError) as caught:
        HttpTransport(CONNECTION, clock=SYSTEM_CLOCK).send(LIST, connection=CONNECTION, timeout=1)
    return caught.value


@pytest.mark.parametrize("kind", exceptions_of(requests.exceptions), ids=lambda kind: kind.__name__)
def test_no_exception_of_requests_escapes(kind: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every exception that requests defines becomes one of ours, without its name or an address with a query."""
    error = sent_into(made(kind), monkeypatch)

    assert isinstance(error, (TransportError, ConfigurationError))
    assert error.headline.startswith("could not list OTA packages: ")
    assert "query" not in str(error)
    assert kind.__name__ not in str(error)


@pytest.mark.parametrize("kind", exceptions_of(urllib3.exceptions), ids=lambda kind: kind.__name__)
def test_no_exception_of_urllib3_escapes(kind: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    """What requests forgets to wrap becomes one of ours too, an address that is none a setting that is wrong."""
    if issubclass(kind, urllib3.exceptions.HTTPError):
        wrong_setting = issubclass(kind, urllib3.exceptions.LocationValueError)
        assert isinstance(sent_into(made(kind), monkeypatch), ConfigurationError if wrong_setting else TransportError)


def test_an_oserror_becomes_one_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own errors, such as an unreadable file of certificates, become one of ours."""
    error = sent_into(PermissionError(13, "x"), monkeypatch)

    assert error.headline == "could not list OTA packages: permission denied"


def wrapped(inner: BaseException, cause: BaseException | None = None) -> requests.exceptions.ConnectionError:
    """Return an exception as requests wraps it."""
    inner.__cause__ = cause
    return requests.exceptions.ConnectionError(urllib3.exceptions.MaxRetryError(POOL, "/x?y", inner))  # type: ignore[arg-type]


NO_TLS = "TLS failed: wrong version number; the server does not speak TLS there; is it http://?"
CASES: dict[str, BaseException] = {
    "the host name could not be resolved": wrapped(
        urllib3.exceptions.NameResolutionError("h", POOL, socket.gaierror(-2, "Name or service not known"))
    ),
    "the connection was refused": wrapped(
        urllib3.exceptions.NewConnectionError(POOL, "x"), ConnectionRefusedError(111, "Connection refused")
    ),
    "the connection was reset": requests.exceptions.ConnectionError(
        urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError(104, "reset"))
    ),
    "the server closed the connection without a response": requests.exceptions.ConnectionError(
        urllib3.exceptions.ProtocolError("Connection aborted.", http.client.RemoteDisconnected("closed"))
    ),
    "the response was not HTTP": requests.exceptions.ConnectionError(
        urllib3.exceptions.ProtocolError("Connection aborted.", http.client.BadStatusLine("x"))
    ),
    "no connection in time": requests.exceptions.ConnectTimeout(urllib3.exceptions.ConnectTimeoutError(POOL, "x")),
    "no complete response in time": requests.exceptions.ReadTimeout(
        urllib3.exceptions.ReadTimeoutError(POOL, "/x?y", "timed out")
    ),
    "the response could not be decompressed": requests.exceptions.ContentDecodingError(
        urllib3.exceptions.DecodeError("gzip")
    ),
    "the response was cut off or garbled": requests.exceptions.ChunkedEncodingError(
        urllib3.exceptions.ProtocolError("x", urllib3.exceptions.IncompleteRead(1, 2))
    ),
    NO_TLS: requests.exceptions.SSLError(_tls := ssl.SSLError(1, "x")),
    "the connection failed": requests.exceptions.ConnectionError("x"),
}
_tls.reason = "WRONG_VERSION_NUMBER"


@pytest.mark.parametrize("words", CASES)
def test_causes_are_told_in_plain_words(words: str) -> None:
    """Each cause is found under the wrappings. The error describes it without terms that need a manual."""
    assert in_words(CASES[words]) == words


def test_an_untrusted_certificate_says_why() -> None:
    """The reason that the certificate was refused for is part of the cause."""
    refused = ssl.SSLCertVerificationError(1, "x")
    refused.verify_message = "self-signed certificate"

    assert in_words(requests.exceptions.SSLError(refused)) == (
        "the server's certificate is not trusted: self-signed certificate"
    )


def test_a_chain_that_ends_in_itself_ends() -> None:
    """Exceptions that refer to each other do not hang the explanation."""

    def circle() -> Iterator[BaseException]:
        one, other = ValueError(), KeyError()
        one.__context__, other.__cause__ = other, one
        yield one

    assert in_words(next(circle())) == "the connection failed"
