"""Send one signed request over ``requests`` and return its response; the only module that uses the network.

One call is one attempt: no retry, no redirect, no netrc, no cookies. :func:`_translated` makes an error of this library
from everything that ``requests`` raises.
"""

from __future__ import annotations

import os
import ssl
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
from pulumi_iotda_ota.iotda.http.network import in_words, is_unresolved, is_untrusted, proxy_error, proxy_of
from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from urllib3 import PoolManager, ProxyManager

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.errors import IotdaOtaError
    from pulumi_iotda_ota.iotda.http.bounded_socket import Attempt
    from pulumi_iotda_ota.iotda.http.messages import Request
    from pulumi_iotda_ota.iotda.http.network import Proxy
    from pulumi_iotda_ota.iotda.retry import Clock

MAX_BODY = 16 * 1024 * 1024
_CHUNK = 64 * 1024
_MOST_CONNECTIONS = 8
_LONGEST_CONNECT = 10.0  # seconds; a reachable service answers sooner
_SUCCESSES = range(200, 300)
# The requested encoding, and no encoding.
_ENCODINGS = ("", "identity", "gzip", "x-gzip")
# Proxies change other headers, and a changed header would break the signature.
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
    """Sends requests to one endpoint over connections that stay open; safe to use from several threads.

    Args:
        connection: the endpoint and its settings.
        clock: the time of signatures.

    Raises:
        ConfigurationError: the certificates to trust cannot be read, or the proxy is no address.
    """

    def __init__(self, connection: ResolvedConnection, *, clock: Clock) -> None:
        _require_trusted_certificates(connection)
        self._proxy = proxy_of(connection)
        self._connection = connection
        self._clock = clock
        self._session = _session(connection)

    def send(self, request: Request[Any], *, connection: ResolvedConnection, timeout: float) -> Response:
        """Send a request once and return its response, whatever its status.

        Args:
            request: the request.
            connection: the project and the credential of the request.
            timeout: the seconds for the whole exchange. Connecting takes at most 10 of them for each address of the
                host, and again for TLS. The system alone bounds how long the name is resolved.

        Raises:
            TransportError: no complete response came.
            ProtocolError: the response is larger than 16 MiB.
            ConfigurationError: a setting makes it impossible to send the request.
        """
        with recorded_attempt() as attempt:
            return self._sent(request, connection, timeout, attempt, _Signer(connection, self._clock))

    def probe(self, request: Request[Any], *, timeout: float) -> tuple[Response, Attempt]:
        """Send a request without a credential; return its response, and what the connection recorded.

        See :meth:`send` for the arguments and errors.
        """
        with recorded_attempt() as attempt:
            return self._sent(request, self._connection, timeout, attempt, _Unsigned()), attempt

    def _sent(
        self, request: Request[Any], connection: ResolvedConnection, timeout: float, attempt: Attempt, auth: AuthBase
    ) -> Response:
        try:
            if request.repeatable:
                return self._exchange(self._session, request, connection, timeout, auth)
            # On a kept connection that the server has just closed, it would be unknown whether the request arrived.
            with _session(self._connection) as fresh:
                return self._exchange(fresh, request, connection, timeout, auth)
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
        self,
        session: requests.Session,
        request: Request[Any],
        connection: ResolvedConnection,
        timeout: float,
        auth: AuthBase,
    ) -> Response:
        proxies = dict.fromkeys(("http", "https"), self._proxy.url) if self._proxy else {}
        response = session.request(
            request.method,
            f"{connection.endpoint}{request.target(connection.project_id)}",
            data=request.body or None,
            headers={**({"Content-Type": "application/json"} if request.body else {}), **dict(request.headers)},
            auth=auth,
            # requests passes it to urllib3; its stubs do not know that.
            timeout=Timeout(total=timeout, connect=min(timeout, _LONGEST_CONNECT)),  # type: ignore[arg-type]
            allow_redirects=False,
            stream=True,
            # Not of the session: there, the environment has precedence.
            proxies=proxies,
            verify=False if connection.insecure else connection.ca_file or True,
        )
        with closing(response):
            if self._proxy and response.status_code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
                # A proxy that forwards requests received this one, and refused it.
                raise proxy_error(self._proxy, request, connection, status=response.status_code)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Response(response.status_code, headers, _body(response, request))


def _require_trusted_certificates(connection: ResolvedConnection) -> None:
    """Refuse certificates that cannot be read; a pipe would wait for a writer, and libraries do not name the file."""
    if connection.ca_file:
        path, origin = connection.ca_file, connection.origins.get("ca_file", references.BY_ARGUMENT)
        name = references.setting("ca_file")
    elif connection.insecure or stays_here(connection.endpoint):
        return
    else:
        name = next((name for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if os.environ.get(name)), "")
        path, origin = os.environ.get(name, ""), f"{name} (environment)"
        if not path or Path(path).is_dir():
            return
    try:
        problem = _problem_of_certificates(path)
    except UnreadableError as error:
        problem = f"cannot be read: {error}"
    if problem:
        raise ConfigurationError(
            f"{name} {problem}: {sanitize(path)}",
            setting="ca_file",
            facts=[("source", origin), ("fix", f"correct {name}, which names the certificates to trust")],
        )


def _problem_of_certificates(path: str) -> str:
    if not is_there(path):
        return "is no file"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        return "has no certificates in PEM format"
    except OSError as error:
        return f"cannot be read: {in_words(error)}"
    return ""


def _unsendable(proxy: Proxy) -> ConfigurationError:
    advice = "use only ASCII characters in the user and the password of the proxy"
    return ConfigurationError(
        "the user or the password of the proxy has characters that HTTP does not allow",
        setting="proxy",
        facts=[("source", proxy.origin), ("fix", advice)],
    )


class _Signer(AuthBase):
    """Signs the URL and the body exactly as they are sent; as ``requests`` auth it also keeps ``.netrc`` out."""

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
        # Other credentials are in the body of a request to IAM.
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


class _Unsigned(AuthBase):
    """Sends no credential; as ``requests`` auth it also keeps ``.netrc`` out."""

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        return prepared


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002  the name is requests' own
        """Follow no redirect; requests would also read its whole body, of any length."""
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
    # The environment can name a proxy and certificates. An endpoint on this machine needs neither, and plain HTTP must
    # not leave this machine.
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
        # Each layer can multiply the size by a thousand.
        if succeeded:
            raise ProtocolError(f"could not {request.doing}: the response has a compression that was not requested")
        return b""
    try:
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > MAX_BODY:
                break
    except requests.RequestException:
        # The status of a refusal is enough: a body that breaks off must not cause another attempt.
        if succeeded:
            raise
    if succeeded and len(body) > MAX_BODY:
        raise ProtocolError(f"could not {request.doing}: the response is larger than 16 MiB", oversized=True)
    return bytes(body)


def _translated(
    error: Exception, request: Request[Any], connection: ResolvedConnection, proxy: Proxy | None, *, sent: bool
) -> IotdaOtaError:
    """Return the error of this library for one of requests, urllib3 or the system.

    Args:
        error: the error.
        request: the request.
        connection: the endpoint.
        proxy: the proxy, or None.
        sent: whether a byte of the request was sent. Only if nothing was sent, a setting can be the cause.
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
