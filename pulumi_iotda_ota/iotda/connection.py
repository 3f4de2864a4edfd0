"""Settings of a connection: what can be given, where each is looked for, and what comes out of it.

Settings are looked for one by one, in this order: the argument, the stack or provider configuration, the ``HW_*``
environment, the ``HUAWEICLOUD_SDK_*`` environment. Where each was found is kept, because that is what a person needs to
know when it is wrong. The environment is passed in as a value; nothing here reads a file or sends a request.
"""

from __future__ import annotations

import difflib
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from pulumi_iotda_ota.iotda.credentials import find_credential
from pulumi_iotda_ota.iotda.endpoint import Endpoint, read_endpoint, shared_endpoint, shown_address
from pulumi_iotda_ota.iotda.errors import ConfigurationError, CredentialsError
from pulumi_iotda_ota.iotda.limits import INSTANCE_ID, PROJECT_ID, REGION, Pattern, shown
from pulumi_iotda_ota.iotda.names import camel, snake
from pulumi_iotda_ota.iotda.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import ModelWrapValidatorHandler
    from typing_extensions import Self

    from pulumi_iotda_ota.iotda.credentials import Credential
    from pulumi_iotda_ota.iotda.signing import Algorithm

__all__ = [
    "CONFIG_NAMES",
    "PUBLIC_FIELDS",
    "SECRET_FIELDS",
    "Connection",
    "ResolvedConnection",
    "check_config",
    "resolve",
]

DEFAULT_DEADLINE = 60.0
DEFAULT_MAX_ATTEMPTS = 5


class Connection(BaseModel):
    """Where and as whom to ask; every field is optional, and None means that it is looked for elsewhere.

    Args:
        region: the region, such as ``cn-north-4``.
        endpoint: the HTTPS endpoint; without it the shared endpoint of the region.
        project_id: the project that owns the instance.
        instance_id: the IoTDA instance, where the account has several.
        signing: ``derived`` for instance endpoints, ``standard`` for shared ones; ``auto`` tells them by the host.
        deadline: seconds that one whole operation may take, with its pages and retries; 60 by default.
        max_attempts: how often one request is sent at most, 1 to 20; 5 by default.
        ca_file: a file of certificates to trust instead of the usual ones.
        insecure: True does not verify the server's certificate.
        proxy: the proxy to use instead of the one that the environment names.
        allowed_project_ids: every other project is refused.
        access_key: the access key (AK).
        secret_key: the secret key (SK).
        security_token: goes with a temporary access key.
        auth_token: a ready IAM token, instead of an access key.

    Raises:
        ConfigurationError: a field is unknown or has a wrong value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    region: str | None = None
    endpoint: str | None = None
    project_id: str | None = None
    instance_id: str | None = None
    signing: Literal["auto", "standard", "derived"] | None = None
    deadline: float | None = Field(default=None, gt=0, le=86_400, allow_inf_nan=False)
    max_attempts: int | None = Field(default=None, ge=1, le=20)
    ca_file: str | None = None
    insecure: bool | None = None
    proxy: str | None = None
    allowed_project_ids: tuple[str, ...] | None = None
    access_key: str | None = Field(default=None, repr=False)
    secret_key: SecretStr | None = None
    security_token: SecretStr | None = None
    auth_token: SecretStr | None = None

    if TYPE_CHECKING:
        # For type checkers text is as good as SecretStr, and any sequence as a tuple: both are turned into it at once.
        def __init__(
            self,
            *,
            region: str | None = None,
            endpoint: str | None = None,
            project_id: str | None = None,
            instance_id: str | None = None,
            signing: Literal["auto", "standard", "derived"] | None = None,
            deadline: float | None = None,
            max_attempts: int | None = None,
            ca_file: str | None = None,
            insecure: bool | None = None,
            proxy: str | None = None,
            allowed_project_ids: Sequence[str] | None = None,
            access_key: str | None = None,
            secret_key: SecretStr | str | None = None,
            security_token: SecretStr | str | None = None,
            auth_token: SecretStr | str | None = None,
        ) -> None: ...

    @model_validator(mode="wrap")
    @classmethod
    def _in_our_words(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(values)
        except ValidationError as error:
            # Not "from error": pydantic's text could repeat what was given, a secret among it.
            raise _misfit(error) from None

    @property
    def has_secrets(self) -> bool:
        """Return whether any part of a credential is among the given fields."""
        return any(getattr(self, name) is not None for name in SECRET_FIELDS)

    def public(self) -> dict[str, Any]:
        """Return the given fields that are no part of a credential, as plain values."""
        return self.model_dump(mode="json", include=set(PUBLIC_FIELDS), exclude_none=True)


# The access key alone is no secret, but it goes where its secret goes: half a set is never stored.
SECRET_FIELDS = ("access_key", "secret_key", "security_token", "auth_token")
PUBLIC_FIELDS = tuple(name for name in Connection.model_fields if name not in SECRET_FIELDS)


CONFIG_NAMES = tuple(camel(name) for name in Connection.model_fields)

# What the fields that are no text must be; the bounds are those of the fields above.
_MEANINGS = {
    "signing": "auto, standard or derived",
    "deadline": "a number of seconds above 0, at most 86,400",
    "max_attempts": "a whole number from 1 to 20",
    "insecure": "true or false",
    "allowed_project_ids": "a list of texts",
}
_ENVIRONMENT = {
    "region": ("HW_REGION_NAME",),
    "endpoint": ("HW_IOTDA_ENDPOINT",),
    "project_id": ("HW_PROJECT_ID", "HUAWEICLOUD_SDK_PROJECT_ID"),
    "instance_id": ("HW_IOTDA_INSTANCE_ID",),
    "signing": ("HW_IOTDA_SIGNING",),
    "insecure": ("HW_INSECURE",),
}
# How alike a key of the configuration must be to a setting to be taken for a slip; 1 is equal.
_ALMOST = 0.8
_SDK_ENDPOINT = "HUAWEICLOUD_SDK_REGION_IOTDA_"


@dataclass(frozen=True)
class ResolvedConnection:
    """A connection with nothing left to look for.

    Args:
        endpoint: scheme, host and port.
        region: the region, or empty where neither a setting nor the endpoint names one.
        project_id: the project.
        instance_id: the instance, or None.
        algorithm: how requests are signed.
        credential: what they are signed with.
        deadline: seconds for one whole operation.
        max_attempts: how often one request is sent at most.
        ca_file: certificates to trust, or None for the usual ones.
        insecure: whether the server's certificate is not verified.
        proxy: the proxy, or None for what the environment names.
        origins: where each setting came from, in words.
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
            "profile": "",
        }

    @property
    def address(self) -> str:
        """Return the endpoint and where it came from, for an error."""
        origin = self.origins.get("endpoint")
        return f"{printable(self.endpoint)} (from {origin})" if origin else printable(self.endpoint)

    @property
    def described(self) -> str:
        """Return in words where this connection looks, for an error."""
        instance = f", instance {self.instance_id}" if self.instance_id else ""
        region = f" in {self.region}" if self.region else ""
        return f"project {self.project_id}{region}{instance} at {printable(self.endpoint)}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every text that must not be printed."""
        return self.credential.secrets


def resolve(
    connection: Connection | None, *, config: Mapping[str, object], environ: Mapping[str, str]
) -> ResolvedConnection:
    """Return a connection with everything that it needs.

    Args:
        connection: the argument, or None.
        config: the configuration by camelCase name, without its namespace; texts or typed values.
        environ: the environment variables.

    Raises:
        ConfigurationError: a setting is wrong, or some are missing: it lists all of them.
        CredentialsError: there is no whole credential in the first source that holds any part of one.
    """
    _refuse_misspelt(config)
    given = connection or Connection()
    values, origins = _gathered(given, config, environ)
    with _origin_noted(origins):
        found = _checked(values)
    missing = [name for name in ("endpoint", "project_id") if getattr(found, name) is None]
    if missing:
        raise _missing(missing, given, config, environ)
    with _origin_noted(origins):
        endpoint = read_endpoint(str(found.endpoint))
        _require_usual_proxy(found.proxy)
        _require_allowed(str(found.project_id), found.allowed_project_ids)
    algorithm = _algorithm(found, endpoint)
    return ResolvedConnection(
        endpoint=endpoint.url,
        region=_region(found, endpoint, algorithm, origins),
        project_id=str(found.project_id),
        instance_id=found.instance_id,
        algorithm=algorithm,
        credential=find_credential(given, config, environ),
        deadline=found.deadline or DEFAULT_DEADLINE,
        max_attempts=found.max_attempts or DEFAULT_MAX_ATTEMPTS,
        ca_file=found.ca_file,
        insecure=bool(found.insecure),
        proxy=found.proxy,
        origins=origins,
    )


def check_config(config: Mapping[str, object]) -> None:
    """Refuse a configuration that is wrong by itself, whether or not it is complete.

    Args:
        config: the configuration by camelCase name, without its namespace; texts or typed values.

    Raises:
        ConfigurationError: a setting is misspelt, or its value is wrong.
    """
    _refuse_misspelt(config)
    values, origins = _gathered(Connection(), config, {})
    with _origin_noted(origins):
        found = _checked(values)
        if found.endpoint is not None:
            read_endpoint(found.endpoint)
        _require_usual_proxy(found.proxy)


def _refuse_misspelt(config: Mapping[str, object]) -> None:
    """Refuse a key that is almost a setting: passed over, it would let another place decide, unnoticed."""
    by_letters = {name.lower(): name for name in CONFIG_NAMES}
    for key in config:
        letters = re.sub(r"[_-]", "", key).lower()
        near = difflib.get_close_matches(letters, by_letters, n=1, cutoff=_ALMOST)
        if near and key not in CONFIG_NAMES:
            wrong, meant = f"iotda-ota:{printable(key, limit=60)}", by_letters[near[0]]
            raise ConfigurationError(
                f"{wrong} (stack config) is no setting; did you mean iotda-ota:{meant}?",
                setting=snake(meant),
                facts=[("what to do", f"set iotda-ota:{meant}, and remove the other: pulumi config rm {wrong}")],
            )


def _gathered(
    given: Connection, config: Mapping[str, object], environ: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the value of each setting that was found anywhere, and where that was."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name in PUBLIC_FIELDS:
        candidates = [(getattr(given, name), "argument")]
        candidates.append((_typed(name, config.get(camel(name))), f"iotda-ota:{camel(name)} (stack config)"))
        candidates += [(environ.get(key), f"{key} (environment)") for key in _ENVIRONMENT.get(name, ())]
        for value, origin in candidates:
            kept = value.strip() if isinstance(value, str) else value
            # An empty list is an answer: of allowed_project_ids it allows none.
            if kept not in (None, ""):
                values[name], origins[name] = kept, origin
                break
    if "endpoint" not in values and "region" in values:
        values["endpoint"], origins["endpoint"] = _endpoint_of(str(values["region"]), environ)
    return values, origins


def _endpoint_of(region: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the endpoint of a region: what the vendor's SDK is told in the environment, or the shared one."""
    key = _SDK_ENDPOINT + region.replace("-", "_").upper()
    first = environ.get(key, "").split(",")[0].strip()
    return (first, f"{key} (environment)") if first else (shared_endpoint(region), f"the region {region}")


def _typed(name: str, value: object) -> object:
    """Return a list that arrives as JSON text as a list; other texts are read by the model."""
    if name != "allowed_project_ids" or value is None:
        return value
    try:
        read = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        read = value
    return tuple(read) if isinstance(read, (list, tuple)) else (str(value),)


@contextmanager
def _origin_noted(origins: Mapping[str, str]) -> Iterator[None]:
    """Say of a setting that the block finds wrong where it came from."""
    try:
        yield
    except ConfigurationError as error:
        error.note("given by", origins.get(error.setting, "argument"))
        raise


def _checked(values: Mapping[str, Any]) -> Connection:
    found = Connection(**values)
    for name, rule in {"region": REGION, "project_id": PROJECT_ID, "instance_id": INSTANCE_ID}.items():
        _require(name, getattr(found, name), rule)
    return found


def _require(name: str, value: str | None, rule: Pattern) -> None:
    problem = rule.problem(value) if value is not None else None
    if problem:
        raise ConfigurationError(f"{name} {problem}, not {shown(value)}", setting=name)


def _missing(
    names: Sequence[str], given: Connection, config: Mapping[str, object], environ: Mapping[str, str]
) -> ConfigurationError:
    """Return one error that names everything that is missing, credentials included."""
    ways = {
        "endpoint": "region or endpoint",
        "project_id": "project_id",
    }
    facts = [(name, _ways_to_give(ways[name].split(" or "))) for name in names]
    try:
        find_credential(given, config, environ)
    except CredentialsError as error:
        facts.append(("credentials", "\n".join([error.headline, *(text for _, text in error.facts[:1])])))
    listed = ", ".join([*(ways[name] for name in names), *(["credentials"] if len(facts) > len(names) else [])])
    return ConfigurationError(f"the connection is not complete, missing: {listed}", facts=facts)


def _ways_to_give(names: Sequence[str]) -> str:
    return "\n".join(
        f"argument {name}, config iotda-ota:{camel(name)}, environment {' or '.join(_ENVIRONMENT[name])}"
        for name in names
    )


def _require_usual_proxy(proxy: str | None) -> None:
    if proxy and ("@" in proxy or not proxy.startswith(("http://", "https://"))):
        raise ConfigurationError(
            f"proxy must be an http:// or https:// address without a user or a password, not {shown_address(proxy)}",
            setting="proxy",
            facts=[("what to do", "a proxy that wants a password goes into the HTTPS_PROXY environment variable")],
        )


def _require_allowed(project_id: str, allowed: Sequence[str] | None) -> None:
    if allowed is not None and project_id not in allowed:
        raise ConfigurationError(
            f"project {printable(project_id)} is not one of allowed_project_ids",
            setting="project_id",
            facts=[
                ("allowed", printable(", ".join(allowed)) or "none"),
                ("what to do", "correct project_id, or allow it"),
            ],
        )


def _algorithm(found: Connection, endpoint: Endpoint) -> Algorithm:
    if found.signing in ("standard", "derived"):
        return found.signing
    return "derived" if endpoint.is_instance else "standard"


def _region(found: Connection, endpoint: Endpoint, algorithm: Algorithm, origins: dict[str, str]) -> str:
    """Return the region, which an endpoint may name too; two that differ would send requests to the wrong place."""
    if found.region and endpoint.region and found.region != endpoint.region:
        raise ConfigurationError(
            f"region is {found.region}, but the endpoint is one of {endpoint.region}",
            setting="region",
            facts=[("region", origins["region"]), ("endpoint", f"{endpoint.url}, {origins['endpoint']}")],
        )
    if not found.region and endpoint.region:
        origins["region"] = "the endpoint"
    region = found.region or endpoint.region
    if algorithm == "derived" and not region:
        raise ConfigurationError(
            "derived signing needs a region, and the endpoint names none",
            setting="region",
            facts=[("what to do", _ways_to_give(["region"]))],
        )
    return region


def _misfit(error: ValidationError) -> ConfigurationError:
    """Return what is wrong with the first field, without the value: it may be a secret."""
    first = error.errors(include_url=False, include_context=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        known = ", ".join(Connection.model_fields)
        return ConfigurationError(
            f"a connection has no setting {printable(name, limit=60)}", setting=name, facts=[("settings", known)]
        )
    kind = printable(type(first["input"]).__name__, limit=60)
    if callable(getattr(first["input"], "apply", None)):
        return ConfigurationError(
            f"{name} must be a plain value that is known already, not {kind}",
            setting=name,
            facts=[("what to do", "give a plain value, or put it into the stack configuration or the environment")],
        )
    meaning = _MEANINGS.get(name, f"text, not {kind}")
    return ConfigurationError(f"{name or 'connection'} must be {meaning}", setting=name)
