"""Finds the credential that requests are made with, and says where it came from.

A credential comes whole from the first source that holds any part of it: parts of two sources never mix, and half a set
is an error rather than a reason to look further. The sources, in order: the argument, the stack or provider
configuration, the ``HW_*`` environment, the ``HUAWEICLOUD_SDK_*`` environment. In one source a ready token goes before
an access key. Nothing here reads a file or sends a request.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import SecretStr

from pulumi_iotda_ota.iotda.errors import CredentialsError
from pulumi_iotda_ota.iotda.names import camel
from pulumi_iotda_ota.iotda.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pulumi_iotda_ota.iotda.connection import Connection

__all__ = ["AccessKey", "AuthToken", "Credential", "find_credential"]

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
        return f"{kind} {_masked(self.access_key)} from {self.source}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every text that must not be printed."""
        token = self.security_token.get_secret_value() if self.security_token else ""
        return tuple(filter(None, (self.access_key, self.secret_key.get_secret_value(), token)))


@dataclass(frozen=True)
class AuthToken:
    """A ready IAM token, sent as ``X-Auth-Token``.

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


Credential = AccessKey | AuthToken


@dataclass(frozen=True)
class _Source:
    """What one source calls the parts of a credential, and what it holds of them."""

    place: str
    names: Mapping[str, str]
    values: Mapping[str, str]

    def origin(self, part: str) -> str:
        return f"{self.names[part]} ({self.place})"

    @property
    def offers(self) -> str:
        keys = f"{self.names['access_key']} + {self.names['secret_key']}"
        token = f", or {self.names['auth_token']}" if "auth_token" in self.names else ""
        return f"{self.place}: {keys}{token}"


_ARGUMENT = {name: name for name in ("access_key", "secret_key", "security_token", "auth_token")}
_CONFIG = {name: camel(name) for name in _ARGUMENT}
_ENVIRONMENTS = (
    {
        "access_key": "HW_ACCESS_KEY",
        "secret_key": "HW_SECRET_KEY",
        "security_token": "HW_SECURITY_TOKEN",
        "auth_token": "HW_AUTH_TOKEN",
    },
    {
        "access_key": "HUAWEICLOUD_SDK_AK",
        "secret_key": "HUAWEICLOUD_SDK_SK",
        "security_token": "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    },
)


def find_credential(
    connection: Connection, config: Mapping[str, object], environ: Mapping[str, str]
) -> AccessKey | AuthToken:
    """Return the credential of the first source that holds any part of one.

    Args:
        connection: the argument.
        config: the configuration by camelCase name, without its namespace.
        environ: the environment variables.

    Raises:
        CredentialsError: no source holds any part, or the first that does holds half a set; nothing was sent.
    """
    sources = list(_sources(connection, config, environ))
    for source in sources:
        if source.values:
            return _whole(source)
    raise CredentialsError(
        "no credentials",
        facts=[
            ("looked in", "\n".join(source.offers for source in sources)),
            ("what to do", "give one of these pairs, or a token"),
        ],
    )


def _sources(connection: Connection, config: Mapping[str, object], environ: Mapping[str, str]) -> Iterator[_Source]:
    given = {name: getattr(connection, name) for name in _ARGUMENT}
    yield _Source("argument", _ARGUMENT, _present(given))
    namespaced = {part: f"iotda-ota:{name}" for part, name in _CONFIG.items()}
    yield _Source("stack config", namespaced, _present({part: config.get(name) for part, name in _CONFIG.items()}))
    for names in _ENVIRONMENTS:
        yield _Source("environment", names, _present({part: environ.get(name) for part, name in names.items()}))


def _present(values: Mapping[str, object]) -> dict[str, str]:
    texts = {name: _plain(value) for name, value in values.items()}
    return {name: text for name, text in texts.items() if text}


def _plain(value: object) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    # A line break at the end is what `$(cat file)` and copied values often bring; no key has one.
    return "" if value is None else str(value).strip()


def _whole(source: _Source) -> AccessKey | AuthToken:
    values = source.values
    if "auth_token" in values:
        _require_header_text(source, "auth_token")
        return AuthToken(SecretStr(values["auth_token"]), source.origin("auth_token"))
    missing = [part for part in ("access_key", "secret_key") if part not in values]
    if missing:
        raise _half_a_set(source, missing)
    for part in values:
        _require_header_text(source, part)
    token = values.get("security_token")
    return AccessKey(
        values["access_key"],
        SecretStr(values["secret_key"]),
        SecretStr(token) if token else None,
        source.origin("access_key"),
    )


def _half_a_set(source: _Source, missing: list[str]) -> CredentialsError:
    return CredentialsError(
        f"half a set of credentials: {' and '.join(source.names[part] for part in missing)} not given",
        facts=[
            ("given", ", ".join(source.origin(part) for part in source.values)),
            ("what to do", "give the whole set in one place, or remove this part to use the next source"),
        ],
    )


def _require_header_text(source: _Source, part: str) -> None:
    if not (source.values[part].isascii() and source.values[part].isprintable()):
        raise CredentialsError(
            f"{source.names[part]} holds characters that no credential has",
            facts=[("given", source.origin(part)), ("what to do", "copy it again, without quotes or line breaks")],
        )


def _masked(key: str) -> str:
    """Return the ends of an access key, enough to recognise it by."""
    if len(key) < _SHORTEST_SHOWN:
        return "****"
    return printable(f"{key[:_SHOWN_ENDS]}…{key[-_SHOWN_ENDS:]}")
