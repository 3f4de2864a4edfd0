"""The models of a connection: its settings as a program sets them, and as they are resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from pulumi_iotda_ota.iotda.auth.settings import BY_NAME, SETTINGS, ModelLimit
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.iotda.errors import ConfigurationError
from pulumi_iotda_ota.iotda.limits import Choice
from pulumi_iotda_ota.iotda.references import setting, value
from pulumi_iotda_ota.iotda.sanitize import REDACTED, sanitize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import ModelWrapValidatorHandler
    from typing_extensions import Self

    from pulumi_iotda_ota.iotda.auth.credentials import Credential
    from pulumi_iotda_ota.iotda.auth.signing import Algorithm


# A program can write a password into these addresses, although it is refused.
_ADDRESSES = ("endpoint", "iam_endpoint", "proxy")


class Connection(BaseModel):
    """Endpoint and credentials of requests. A field that is None comes from the next source of settings.

    Args:
        region: the region of the instance, such as ``cn-north-4``.
        cloud: the domain of the cloud, for endpoints that are made from the region. Default: the cloud of the region.
        endpoint: the HTTPS endpoint of the instance. Default: the shared endpoint of the region.
        project_id: the project that owns the instance. Default: IAM returns the project of the region.
        project_name: the name of the project, such as ``cn-north-4_iot``, instead of its id.
        instance_id: the IoTDA instance, if the account has several.
        signing: ``auto`` (the default), ``standard`` or ``derived``. If it is ``auto``, the endpoint decides.
        deadline: the longest time of one operation in seconds, with all its pages and retries. Default: 60.
        max_attempts: how often one request is sent at most, 1 to 20. Default: 5.
        ca_file: a file with the certificates to trust.
        insecure: True does not verify the certificate of the server. Default: False.
        proxy: the URL of the proxy, without user and password. Default: ``HTTPS_PROXY`` or ``ALL_PROXY``.
        profile: the profile of KooCLI to read, in ``~/.hcloud/config.json`` or ``HW_SHARED_CONFIG_FILE``.
        credentials: ``ecs`` uses the agency of the ECS on which the program runs. Default: None.
        allowed_project_ids: the projects that may be used. Default: all projects.
        iam_endpoint: the HTTPS endpoint of IAM, with or without ``/v3``. Default: the one for the region.
        access_key: the access key (AK). It needs ``secret_key``.
        secret_key: the secret key (SK).
        security_token: the security token of a temporary access key.
        auth_token: an IAM token, instead of an access key.
        user_name: an IAM user, instead of an access key. It needs ``password`` and ``domain_name``.
        password: the password of the user.
        domain_name: the account of the user, and of the agency if the account of the agency is not set.
        agency_name: an agency to assume with the credential.
        agency_domain_name: the name of the account that has the agency.
        agency_domain_id: the id of the account that has the agency, instead of its name.
        oidc_token_file: a file with an OpenID Connect token, instead of an access key. It needs ``idp_id``.
        idp_id: the id of the identity provider in IAM that accepts the token.

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
    agency_domain_id: str | None = None
    oidc_token_file: str | None = None
    idp_id: str | None = None

    if TYPE_CHECKING:
        # For type checkers: the model takes a string for a SecretStr, and any sequence for a tuple.
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
            agency_domain_id: str | None = None,
            oidc_token_file: str | None = None,
            idp_id: str | None = None,
        ) -> None: ...

    @model_validator(mode="wrap")
    @classmethod
    def _as_configuration_error(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(values)
        except ValidationError as error:
            # Not "from error": pydantic's text can repeat a secret.
            raise _misfit(error) from None

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Return the fields for a representation, addresses without user and password."""
        for name, content in super().__repr_args__():
            has_user = name in _ADDRESSES and isinstance(content, str) and "@" in content
            yield name, f"{REDACTED}@{content.rpartition('@')[2]}" if has_user else content

    @property
    def has_secrets(self) -> bool:
        """Return whether a field holds a part of a credential that must not be stored."""
        return any(getattr(self, name) is not None for name in SECRET_FIELDS)

    def public(self) -> dict[str, Any]:
        """Return the fields that are set and may be stored, as plain values."""
        return self.model_dump(mode="json", include=set(PUBLIC_FIELDS), exclude_none=True)


# Neither an access key nor the name of a user is a secret alone, but a part of a credential is never stored.
SECRET_FIELDS = tuple(item.name for item in SETTINGS if item.secret)
PUBLIC_FIELDS = tuple(name for name in Connection.model_fields if name not in SECRET_FIELDS)
CONFIG_NAMES = tuple(camel(name) for name in Connection.model_fields)

# What a value of a type must be, if its setting has no rule.
_TYPES = {"boolean": f"{value(True)} or {value(False)}", "list of strings": "a list of strings"}


def _misfit(error: ValidationError) -> ConfigurationError:
    """Return the error for the first wrong field, without its value, which can be a secret."""
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
    if not name:
        return ConfigurationError(f"connection must be a mapping, not {kind}")
    rule = BY_NAME[name].rule
    other = _TYPES.get(BY_NAME[name].type, f"a string, not {kind}")
    meaning = rule.meaning if isinstance(rule, (Choice, ModelLimit)) else other
    return ConfigurationError(f"{setting(name)} must be {meaning}", setting=name)


DEFAULT_DEADLINE = 60.0
DEFAULT_MAX_ATTEMPTS = 5


@dataclass(frozen=True)
class ResolvedConnection:
    """A connection whose settings are resolved.

    Args:
        endpoint: scheme, host and port.
        region: the region, or empty if neither a setting nor the endpoint has one.
        project_id: the project, or empty if IAM has not resolved it yet.
        instance_id: the instance, or None.
        algorithm: how requests are signed.
        credential: the credential that signs them.
        deadline: seconds for one whole operation.
        max_attempts: how often one request is sent at most.
        ca_file: the certificates to trust, or None for the default.
        insecure: whether the server's certificate is not verified.
        proxy: the proxy, or None for the proxy of the environment.
        iam_endpoint: scheme, host and port of IAM.
        profile: the name of the profile, or empty.
        project_name: the name of the project in IAM, or empty for the main project of the region.
        allowed_project_ids: the projects that may be used, or None for all.
        origins: the origin of each setting, and of the credential as ``credential``.
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
    # Equal connections of different origins share one client.
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def identity(self) -> dict[str, str]:
        """Return what identifies the place: the same id can exist in another place."""
        return {
            "region": self.region,
            "endpoint": self.endpoint,
            "project_id": self.project_id,
            "instance_id": self.instance_id or "",
            "profile": self.profile,
        }

    @property
    def address(self) -> str:
        """Return the endpoint and its origin, for an error."""
        origin = self.origins.get("endpoint")
        return f"{sanitize(self.endpoint)} (from {origin})" if origin else sanitize(self.endpoint)

    @property
    def described(self) -> str:
        """Return project, region, instance and endpoint, for an error."""
        instance = f", instance {self.instance_id}" if self.instance_id else ""
        region = f" in {self.region}" if self.region else ""
        return f"project {self.project_id}{region}{instance} at {sanitize(self.endpoint)}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every text that must not be printed."""
        return self.credential.secrets
