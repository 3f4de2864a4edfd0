"""Resolve a connection: each setting from the first source that holds it, checked, and with its origin.

Nothing here sends a request. A token, or the project of a region, is still missing in the result: ``login`` gets it
from IAM before the first request.
"""

from __future__ import annotations

import difflib
import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.auth.connection_model import (
    CONFIG_NAMES,
    DEFAULT_DEADLINE,
    DEFAULT_MAX_ATTEMPTS,
    PUBLIC_FIELDS,
    Connection,
    ResolvedConnection,
)
from pulumi_iotda_ota.iotda.auth.credentials import AccessKey, AssumedAgency, AuthToken, EcsMetadata, UserPassword
from pulumi_iotda_ota.iotda.auth.endpoint import (
    Endpoint,
    iam_endpoint,
    read_endpoint,
    read_iam_endpoint,
    require_here,
    require_usual,
    shared_endpoint,
)
from pulumi_iotda_ota.iotda.auth.settings import BY_NAME, ModelLimit
from pulumi_iotda_ota.iotda.auth.sources import (
    ARGUMENT,
    CONFIGURATION,
    Inputs,
    Sources,
    find_credential,
    read_sources,
    refuse_unread,
    usual_commands,
)
from pulumi_iotda_ota.iotda.case import camel, snake
from pulumi_iotda_ota.iotda.errors import ConfigurationError, CredentialsError
from pulumi_iotda_ota.iotda.references import BY_ARGUMENT, setting
from pulumi_iotda_ota.iotda.sanitize import quoted, sanitize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pulumi_iotda_ota.iotda.auth.credentials import Credential
    from pulumi_iotda_ota.iotda.auth.files import VendorFiles
    from pulumi_iotda_ota.iotda.auth.signing import Algorithm


# How alike a key of the configuration must be to a setting to be a misspelling; 1 is equal.
_ALMOST = 0.8
_BY_LETTERS = {name.lower(): name for name in CONFIG_NAMES}
_SDK_ENDPOINT = "HUAWEICLOUD_SDK_REGION_IOTDA_"


def resolve(
    connection: Connection | None, *, config: Mapping[str, object], environ: Mapping[str, str]
) -> ResolvedConnection:
    """Return a connection with all that it needs.

    Args:
        connection: the argument, or None.
        config: the configuration by camelCase name, without its namespace; strings or typed values.
        environ: the environment variables.

    Raises:
        ConfigurationError: a setting is wrong, or some are missing: the error lists all of them.
        CredentialsError: the first source that holds a part of a credential has no complete one.
    """
    refuse_misspelt(config)
    inputs = Inputs(connection or Connection(), config, environ)
    return resolve_sources(inputs, read_sources(inputs))


def resolve_sources(inputs: Inputs, sources: Sources) -> ResolvedConnection:
    """Return the connection of sources that were read; see :func:`resolve`."""
    values, origins = _gathered(sources, inputs.files)
    with _origin_noted(origins):
        found = _checked(values)
    if found.endpoint is None:
        error = _missing(["endpoint"], sources)
        if found.project_id is None:
            error.note(setting("project_id"), f"default: the project of the region; {_ways_to_set(['project_id'])}")
        raise error
    with _origin_noted(origins):
        endpoint = read_endpoint(found.endpoint)
        require_usual(found.proxy)
        if found.project_id:
            require_allowed(found.project_id, found.allowed_project_ids)
    algorithm: Algorithm = "derived" if endpoint.is_instance else "standard"
    if found.signing in ("standard", "derived"):
        algorithm = found.signing
    region = _agreed_region(found, endpoint, algorithm, origins)
    if not found.project_id and not region:
        raise _missing(["project_id"], sources)
    _require_region_of_project(found, region, origins)
    _require_cloud_of_endpoint(found, endpoint, origins)
    refuse_unread(sources, inputs.environ)
    credential = _credential(sources, origins)
    iam = _iam_endpoint(found, region, origins)
    needs_iam = not found.project_id or not isinstance(credential, (AccessKey, AuthToken, EcsMetadata))
    if needs_iam and endpoint.is_of_another_cloud and not (found.iam_endpoint or found.cloud):
        raise _unknown_iam(endpoint, origins)
    require_here(found.proxy, {"endpoint": endpoint, "iam_endpoint": iam}, origins)
    return ResolvedConnection(
        endpoint=endpoint.url,
        region=region,
        project_id=found.project_id or "",
        project_name=found.project_name or "",
        instance_id=found.instance_id,
        algorithm=algorithm,
        credential=credential,
        deadline=found.deadline or DEFAULT_DEADLINE,
        max_attempts=found.max_attempts or DEFAULT_MAX_ATTEMPTS,
        ca_file=found.ca_file,
        insecure=bool(found.insecure),
        proxy=found.proxy,
        iam_endpoint=iam.url,
        profile=found.profile or "",
        allowed_project_ids=found.allowed_project_ids,
        origins=origins,
    )


def known_place(
    connection: Connection | None, *, config: Mapping[str, object], environ: Mapping[str, str]
) -> dict[str, str]:
    """Return what the settings contain of region, endpoint, project and instance, without a request or credentials.

    If the endpoint is known and the instance is empty, no instance is set. See :func:`resolve` for the arguments.
    """
    refuse_misspelt(config)
    inputs = Inputs(connection or Connection(), config, environ)
    values, origins = _gathered(read_sources(inputs, all_readable=False), inputs.files)
    with _origin_noted(origins):
        found = _checked(values)
        endpoint = read_endpoint(found.endpoint) if found.endpoint else None
    region = found.region or (endpoint.region if endpoint else "")
    known = {"region": region, "endpoint": endpoint.url if endpoint else "", "project_id": found.project_id or ""}
    place = {name: value for name, value in known.items() if value}
    return {**place, "instance_id": found.instance_id or ""} if endpoint or found.instance_id else place


def check_config(config: Mapping[str, object]) -> None:
    """Refuse a configuration that is wrong by itself, also if other sources complete it.

    Args:
        config: the configuration by camelCase name, without its namespace; strings or typed values.

    Raises:
        ConfigurationError: a setting is misspelt, or its value is wrong.
    """
    refuse_misspelt(config)
    inputs = Inputs(Connection(), config, {})
    # Other sources, such as a profile, can be on another machine.
    values, origins = _gathered(read_sources(inputs, only=(CONFIGURATION,)), inputs.files)
    with _origin_noted(origins):
        found = _checked(values)
        if found.endpoint is not None:
            read_endpoint(found.endpoint)
        if found.iam_endpoint is not None:
            read_iam_endpoint(found.iam_endpoint)
        require_usual(found.proxy)


def refuse_misspelt(config: Mapping[str, object]) -> None:
    """Refuse a key that is almost a setting: without it another source would decide, without a message."""
    for key in config:
        if key in CONFIG_NAMES:
            continue
        letters = re.sub(r"[_-]", "", key).lower()
        near = difflib.get_close_matches(letters, _BY_LETTERS, n=1, cutoff=_ALMOST)
        if near:
            wrong, meant = f"iotda-ota:{sanitize(key, limit=60)}", _BY_LETTERS[near[0]]
            raise ConfigurationError(
                f"{wrong} (stack config) is not a setting; did you mean iotda-ota:{meant}?",
                setting=snake(meant),
                facts=[("fix", f"set iotda-ota:{meant}, and remove the other: pulumi config rm {wrong}")],
            )


def require_allowed(project_id: str, allowed: Sequence[str] | None) -> None:
    """Refuse a project that ``allowed_project_ids`` does not list.

    Raises:
        ConfigurationError: it does not.
    """
    if allowed is not None and project_id not in allowed:
        raise ConfigurationError(
            f"project {sanitize(project_id)} is not in {setting('allowed_project_ids')}",
            setting="project_id",
            facts=[
                ("found", setting("allowed_project_ids", list(allowed))),
                ("fix", f"correct {setting('project_id')}, or add it to {setting('allowed_project_ids')}"),
            ],
        )


def _gathered(sources: Sources, files: VendorFiles) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the value of each public setting that a source holds, and its origin."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name in PUBLIC_FIELDS:
        holder = sources.settings.get(name)
        if holder:
            values[name] = _list(holder.values[name]) if name == "allowed_project_ids" else holder.values[name]
            origins[name] = holder.place if holder.source is ARGUMENT else holder.origin(name)
    if "endpoint" not in values and "region" in values:
        cloud = str(values.get("cloud", ""))
        values["endpoint"], origins["endpoint"] = _endpoint_of(str(values["region"]), cloud, files)
    return values, origins


def _list(value: object) -> tuple[object, ...]:
    """Return a list that can be text: JSON, or items with commas between them. The model converts the other types."""
    try:
        read = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        read = value
    if isinstance(read, str):
        read = [part.strip() for part in read.split(",") if part.strip()]
    return tuple(read) if isinstance(read, (list, tuple)) else (str(value),)


def _endpoint_of(region: str, cloud: str, files: VendorFiles) -> tuple[str, str]:
    """Return the endpoint of a region: from the environment or the file of the vendor's SDK, or the shared one."""
    variable = _SDK_ENDPOINT + region.replace("-", "_").upper()
    first = files.environ.get(variable, "").split(",")[0].strip()
    if first:
        return first, f"{variable} (environment)"
    listed, origin = files.endpoint_of(region)
    return (listed, origin) if listed else (shared_endpoint(region, cloud), _origin_of_region(region, cloud))


def _origin_of_region(region: str, cloud: str) -> str:
    return f"the region {region}, in the cloud {cloud}" if cloud else f"the region {region}"


@contextmanager
def _origin_noted(origins: Mapping[str, str]) -> Iterator[None]:
    """Add its origin to the error of a wrong setting."""
    try:
        yield
    except ConfigurationError as error:
        error.note("source", origins.get(error.setting, BY_ARGUMENT))
        raise


def _checked(values: Mapping[str, Any]) -> Connection:
    found = Connection(**values)
    for name in values:
        rule, value = BY_NAME[name].rule, getattr(found, name)
        problem = rule.problem(value) if rule and not isinstance(rule, ModelLimit) else None
        if problem:
            raise ConfigurationError(f"{setting(name)} {problem}, not {quoted(value)}", setting=name)
    return found


def _credential(sources: Sources, origins: dict[str, str]) -> Credential:
    """Return the credential, or the agency that is assumed with it."""
    base = find_credential(sources)
    origins["credential"] = base.source
    holder = sources.settings.get("agency_name")
    if holder is None:
        return base
    # The account comes from the same source: an account of another source can have an agency with this name too.
    domain_id = holder.text("agency_domain_id")
    domain_name = "" if domain_id else holder.text("agency_domain_name") or holder.text("domain_name")
    if not domain_id and not domain_name and isinstance(base, UserPassword):
        domain_name = base.domain_name
    if not domain_id and not domain_name:
        raise ConfigurationError(
            f"{setting('agency_name')} is set without the account that has the agency",
            setting="agency_name",
            facts=[
                ("source", origins["agency_name"]),
                (setting("agency_domain_name"), _ways_to_set(["agency_domain_name"])),
                ("fix", f"set {setting('agency_domain_name')} in the same source as {setting('agency_name')}"),
            ],
        )
    return AssumedAgency(base, holder.text("agency_name"), domain_name, domain_id, origins["agency_name"])


def _iam_endpoint(found: Connection, region: str, origins: dict[str, str]) -> Endpoint:
    if found.iam_endpoint:
        with _origin_noted(origins):
            return read_iam_endpoint(found.iam_endpoint)
    origins["iam_endpoint"] = _origin_of_region(region, found.cloud or "") if region else "the default"
    return read_iam_endpoint(iam_endpoint(region, found.cloud or ""))


# Settings that contradict each other would send requests to the wrong place.


def _agreed_region(found: Connection, endpoint: Endpoint, algorithm: Algorithm, origins: dict[str, str]) -> str:
    if found.region and endpoint.region and found.region != endpoint.region:
        raise ConfigurationError(
            f"{setting('region')} is {found.region}, but the endpoint is in {endpoint.region}",
            setting="region",
            facts=[
                (setting("region"), origins["region"]),
                (setting("endpoint"), f"{endpoint.url} (from {origins['endpoint']})"),
            ],
        )
    if not found.region and endpoint.region:
        origins["region"] = "the endpoint"
    region = found.region or endpoint.region
    if algorithm == "derived" and not region:
        raise ConfigurationError(
            f"derived signing needs {setting('region')}, and the endpoint has none",
            setting="region",
            facts=[("fix", _ways_to_set(["region"]))],
        )
    return region


def _require_region_of_project(found: Connection, region: str, origins: Mapping[str, str]) -> None:
    name = found.project_name
    if name and name != region and not name.startswith(f"{region}_"):
        raise ConfigurationError(
            f"the project {name} is not in the region {region}: its name does not begin with it",
            setting="project_name",
            facts=[
                (setting("project_name"), origins["project_name"]),
                (setting("region"), origins["region"]),
                ("fix", f"set a name such as {region} or {region}_iot, or set {setting('project_id')}"),
            ],
        )


def _require_cloud_of_endpoint(found: Connection, endpoint: Endpoint, origins: Mapping[str, str]) -> None:
    if found.cloud and endpoint.cloud and found.cloud != endpoint.cloud:
        raise ConfigurationError(
            f"{setting('cloud')} is {found.cloud}, but the endpoint is in the cloud {endpoint.cloud}",
            setting="cloud",
            facts=[
                (setting("cloud"), origins["cloud"]),
                (setting("endpoint"), f"{endpoint.url} (from {origins['endpoint']})"),
                ("fix", "correct one of them"),
            ],
        )


def _ways_to_set(names: Sequence[str]) -> str:
    """Return where each of some settings can be set, a line each."""

    def of(name: str) -> str:
        variables = " or ".join(BY_NAME[name].environment)
        return f"{BY_ARGUMENT} {setting(name)}, config iotda-ota:{camel(name)}, environment {variables}"

    return "\n".join(map(of, names))


def _missing(names: Sequence[str], sources: Sources) -> ConfigurationError:
    """Return one error that names everything that is missing, credentials included, with each way to set it."""
    ways = {"endpoint": ("region", "endpoint"), "project_id": ("project_id", "region")}
    facts = [(setting(name), _ways_to_set(ways[name])) for name in names]
    absent: list[str] = []
    try:
        find_credential(sources)
    except CredentialsError as error:
        absent = ["credentials"]
        places = [text for label, text in error.message.facts if label != "fix"]
        facts.append(("credentials", "\n".join([error.message.headline, *places])))
    listed = ", ".join([*(" or ".join(map(setting, ways[name])) for name in names), *absent])
    first = ("fix", usual_commands(region=True, credential=bool(absent)))
    return ConfigurationError(f"the connection is incomplete, missing: {listed}", facts=[first, *facts])


def _unknown_iam(endpoint: Endpoint, origins: Mapping[str, str]) -> ConfigurationError:
    """Return the error for an endpoint without a known IAM: a guess could send a password to another cloud."""
    return ConfigurationError(
        f"{setting('iam_endpoint')} is required for this endpoint",
        setting="iam_endpoint",
        facts=[
            (setting("endpoint"), f"{endpoint.url} (from {origins['endpoint']})"),
            (setting("iam_endpoint"), _ways_to_set(["iam_endpoint"])),
            ("fix", f"correct {setting('endpoint')}, or set {setting('iam_endpoint')}"),
        ],
    )
