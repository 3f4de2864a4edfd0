"""The settings of a connection as a program gives them: names, types and bounds.

Where else they are looked for is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.iotda.errors import ConfigurationError
from pulumi_iotda_ota.iotda.references import setting, value
from pulumi_iotda_ota.iotda.sanitize import REDACTED, sanitize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import ModelWrapValidatorHandler
    from typing_extensions import Self

    from pulumi_iotda_ota.iotda.auth.credentials import Credential
    from pulumi_iotda_ota.iotda.auth.signing import Algorithm


# A program can write a password into them, although it is refused there.
_ADDRESSES = ("endpoint", "iam_endpoint", "proxy")


class Connection(BaseModel):
    """Where and as whom to ask; every field is optional, and None means that it is looked for elsewhere.

    Args:
        region: the region, such as ``cn-north-4``.
        cloud: the domain of the cloud, for endpoints that are made from the region; by default that of the region.
        endpoint: the HTTPS endpoint; without it the shared endpoint of the region.
        project_id: the project that owns the instance; without it IAM is asked for the project of the region.
        project_name: the name of the project, such as ``cn-north-4_iot``. IAM resolves its id.
        instance_id: the IoTDA instance, where the account has several.
        signing: ``derived`` for instance endpoints, ``standard`` for shared ones; ``auto`` tells them by the host.
        deadline: seconds that one whole operation may take, with its pages and retries; 60 by default.
        max_attempts: how often one request is sent at most, 1 to 20; 5 by default.
        ca_file: a file of certificates to trust instead of the usual ones.
        insecure: True does not verify the server's certificate.
        proxy: the proxy to use instead of the one that the environment names.
        profile: a profile of ``~/.hcloud/config.json``, which is not read without it, or of the file that
            ``HW_SHARED_CONFIG_FILE`` names.
        credentials: ``ecs`` takes the agency of the ECS that this runs on; without it that is never used.
        allowed_project_ids: every other project is refused.
        iam_endpoint: the HTTPS endpoint of IAM, with or without ``/v3``; without it the one of the region.
        access_key: the access key (AK).
        secret_key: the secret key (SK).
        security_token: goes with a temporary access key.
        auth_token: a ready IAM token, instead of an access key.
        user_name: an IAM user, instead of an access key; goes with ``password`` and ``domain_name``.
        password: the password of the user.
        domain_name: the account of the user; the account of the agency too where ``agency_domain_name`` is not given.
        agency_name: an agency to assume with the credential.
        agency_domain_name: the account that has the agency.
        oidc_token_file: a file with an OpenID Connect token, instead of an access key; goes with ``idp_id``.
        idp_id: the identity provider of the token, as IAM knows it.

    Raises:
        ConfigurationError: a field is unknown or has a wrong value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    region: str | None = None
    cloud: str | None = None
    endpoint: str | None = None
    project_id: str | None = None
    project_name: str | None = None
    instance_id: str | None = None
    signing: Literal["auto", "standard", "derived"] | None = None
    deadline: float | None = Field(default=None, gt=0, le=86_400, allow_inf_nan=False)
    max_attempts: int | None = Field(default=None, ge=1, le=20)
    ca_file: str | None = None
    insecure: bool | None = None
    proxy: str | None = None
    profile: str | None = None
    credentials: Literal["ecs"] | None = None
    allowed_project_ids: tuple[str, ...] | None = None
    iam_endpoint: str | None = None
    access_key: str | None = Field(default=None, repr=False)
    secret_key: SecretStr | None = None
    security_token: SecretStr | None = None
    auth_token: SecretStr | None = None
    user_name: str | None = None
    password: SecretStr | None = None
    domain_name: str | None = None
    agency_name: str | None = None
    agency_domain_name: str | None = None
    oidc_token_file: str | None = None
    idp_id: str | None = None

    if TYPE_CHECKING:
        # For type checkers text is as good as SecretStr, and any sequence as a tuple: both are turned into it at once.
        def __init__(
            self,
            *,
            region: str | None = None,
            cloud: str | None = None,
            endpoint: str | None = None,
            project_id: str | None = None,
            project_name: str | None = None,
            instance_id: str | None = None,
            signing: Literal["auto", "standard", "derived"] | None = None,
            deadline: float | None = None,
            max_attempts: int | None = None,
            ca_file: str | None = None,
            insecure: bool | None = None,
            proxy: str | None = None,
            profile: str | None = None,
            credentials: Literal["ecs"] | None = None,
            allowed_project_ids: Sequence[str] | None = None,
            iam_endpoint: str | None = None,
            access_key: str | None = None,
            secret_key: SecretStr | str | None = None,
            security_token: SecretStr | str | None = None,
            auth_token: SecretStr | str | None = None,
            user_name: str | None = None,
            password: SecretStr | str | None = None,
            domain_name: str | None = None,
            agency_name: str | None = None,
            agency_domain_name: str | None = None,
            oidc_token_file: str | None = None,
            idp_id: str | None = None,
        ) -> None: ...

    @model_validator(mode="wrap")
    @classmethod
    def _in_our_words(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(values)
        except ValidationError as error:
            # Not "from error": pydantic's text could repeat what was given, a secret among it.
            raise _misfit(error) from None

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Give the fields as a representation shows them: of an address, neither user nor password."""
        for name, given in super().__repr_args__():
            hides = name in _ADDRESSES and isinstance(given, str) and "@" in given
            yield name, f"{REDACTED}@{given.rpartition('@')[2]}" if hides else given

    @property
    def has_secrets(self) -> bool:
        """Return whether any part of a credential that must not be stored is among the given fields."""
        return any(getattr(self, name) is not None for name in SECRET_FIELDS)

    def public(self) -> dict[str, Any]:
        """Return the given fields that may be stored, as plain values."""
        return self.model_dump(mode="json", include=set(PUBLIC_FIELDS), exclude_none=True)


# Neither an access key nor a user's name is a secret alone, but each goes where its secret goes: half a set is never
# stored.
SECRET_FIELDS = ("access_key", "secret_key", "security_token", "auth_token", "user_name", "password")
PUBLIC_FIELDS = tuple(name for name in Connection.model_fields if name not in SECRET_FIELDS)
CONFIG_NAMES = tuple(camel(name) for name in Connection.model_fields)

# What the fields that are no text must be; the bounds are those of the fields above.
_MEANINGS = {
    "signing": "auto, standard or derived",
    "deadline": "a number of seconds above 0, at most 86,400",
    "max_attempts": "a whole number from 1 to 20",
    "insecure": f"{value(True)} or {value(False)}",
    "credentials": "ecs, or not set",
    "allowed_project_ids": "a list of strings",
}


def _misfit(error: ValidationError) -> ConfigurationError:
    """Return what is wrong with the first field, without the value: it may be a secret."""
    first = error.errors(include_url=False, include_context=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        known = ", ".join(map(setting, Connection.model_fields))
        return ConfigurationError(
            f"a connection has no setting {sanitize(name, limit=60)}", setting=name, facts=[("settings", known)]
        )
    kind = sanitize(type(first["input"]).__name__, limit=60)
    if callable(getattr(first["input"], "apply", None)):
        return ConfigurationError(
            f"{setting(name)} must be a plain value that is known already, not {kind}",
            setting=name,
            facts=[("fix", "set a plain value, or put it into the stack configuration or the environment")],
        )
    meaning = _MEANINGS.get(name, f"a string, not {kind}")
    return ConfigurationError(f"{setting(name) if name else 'connection'} must be {meaning}", setting=name)


DEFAULT_DEADLINE = 60.0


DEFAULT_MAX_ATTEMPTS = 5


@dataclass(frozen=True)
class ResolvedConnection:
    """A connection with no setting left to look for.

    Args:
        endpoint: scheme, host and port.
        region: the region, or empty where neither a setting nor the endpoint names one.
        project_id: the project, or empty if IAM has not resolved it yet.
        instance_id: the instance, or None.
        algorithm: how requests are signed.
        credential: what they are signed with.
        deadline: seconds for one whole operation.
        max_attempts: how often one request is sent at most.
        ca_file: certificates to trust, or None for the usual ones.
        insecure: whether the server's certificate is not verified.
        proxy: the proxy, or None for what the environment names.
        iam_endpoint: scheme, host and port of IAM.
        profile: the profile that was named, or empty.
        project_name: the name that IAM finds the project by, or empty for the main project of the region.
        allowed_project_ids: the projects that may be asked, or None for all.
        origins: where each setting came from, in words; a credential, which comes whole, as ``credential``.
    """

    endpoint: str
    region: str
    project_id: str
    instance_id: str | None
    algorithm: Algorithm
    credential: Credential
    deadline: float = DEFAULT_DEADLINE
    max_attempts: int = DEFAULT_MAX_ATTEMPTS
    ca_file: str | None = None
    insecure: bool = False
    proxy: str | None = None
    iam_endpoint: str = ""
    profile: str = ""
    project_name: str = ""
    allowed_project_ids: tuple[str, ...] | None = None
    # Equal connections found in different places are the same connection, and share one client.
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def identity(self) -> dict[str, str]:
        """Return what a "not found" holds for: the same id may exist under another identity."""
        return {
            "region": self.region,
            "endpoint": self.endpoint,
            "project_id": self.project_id,
            "instance_id": self.instance_id or "",
            "profile": self.profile,
        }

    @property
    def address(self) -> str:
        """Return the endpoint and where it came from, for an error."""
        origin = self.origins.get("endpoint")
        return f"{sanitize(self.endpoint)} (from {origin})" if origin else sanitize(self.endpoint)

    @property
    def described(self) -> str:
        """Return in words where this connection looks, for an error."""
        instance = f", instance {self.instance_id}" if self.instance_id else ""
        region = f" in {self.region}" if self.region else ""
        return f"project {self.project_id}{region}{instance} at {sanitize(self.endpoint)}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every text that must not be printed."""
        return self.credential.secrets
