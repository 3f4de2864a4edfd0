"""Sends one signed request and brings its answer, over ``requests``; the only module that touches a network.

One call is one attempt: no retry, no redirect, no netrc, no cookies. Whatever ``requests`` raises leaves here as an
error of ours, in :func:`_translated` and nowhere else.
"""

from __future__ import annotations

import os
from contextlib import closing
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3 import Timeout
from urllib3.exceptions import HTTPError, LocationValueError

from pulumi_iotda_ota.iotda import references
from pulumi_iotda_ota.iotda.auth.credentials import AccessKey, AuthToken
from pulumi_iotda_ota.iotda.auth.endpoint import stays_here
from pulumi_iotda_ota.iotda.auth.files import UnreadableError, is_there
from pulumi_iotda_ota.iotda.auth.signing import sign
from pulumi_iotda_ota.iotda.errors import ConfigurationError, ProtocolError, TransportError
from pulumi_iotda_ota.iotda.http.bounded_socket import POOLS, recorded_attempt, socks_pools
from pulumi_iotda_ota.iotda.http.hints import hint_on_no_address
from pulumi_iotda_ota.iotda.http.messages import Response
from pulumi_iotda_ota.iotda.http.network_errors import in_words, is_unresolved, is_untrusted
from pulumi_iotda_ota.iotda.http.proxy import proxy_error, proxy_of
from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from urllib3 import PoolManager, ProxyManager

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.errors import IotdaOtaError
    from pulumi_iotda_ota.iotda.http.bounded_socket import Attempt
    from pulumi_iotda_ota.iotda.http.messages import Request
    from pulumi_iotda_ota.iotda.http.proxy import Proxy
    from pulumi_iotda_ota.iotda.retry import Clock

MAX_BODY = 16 * 1024 * 1024
_CHUNK = 64 * 1024
_MOST_CONNECTIONS = 8
_LONGEST_CONNECT = 10.0  # seconds; a service that is there answers sooner
_SUCCESSES = range(200, 300)
# What was requested, and what needs no decoding.
_ENCODINGS = ("", "identity", "gzip", "x-gzip")
# Proxies rewrite other headers on the way, and a changed one would break the signature.
_SIGNED = ("Host", "Content-Type", "Instance-Id", "X-Project-Id", "X-Security-Token")
_WRONG_SETTING = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidHeader,
    LocationValueError,
)
_SPOILT = (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)
_NO_ANSWER = (*_SPOILT, requests.exceptions.ConnectionError, requests.exceptions.Timeout)


class HttpTransport:
    """Carries requests to one endpoint, over connections that are kept alive; safe to use from several threads.

    Args:
        connection: where to send, and how.
        clock: signatures carry its time.

    Raises:
        ConfigurationError: ``ca_file`` is no file, or the proxy is no address.
    """

    def __init__(self, connection: ResolvedConnection, *, clock: Clock) -> None:
        _require_ca_file(connection)
        self._proxy = proxy_of(connection)
        self._connection = connection
        self._clock = clock
        self._session = _session(connection)

    def send(self, request: Request[Any], *, connection: ResolvedConnection, timeout: float) -> Response:
        """Send a request once and return its answer, whatever its status.

        Args:
            request: what to send.
            connection: the project that is asked, and what the request is signed with.
            timeout: seconds for the whole of it. Connecting may take at most 10 of them, but for two things that no
                library bounds: a name is looked up for as long as the system does it, and a host of several addresses
                has as long for each of them, and again for TLS. What remains after that is all there is for the answer.

        Raises:
            TransportError: no whole answer came.
            ProtocolError: the answer is larger than 16 MiB.
            ConfigurationError: a setting is such that nothing can be sent.
        """
        with recorded_attempt() as attempt:
            try:
                if request.repeatable:
                    return self._exchange(self._session, request, connection, timeout)
                # A kept connection that the server has just closed would leave it open whether the request arrived.
                with _session(self._connection) as fresh:
                    return self._exchange(fresh, request, connection, timeout)
            except (*_WRONG_SETTING, UnicodeEncodeError) as error:
                # Not "from error": its text repeats the address of a proxy, with its password.
                raise self._translated(error, request, attempt) from None
            except (OSError, HTTPError) as error:
                raise self._translated(error, request, attempt) from error

    def _translated(self, error: Exception, request: Request[Any], attempt: Attempt) -> IotdaOtaError:
        if self._proxy and attempt.failed_at_proxy:
            return proxy_error(self._proxy, request, self._connection, status=attempt.proxy_status, error=error)
        return _translated(error, request, self._connection, self._proxy, sent=attempt.sent)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _exchange(
        self, session: requests.Session, request: Request[Any], connection: ResolvedConnection, timeout: float
    ) -> Response:
        proxies = dict.fromkeys(("http", "https"), self._proxy.url) if self._proxy else {}
        response = session.request(
            request.method,
            f"{connection.endpoint}{request.target(connection.project_id)}",
            data=request.body or None,
            headers={**({"Content-Type": "application/json"} if request.body else {}), **dict(request.headers)},
            auth=_Signer(connection, self._clock),
            # requests hands it on to urllib3 as it is; its stubs do not know that.
            timeout=Timeout(total=timeout, connect=min(timeout, _LONGEST_CONNECT)),  # type: ignore[arg-type]
            allow_redirects=False,
            stream=True,
            # Given here and not to the session, whose own settings give way to those of the environment.
            proxies=proxies,
            verify=False if connection.insecure else connection.ca_file or True,
        )
        with closing(response):
            if self._proxy and response.status_code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
                # It was given the request itself, and has not passed it on.
                raise proxy_error(self._proxy, request, connection, status=response.status_code)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Response(response.status_code, headers, _body(response, request))


def _require_ca_file(connection: ResolvedConnection) -> None:
    if not connection.ca_file:
        _require_trusted_file(connection)
        return
    try:
        if is_there(connection.ca_file):
            return
        problem = "is no file"
    except UnreadableError as error:
        problem = f"cannot be read: {error}"
    raise ConfigurationError(
        f"{references.setting('ca_file')} {problem}: {sanitize(connection.ca_file)}",
        setting="ca_file",
        facts=[("source", connection.origins.get("ca_file", references.BY_ARGUMENT))],
    )


def _require_trusted_file(connection: ResolvedConnection) -> None:
    """Refuse a pipe or a device that the environment names for certificates: reading it would wait for a writer."""
    if connection.insecure or stays_here(connection.endpoint):
        return
    name = next((name for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if os.environ.get(name)), "")
    path = Path(os.environ.get(name, "")) if name else None
    if path and path.exists() and not path.is_file() and not path.is_dir():
        raise ConfigurationError(
            f"the certificates of {name} are no file: {sanitize(path)}",
            setting="ca_file",
            facts=[("source", f"{name} (environment)"), ("fix", f"correct it, or set {references.setting('ca_file')}")],
        )


def _unsendable(proxy: Proxy) -> ConfigurationError:
    advice = "give the proxy a user and a password of ASCII characters"
    return ConfigurationError(
        "user or password of the proxy can not be sent: it has characters that HTTP does not know",
        setting="proxy",
        facts=[("source", proxy.origin), ("fix", advice)],
    )


class _Signer(AuthBase):
    """Signs the exact URL and body that are sent; as ``requests`` auth, which also keeps ``.netrc`` out."""

    def __init__(self, connection: ResolvedConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        connection, credential = self._connection, self._connection.credential
        prepared.headers["Host"] = urlsplit(connection.endpoint).netloc
        if connection.project_id:
            prepared.headers["X-Project-Id"] = connection.project_id
        if isinstance(credential, AuthToken):
            prepared.headers["X-Auth-Token"] = credential.token.get_secret_value()
        # What is exchanged for one of the two is in the body, not in a header.
        return self._signed(prepared, credential) if isinstance(credential, AccessKey) else prepared

    def _signed(self, prepared: requests.PreparedRequest, credential: AccessKey) -> requests.PreparedRequest:
        if credential.security_token:
            prepared.headers["X-Security-Token"] = credential.security_token.get_secret_value()
        url = urlsplit(str(prepared.url))
        body = prepared.body or b""
        prepared.headers.update(
            sign(
                str(prepared.method),
                url.path,
                query=parse_qsl(url.query, keep_blank_values=True),
                headers={name: prepared.headers[name] for name in _SIGNED if name in prepared.headers},
                body=body.encode() if isinstance(body, str) else body,
                access_key=credential.access_key,
                secret_key=credential.secret_key.get_secret_value(),
                now=self._clock.now(),
                algorithm=self._connection.algorithm,
                region=self._connection.region,
            )
        )
        return prepared


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002  the name is requests' own
        """Follow nothing; requests would also read the whole body of a redirect, however long it is."""
        return None


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager: PoolManager
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = socks_pools() if proxy.startswith("socks") else POOLS
        return manager


def _session(connection: ResolvedConnection) -> requests.Session:
    session = _Session()
    adapter = _Adapter(pool_maxsize=_MOST_CONNECTIONS)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # The environment names proxies and certificates; a loopback or link-local endpoint has no use for them, and plain
    # HTTP must not leave this machine.
    session.trust_env = not stays_here(connection.endpoint)
    session.headers.update(
        {
            "User-Agent": f"pulumi-iotda-ota/{version('pulumi-iotda-ota')}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
    )
    if connection.instance_id:
        session.headers["Instance-Id"] = connection.instance_id
    return session


def _body(response: requests.Response, request: Request[Any]) -> bytes:
    """Return the decompressed body, which is bounded."""
    body = bytearray()
    succeeded = response.status_code in _SUCCESSES
    if response.headers.get("Content-Encoding", "").strip().lower() not in _ENCODINGS:
        # Each layer can multiply what is held by a thousand.
        if succeeded:
            raise ProtocolError(f"could not {request.doing}: the answer is compressed in a way that was not requested")
        return b""
    try:
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > MAX_BODY:
                break
    except requests.RequestException:
        # A refusal is told by its status already; that its body broke off must not make it one that is sent again.
        if succeeded:
            raise
    if succeeded and len(body) > MAX_BODY:
        raise ProtocolError(f"could not {request.doing}: the answer is larger than 16 MiB", oversized=True)
    return bytes(body)


def _translated(
    error: Exception, request: Request[Any], connection: ResolvedConnection, proxy: Proxy | None, *, sent: bool
) -> IotdaOtaError:
    """Return the error of ours for what requests, urllib3 or the system raised.

    Args:
        error: what was raised.
        request: what was to be sent.
        connection: where to.
        proxy: what it goes over, or None.
        sent: whether a byte of it was sent. A setting is the cause only if nothing was sent; otherwise the response is.
    """
    if isinstance(error, UnicodeEncodeError) and not sent and proxy:
        return _unsendable(proxy)
    facts = [("requested", request.requested), ("endpoint", connection.address)]
    if isinstance(error, _WRONG_SETTING) and not sent:
        return ConfigurationError(
            f"could not {request.doing}: the endpoint, the proxy or a header cannot be used",
            facts=[
                *facts,
                *([(references.setting("proxy"), f"{proxy.address} (from {proxy.origin})")] if proxy else []),
                (
                    "fix",
                    (
                        f"check {references.setting('endpoint')}, {references.setting('proxy')} "
                        f"and {references.setting('instance_id')}"
                    ),
                ),
            ],
        )
    if is_untrusted(error):
        trust = f"set {references.setting('ca_file')} to the certificate of its authority"
        facts.append(("fix", f"correct {references.setting('endpoint')}, or {trust}"))
    if is_unresolved(error) and not request.goes_to_iam:
        facts += hint_on_no_address(connection)
    return TransportError(
        f"could not {request.doing}: {in_words(error)}",
        sent=sent,
        temporary=isinstance(error, (*_NO_ANSWER, *_WRONG_SETTING)) and not is_untrusted(error),
        facts=facts,
    )
