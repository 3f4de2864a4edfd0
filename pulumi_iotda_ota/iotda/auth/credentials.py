"""The kinds of credentials.

``Ready`` credentials sign a request. IAM, or the metadata service of an ECS, exchanges each other kind for a ready one
that expires. Of its secrets, a credential shows only the ends of an access key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields

from pydantic import SecretStr

from pulumi_iotda_ota.iotda.sanitize import sanitize

# Link-local, and the same on every ECS. Source: the page "Obtaining Metadata".
METADATA_ADDRESS = "http://169.254.169.254"
_SHOWN_ENDS = 2
# The ends are less than half of a key that is shown.
_SHORTEST_SHOWN = 4 * _SHOWN_ENDS + 1


@dataclass(frozen=True)
class BaseCredential:
    """What all kinds have in common; each has a ``source``, the origin in messages."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every text that must not be printed."""
        found: list[str] = []
        for name, value in self._fields():
            if isinstance(value, BaseCredential):
                found += value.secrets
            elif isinstance(value, SecretStr):
                found.append(value.get_secret_value())
            elif name == "access_key":
                found.append(str(value))
        return tuple(filter(None, found))

    @property
    def parts(self) -> tuple[str, ...]:
        """Return what distinguishes it from other credentials, including its secrets."""
        found = [type(self).__name__]
        for _, value in self._fields():
            if isinstance(value, BaseCredential):
                found += value.parts
            else:
                found.append(value.get_secret_value() if isinstance(value, SecretStr) else str(value or ""))
        return tuple(found)

    def _fields(self) -> list[tuple[str, object]]:
        # The origin does not count: the same credential in two sources is one credential.
        return [(item.name, getattr(self, item.name)) for item in fields(self) if item.compare]


@dataclass(frozen=True)
class AccessKey(BaseCredential):
    """An access key with its secret, and with a security token if it is temporary."""

    access_key: str = field(repr=False)
    secret_key: SecretStr
    security_token: SecretStr | None
    source: str = field(compare=False)

    def __str__(self) -> str:
        kind = "temporary access key" if self.security_token else "access key"
        return f"{kind} {masked_key(self.access_key)} from {self.source}"


@dataclass(frozen=True)
class AuthToken(BaseCredential):
    """An IAM token, sent as ``X-Auth-Token``."""

    token: SecretStr
    source: str = field(compare=False)

    def __str__(self) -> str:
        return f"token from {self.source}"


@dataclass(frozen=True)
class UserPassword(BaseCredential):
    """An IAM user of an account with its password, exchanged for a token."""

    user_name: str
    password: SecretStr
    domain_name: str
    source: str = field(compare=False)

    def __str__(self) -> str:
        return f"user {sanitize(self.user_name)} of {sanitize(self.domain_name)} from {self.source}"


@dataclass(frozen=True)
class IdTokenFile(BaseCredential):
    """A file with an OpenID Connect token, exchanged for a temporary access key; each exchange reads the file."""

    path: str
    idp_id: str
    source: str = field(compare=False)

    def __str__(self) -> str:
        return f"OIDC token of {sanitize(self.idp_id)} from {self.source}"


@dataclass(frozen=True)
class IdToken(BaseCredential):
    """An OpenID Connect token that was read from its file."""

    token: SecretStr
    file: IdTokenFile

    def __str__(self) -> str:
        return str(self.file)

    @property
    def source(self) -> str:
        """Return the origin of the file."""
        return self.file.source


@dataclass(frozen=True)
class EcsMetadata(BaseCredential):
    """The agency of the ECS on which the program runs: its metadata service returns temporary access keys.

    Attributes:
        source: the setting that selects it.
        address: the metadata service; tests have another one.
        token: the token that the service requires, or None.
    """

    source: str = field(compare=False)
    address: str = METADATA_ADDRESS
    token: SecretStr | None = None

    def __str__(self) -> str:
        return f"agency of this ECS, selected by {self.source}"


@dataclass(frozen=True)
class AssumedAgency(BaseCredential):
    """An agency that another credential assumes: IAM returns temporary access keys of its account.

    Attributes:
        base: the credential that assumes it.
        agency_name: the agency.
        domain_name: the name of its account, or empty.
        domain_id: the id of its account, or empty.
        source: the origin of the agency.
    """

    base: AccessKey | AuthToken | UserPassword | IdTokenFile | EcsMetadata
    agency_name: str
    domain_name: str
    domain_id: str
    source: str = field(compare=False)

    def __str__(self) -> str:
        account = sanitize(self.domain_name or self.domain_id)
        return f"agency {sanitize(self.agency_name)} of {account}, assumed with {self.base}"


Ready = AccessKey | AuthToken
Credential = AccessKey | AuthToken | UserPassword | IdTokenFile | IdToken | EcsMetadata | AssumedAgency


def digest(parts: tuple[str, ...]) -> str:
    """Return a digest of the parts of a credential, as a key of a cache."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def masked_key(key: str) -> str:
    """Return the ends of an access key, enough to recognise it."""
    if len(key) < _SHORTEST_SHOWN:
        return "****"
    return sanitize(f"{key[:_SHOWN_ENDS]}…{key[-_SHOWN_ENDS:]}")
