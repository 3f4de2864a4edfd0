"""The kinds of credentials: those that sign a request as they are, and those that are exchanged for one of them first.

``Ready`` credentials go with a request. For each of the others IAM, or the metadata service of an ECS, gives out a
ready one that expires. A credential shows of its secrets nothing but the ends of an access key. Nothing here looks for
a credential or sends a request.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from pydantic import SecretStr

# Link-local, and the same on every ECS. Source: the page "Obtaining Metadata".
METADATA_ADDRESS = "http://169.254.169.254"
_SHOWN_ENDS = 2
# The ends are less than half of a key that is shown.
_SHORTEST_SHOWN = 4 * _SHOWN_ENDS + 1


@dataclass(frozen=True)
class AccessKey:
    """An access key with its secret, and a security token where the key is a temporary one.

    Args:
        access_key: the access key (AK); it is shown masked.
        secret_key: the secret key (SK).
        security_token: goes with a temporary key.
        source: where it came from, in words.
    """

    access_key: str = field(repr=False)
    secret_key: SecretStr
    security_token: SecretStr | None
    # The same credential found in two places is the same one.
    source: str = field(compare=False)

    def __str__(self) -> str:
        kind = "temporary access key" if self.security_token else "access key"
        return f"{kind} {masked_key(self.access_key)} from {self.source}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every text that must not be printed."""
        token = self.security_token.get_secret_value() if self.security_token else ""
        return tuple(filter(None, (self.access_key, self.secret_key.get_secret_value(), token)))

    @property
    def parts(self) -> tuple[str, ...]:
        """Return what tells it from other credentials; secrets are among it."""
        return ("key", *self.secrets)


@dataclass(frozen=True)
class AuthToken:
    """An IAM token, sent as ``X-Auth-Token``.

    Args:
        token: the token.
        source: where it came from, in words.
    """

    token: SecretStr
    source: str = field(compare=False)

    def __str__(self) -> str:
        return f"token from {self.source}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every text that must not be printed."""
        return (self.token.get_secret_value(),)

    @property
    def parts(self) -> tuple[str, ...]:
        """Return what tells it from other credentials; secrets are among it."""
        return ("token", *self.secrets)


@dataclass(frozen=True)
class UserPassword:
    """An IAM user with its password, exchanged for a token.

    Args:
        user_name: the name of the IAM user.
        password: its password.
        domain_name: the account that the user belongs to.
        source: where it came from, in words.
    """

    user_name: str
    password: SecretStr
    domain_name: str
    source: str = field(compare=False)

    def __str__(self) -> str:
        return f"user {sanitize(self.user_name)} of {sanitize(self.domain_name)} from {self.source}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every text that must not be printed."""
        return (self.password.get_secret_value(),)

    @property
    def parts(self) -> tuple[str, ...]:
        """Return what tells it from other credentials; secrets are among it."""
        return ("user", self.user_name, self.domain_name, *self.secrets)


@dataclass(frozen=True)
class IdTokenFile:
    """A file with an OpenID Connect token, exchanged for a temporary access key; it is read at each exchange.

    Args:
        path: the file.
        idp_id: the identity provider, as IAM knows it.
        source: where it came from, in words.
    """

    path: str
    idp_id: str
    source: str = field(compare=False)

    def __str__(self) -> str:
        return f"OIDC token of {sanitize(self.idp_id)} from {self.source}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return nothing: what the file holds is not here."""
        return ()

    @property
    def parts(self) -> tuple[str, ...]:
        """Return what tells it from other credentials."""
        return ("file", self.path, self.idp_id)


@dataclass(frozen=True)
class IdToken:
    """An OpenID Connect token, as it stood in its file.

    Args:
        token: the token.
        file: where it stood.
    """

    token: SecretStr
    file: IdTokenFile

    def __str__(self) -> str:
        return str(self.file)

    @property
    def source(self) -> str:
        """Return where it came from, in words."""
        return self.file.source

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every text that must not be printed."""
        return (self.token.get_secret_value(),)

    @property
    def parts(self) -> tuple[str, ...]:
        """Return what tells it from other credentials; secrets are among it."""
        return ("id token", *self.secrets)


@dataclass(frozen=True)
class EcsMetadata:
    """The agency of the ECS that this runs on: its metadata service gives out temporary access keys.

    Args:
        source: where it was asked for, in words.
        address: the metadata service; another one is for tests.
        token: what the service wants to see again, where it does.
    """

    source: str = field(compare=False)
    address: str = METADATA_ADDRESS
    token: SecretStr | None = None

    def __str__(self) -> str:
        return f"agency of this ECS, asked for by {self.source}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every text that must not be printed."""
        return (self.token.get_secret_value(),) if self.token else ()

    @property
    def parts(self) -> tuple[str, ...]:
        """Return what tells it from other credentials; secrets are among it."""
        return ("ecs", self.address, *self.secrets)


@dataclass(frozen=True)
class AssumedAgency:
    """An agency that another credential assumes: IAM gives out temporary access keys of the account it belongs to.

    Args:
        base: what it is assumed with.
        agency_name: the agency.
        domain_name: the account that has it.
        source: where its name came from, in words.
    """

    base: AccessKey | AuthToken | UserPassword | IdTokenFile | EcsMetadata
    agency_name: str
    domain_name: str
    source: str = field(compare=False)

    def __str__(self) -> str:
        return f"agency {sanitize(self.agency_name)} of {sanitize(self.domain_name)}, assumed with {self.base}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every text that must not be printed."""
        return self.base.secrets

    @property
    def parts(self) -> tuple[str, ...]:
        """Return what tells it from other credentials; secrets are among it."""
        return ("agency", self.agency_name, self.domain_name, *self.base.parts)


Ready = AccessKey | AuthToken
Credential = AccessKey | AuthToken | UserPassword | IdTokenFile | IdToken | EcsMetadata | AssumedAgency


def masked_key(key: str) -> str:
    """Return the ends of an access key, enough to recognise it by."""
    if len(key) < _SHORTEST_SHOWN:
        return "****"
    return sanitize(f"{key[:_SHOWN_ENDS]}…{key[-_SHOWN_ENDS:]}")
