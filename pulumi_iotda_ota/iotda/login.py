"""Obtain the credential and the project of requests before the first one is sent.

Tokens and temporary keys come from IAM, or from the metadata service of an ECS. They stay in the memory of the process,
and all its programs share them, because IAM sees one account. ``refresh`` refreshes them. Requests to IAM use the same
caller, limiter and transport as all others.
"""

from __future__ import annotations

import json
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import SecretStr

from pulumi_iotda_ota.iotda import references
from pulumi_iotda_ota.iotda.api import iam
from pulumi_iotda_ota.iotda.auth.connection import require_allowed
from pulumi_iotda_ota.iotda.auth.credentials import (
    AccessKey,
    AssumedAgency,
    AuthToken,
    Credential,
    EcsMetadata,
    IdToken,
    IdTokenFile,
    UserPassword,
    digest,
)
from pulumi_iotda_ota.iotda.auth.files import UnreadableError, read_text
from pulumi_iotda_ota.iotda.auth.refresh import IssuedCredential, RefreshedCredential
from pulumi_iotda_ota.iotda.errors import ConfigurationError, CredentialsError, ProtocolError, TransportError
from pulumi_iotda_ota.iotda.executor import Caller, StaticCredentials
from pulumi_iotda_ota.iotda.http.hints import ON_ECS
from pulumi_iotda_ota.iotda.http.transport import HttpTransport
from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.executor import Login
    from pulumi_iotda_ota.iotda.http.limiter import RequestLimiter
    from pulumi_iotda_ota.iotda.http.messages import Request
    from pulumi_iotda_ota.iotda.retry import Clock, Deadline

T = TypeVar("T")

# An account locks after five wrong passwords, and a lost response can have been the refusal of one.
_MOST_ATTEMPTS = 3
_METADATA_ATTEMPTS = 2


class TokenCache:
    """Credentials and projects from IAM. One object serves the whole process; tests make their own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._credentials: dict[str, RefreshedCredential] = {}
        self._projects: dict[str, str] = {}
        self._finding: dict[str, threading.Lock] = {}

    def credential(self, key: tuple[str, ...]) -> RefreshedCredential:
        """Return the credential of a key."""
        with self._lock:
            return self._credentials.setdefault(digest(key), RefreshedCredential())

    def share(self, credential: RefreshedCredential, key: tuple[str, ...]) -> None:
        """Store a credential under another key too."""
        with self._lock:
            self._credentials.setdefault(digest(key), credential)

    def forget_projects(self) -> None:
        """Forget the projects, but no credentials."""
        with self._lock:
            self._projects.clear()

    def project(self, key: tuple[str, ...], find: Callable[[], str], deadline: Deadline) -> str:
        """Return the project of a key; one thread at a time finds it, at most once."""
        hashed = digest(key)
        with self._lock:
            if hashed in self._projects:
                return self._projects[hashed]
            finding = self._finding.setdefault(hashed, threading.Lock())
        while not finding.acquire(timeout=max(0.001, deadline.remaining())):
            deadline.check("find the project of the region")
        try:
            found = self._projects.get(hashed)
            if found is None:
                found = self._projects[hashed] = find()
            return found
        finally:
            finding.release()


class AccountLogin:
    """Provides the credential and the project of one connection.

    Args:
        connection: the resolved connection.
        clock: the time.
        limiter: the request limiter.
        token_cache: the credentials and projects from IAM.
        wants_project: whether requests need a project; those to IAM do not.
    """

    def __init__(
        self,
        connection: ResolvedConnection,
        *,
        clock: Clock,
        limiter: RequestLimiter,
        token_cache: TokenCache,
        wants_project: bool = True,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._limiter = limiter
        self._token_cache = token_cache
        self._wants_project = wants_project
        self._is_ready = isinstance(connection.credential, (AccessKey, AuthToken))
        self._refreshed = (
            RefreshedCredential() if self._is_ready else token_cache.credential(self._key(connection.project_id))
        )

    def ready(self, deadline: Deadline) -> ResolvedConnection:
        """Return the connection with its project and a credential that signs requests.

        Raises:
            CredentialsError: IAM refuses the credential, now or earlier in this process.
            ConfigurationError: the region has no project, several, or one that is not allowed.
            IotdaOtaError: the request to IAM failed.
        """
        connection = self._connection
        if not self._is_ready:
            obtained = self._refreshed.current(lambda: self._obtained(deadline), deadline)
            if obtained.project_id and not connection.project_id:
                # A connection with this project needs the same token.
                self._token_cache.share(self._refreshed, self._key(obtained.project_id))
            connection = replace(
                connection,
                credential=obtained.credential,
                project_id=connection.project_id or self._allowed(obtained.project_id),
            )
        if connection.project_id or not self._wants_project:
            return connection
        key = ("project", connection.project_name, *self._key(""))
        project_id = self._token_cache.project(key, lambda: self._project(connection, deadline), deadline)
        # The connection that found it can allow other projects than this one.
        return replace(connection, project_id=self._allowed(project_id))

    def on_accepted(self, used: ResolvedConnection) -> None:
        """Record that the service accepted a credential."""
        if not self._is_ready:
            self._refreshed.on_accepted(_ready(used))

    def refreshed(self, used: ResolvedConnection, refusal: CredentialsError) -> bool:
        """Record that the service refused a credential, and return whether another one can be obtained."""
        return not self._is_ready and self._refreshed.refused(_ready(used), refusal)

    def _key(self, project_id: str) -> tuple[str, ...]:
        connection = self._connection
        scope = connection.region
        if isinstance(connection.credential, UserPassword):
            scope = json.dumps(self._scope(project_id))
        # A token from a server that was not verified, or by other authorities, is not for connections that verify it.
        tls = ("insecure" if connection.insecure else "verified", connection.ca_file or "")
        return (connection.iam_endpoint, scope, *tls, *connection.credential.parts)

    def _allowed(self, project_id: str) -> str:
        if project_id and self._wants_project:
            try:
                require_allowed(project_id, self._connection.allowed_project_ids)
            except ConfigurationError as error:
                error.note("source", f"IAM, as {_project_title(self._connection)}")
                raise
        return project_id

    def _obtained(self, deadline: Deadline) -> IssuedCredential:
        credential = self._connection.credential
        if isinstance(credential, UserPassword):
            return self._token(credential, deadline)
        if isinstance(credential, IdTokenFile):
            return self._key_of_file(credential, deadline)
        if isinstance(credential, EcsMetadata):
            return self._key_of_ecs(credential, deadline)
        if isinstance(credential, AssumedAgency):
            request = iam.assume_agency(
                credential.agency_name, domain_name=credential.domain_name, domain_id=credential.domain_id
            )
            return _key(self._signed(request, credential.base, deadline), str(credential))
        raise AssertionError(f"{type(credential).__name__} cannot be exchanged")

    def _token(self, credential: UserPassword, deadline: Deadline) -> IssuedCredential:
        request = iam.create_token(
            credential.user_name, credential.password, credential.domain_name, self._scope(self._connection.project_id)
        )
        token = self._exchanged(request, _at_iam(self._connection, credential), deadline)
        project = token.token.project
        return IssuedCredential(
            AuthToken(token.text, f"IAM for {credential}"), token.token.expires_at, project.id if project else ""
        )

    def _scope(self, project_id: str) -> dict[str, object]:
        connection = self._connection
        if not self._wants_project and isinstance(connection.credential, UserPassword):
            # The account assumes an agency, not one of its projects.
            return {"domain": {"name": connection.credential.domain_name}}
        return {"project": {"id": project_id} if project_id else {"name": _project_name(connection)}}

    def _key_of_file(self, credential: IdTokenFile, deadline: Deadline) -> IssuedCredential:
        held = IdToken(_content(credential), credential)
        at_iam = _at_iam(self._connection, held)
        token = self._exchanged(iam.exchange_id_token(held.token, credential.idp_id), at_iam, deadline)
        key = self._signed(iam.exchange_token(token), AuthToken(token, f"IAM for {credential}"), deadline)
        return _key(key, f"IAM for {credential}")

    def _key_of_ecs(self, credential: EcsMetadata, deadline: Deadline) -> IssuedCredential:
        def exchanged(request: Request[T], token: SecretStr | None = None) -> T:
            connection = _at_metadata(self._connection, replace(credential, token=token))
            return self._exchanged(request, connection, deadline)

        token = exchanged(iam.metadata_token(required=False))
        key = exchanged(iam.security_key(token), token)
        if key is None:
            token = exchanged(iam.metadata_token(required=True))
            key = exchanged(iam.security_key(token), token)
        if key is None:
            raise CredentialsError(
                "the ECS metadata service refused its own token",
                facts=[("source", credential.source), ("cause", ON_ECS)],
            )
        return _key(key, str(credential))

    def _project(self, connection: ResolvedConnection, deadline: Deadline) -> str:
        """Return the id of the project that has the name, or of the main project of the region."""
        found = self._signed(iam.list_projects(_project_name(connection)), self._connection.credential, deadline)
        if len(found) != 1:
            raise _not_one_project(connection, [project.id for project in found])
        (project,) = found
        return project.id

    def _exchanged(self, request: Request[T], connection: ResolvedConnection, deadline: Deadline) -> T:
        """Return the response to a request whose body has the credential, and which is not signed."""
        return self._called(request, connection, StaticCredentials(connection), deadline)

    def _signed(self, request: Request[T], credential: Credential, deadline: Deadline) -> T:
        """Return the response of IAM to a signed request; its credential is obtained first if necessary."""
        connection = _at_iam(self._connection, credential)
        login = AccountLogin(
            connection, clock=self._clock, limiter=self._limiter, token_cache=self._token_cache, wants_project=False
        )
        return self._called(request, connection, login, deadline)

    def _called(self, request: Request[T], connection: ResolvedConnection, login: Login, deadline: Deadline) -> T:
        with closing(HttpTransport(connection, clock=self._clock)) as transport:
            caller = Caller(connection, transport, clock=self._clock, limiter=self._limiter, login=login)
            try:
                return caller.call(request, deadline)
            except (ProtocolError, TransportError) as error:
                if isinstance(connection.credential, EcsMetadata):
                    error.note("cause", ON_ECS)
                elif isinstance(error, ProtocolError):
                    error.note("fix", f"check that {references.setting('iam_endpoint')} is an IAM endpoint")
                raise


def _at_iam(connection: ResolvedConnection, credential: Credential) -> ResolvedConnection:
    """Return the connection to IAM, with the settings of a connection to IoTDA."""
    origins = dict(connection.origins)
    origins["endpoint"] = origins.get("iam_endpoint", "")
    return replace(
        connection,
        endpoint=connection.iam_endpoint,
        project_id="",
        instance_id=None,
        algorithm="standard",
        credential=credential,
        max_attempts=min(connection.max_attempts, _MOST_ATTEMPTS),
        origins=origins,
    )


def _at_metadata(connection: ResolvedConnection, credential: EcsMetadata) -> ResolvedConnection:
    """Return the connection to the metadata service of this ECS, without a proxy."""
    at_iam = _at_iam(connection, credential)
    attempts = min(at_iam.max_attempts, _METADATA_ATTEMPTS)
    return replace(at_iam, endpoint=credential.address, ca_file=None, proxy=None, max_attempts=attempts, origins={})


def _ready(used: ResolvedConnection) -> AccessKey | AuthToken:
    credential = used.credential
    if isinstance(credential, (AccessKey, AuthToken)):
        return credential
    raise AssertionError(f"{type(credential).__name__} does not sign requests")


def _key(key: iam.TemporaryKey, source: str) -> IssuedCredential:
    given = key.credential
    return IssuedCredential(AccessKey(given.access, given.secret, given.securitytoken, source), given.expires_at)


def _content(file: IdTokenFile) -> SecretStr:
    """Return the present content of a token file: pipelines rewrite it."""
    try:
        content = read_text(str(Path(file.path).expanduser())).strip()
    except UnreadableError as error:
        raise _no_token(file, f"cannot be read: {error}") from None
    except RuntimeError:
        raise _no_token(file, "cannot be read: its home folder does not exist") from None
    if not content:
        raise _no_token(file, "is empty")
    return SecretStr(content)


def _no_token(file: IdTokenFile, problem: str) -> CredentialsError:
    return CredentialsError(
        f"the OIDC token file {problem}",
        facts=[
            ("file", sanitize(file.path, limit=120)),
            ("source", file.source),
            ("fix", "let the pipeline write the token there before Pulumi runs"),
        ],
    )


def _project_name(connection: ResolvedConnection) -> str:
    """Return the name of the project in IAM; the main project of a region has the name of the region."""
    return connection.project_name or connection.region


def _project_title(connection: ResolvedConnection) -> str:
    name = connection.project_name
    return f"the project {name}" if name else f"the project of the region {connection.region}"


def _not_one_project(connection: ResolvedConnection, ids: Sequence[str]) -> ConfigurationError:
    facts = [("endpoint", connection.iam_endpoint), ("credential", str(connection.credential))]
    setting, name = "project_name" if connection.project_name else "project_id", _project_name(connection)
    project = references.setting("project_id")
    if not ids:
        wrong = references.setting("project_name" if connection.project_name else "region")
        missing = f"project {name}" if connection.project_name else f"project of the region {name}"
        return ConfigurationError(
            f"IAM finds no {missing} with this credential",
            setting=setting,
            facts=[
                *facts,
                ("fix", f"check {wrong}, and that the account uses it; or set {project}"),
            ],
        )
    several = f"IAM finds {len(ids)} projects {name}" if connection.project_name else None
    return ConfigurationError(
        several or f"the region {name} has {len(ids)} projects",
        setting=setting,
        facts=[
            *facts,
            ("found", sanitize(", ".join(ids))),
            ("fix", f"set {project} to one of them"),
        ],
    )


# With the limiter, this is the only state that outlives a client.
PROCESS_TOKENS = TokenCache()
