"""Brings the settings of a connection together: each from where it is found first, checked, and with its origin.

Where each was found is kept, because that is what a person needs to know when it is wrong. The order is that of
``discovery``. The environment is passed in as a value; nothing here sends a request: what only IAM knows, a token or
the project of a region, is still open in what comes out, and ``login`` asks for it when the first request is due.
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
from pulumi_iotda_ota.iotda.auth.consistency import (
    agreed_region,
    require_cloud_of_endpoint,
    require_region_of_project,
    ways_to_give,
)
from pulumi_iotda_ota.iotda.auth.credentials import AccessKey, AssumedAgency, AuthToken, EcsMetadata, UserPassword
from pulumi_iotda_ota.iotda.auth.discovery import (
    ARGUMENT,
    CONFIGURATION,
    Found,
    Given,
    find_credential,
    find_setting,
    look,
    refuse_unread,
    usual_commands,
)
from pulumi_iotda_ota.iotda.auth.endpoint import (
    Endpoint,
    iam_endpoint,
    read_endpoint,
    read_iam_endpoint,
    require_here,
    require_usual,
    shared_endpoint,
)
from pulumi_iotda_ota.iotda.auth.profiles import endpoint_of_region
from pulumi_iotda_ota.iotda.case import snake
from pulumi_iotda_ota.iotda.errors import ConfigurationError, CredentialsError
from pulumi_iotda_ota.iotda.limits import CLOUD, INSTANCE_ID, PROJECT_ID, PROJECT_NAME, REGION, Pattern
from pulumi_iotda_ota.iotda.references import BY_ARGUMENT, setting
from pulumi_iotda_ota.iotda.sanitize import quoted, sanitize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pulumi_iotda_ota.iotda.auth.credentials import Credential
    from pulumi_iotda_ota.iotda.auth.discovery import Found
    from pulumi_iotda_ota.iotda.auth.endpoint import Endpoint
    from pulumi_iotda_ota.iotda.auth.signing import Algorithm


# How alike a key of the configuration must be to a setting to be taken for a slip; 1 is equal.
_ALMOST = 0.8
_SDK_ENDPOINT = "HUAWEICLOUD_SDK_REGION_IOTDA_"


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
    sources = look(Given(connection or Connection(), config, environ))
    values, origins = _gathered(sources, environ)
    with _origin_noted(origins):
        found = _checked(values)
    if found.endpoint is None:
        error = missing(["endpoint"], sources)
        if found.project_id is None:
            error.note(setting("project_id"), f"default: the project of the region; {ways_to_give(['project_id'])}")
        raise error
    with _origin_noted(origins):
        endpoint = read_endpoint(found.endpoint)
        require_usual(found.proxy)
        if found.project_id:
            require_allowed(found.project_id, found.allowed_project_ids)
    algorithm = _algorithm(found, endpoint)
    region = agreed_region(found, endpoint, algorithm, origins)
    if not found.project_id and not region:
        raise missing(["project_id"], sources)
    require_region_of_project(found, region, origins)
    require_cloud_of_endpoint(found, endpoint, origins)
    refuse_unread(sources, environ)
    credential = _credential(found, sources, origins)
    iam = _iam_endpoint(found, region, origins)
    if (
        endpoint.is_of_another_cloud
        and not (found.iam_endpoint or found.cloud)
        and _needs_iam(credential, found.project_id)
    ):
        raise unknown_iam(endpoint, origins)
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
    """Return what is known of region, endpoint, project and instance, without credentials and without asking anybody.

    A known endpoint without an instance is one where none is given. Arguments and errors are those of :func:`resolve`.
    """
    _refuse_misspelt(config)
    given = Given(connection or Connection(), config, environ)
    values, origins = _gathered(look(given, all_readable=False), environ)
    with _origin_noted(origins):
        found = _checked(values)
        endpoint = read_endpoint(found.endpoint) if found.endpoint else None
    region = found.region or (endpoint.region if endpoint else "")
    known = {"region": region, "endpoint": endpoint.url if endpoint else "", "project_id": found.project_id or ""}
    place = {name: value for name, value in known.items() if value}
    return {**place, "instance_id": found.instance_id or ""} if endpoint or found.instance_id else place


def check_config(config: Mapping[str, object]) -> None:
    """Refuse a configuration that is wrong by itself, whether or not it is complete.

    Args:
        config: the configuration by camelCase name, without its namespace; texts or typed values.

    Raises:
        ConfigurationError: a setting is misspelt, or its value is wrong.
    """
    _refuse_misspelt(config)
    # Where else they could be is another question; a profile, for one, may be missing on this machine.
    values, origins = _gathered(look(Given(Connection(), config, {}), only=CONFIGURATION), {})
    with _origin_noted(origins):
        found = _checked(values)
        if found.endpoint is not None:
            read_endpoint(found.endpoint)
        if found.iam_endpoint is not None:
            read_iam_endpoint(found.iam_endpoint)
        require_usual(found.proxy)


def _refuse_misspelt(config: Mapping[str, object]) -> None:
    """Refuse a key that is almost a setting: passed over, it would let another place decide, unnoticed."""
    by_letters = {name.lower(): name for name in CONFIG_NAMES}
    for key in config:
        letters = re.sub(r"[_-]", "", key).lower()
        near = difflib.get_close_matches(letters, by_letters, n=1, cutoff=_ALMOST)
        if near and key not in CONFIG_NAMES:
            wrong, meant = f"iotda-ota:{sanitize(key, limit=60)}", by_letters[near[0]]
            raise ConfigurationError(
                f"{wrong} (stack config) is not a setting; did you mean iotda-ota:{meant}?",
                setting=snake(meant),
                facts=[("fix", f"set iotda-ota:{meant}, and remove the other: pulumi config rm {wrong}")],
            )


def _gathered(sources: Sequence[Found], environ: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the value of each setting that was found anywhere, and where that was."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name in PUBLIC_FIELDS:
        found = find_setting(name, sources)
        if found:
            values[name] = _typed(name, found.values[name])
            origins[name] = found.place if found.source is ARGUMENT else found.origin(name)
    _keep_first_project(values, origins, sources)
    if "endpoint" not in values and "region" in values:
        cloud = str(values.get("cloud", ""))
        values["endpoint"], origins["endpoint"] = _endpoint_of(str(values["region"]), cloud, environ)
    return values, origins


def _keep_first_project(values: dict[str, Any], origins: dict[str, str], sources: Sequence[Found]) -> None:
    """Remove the id or the name of a project that an earlier source, or the same source, decides otherwise."""
    by_id, by_name = find_setting("project_id", sources), find_setting("project_name", sources)
    if by_id and by_name:
        later = "project_id" if sources.index(by_name) < sources.index(by_id) else "project_name"
        del values[later], origins[later]


def _credential(found: Connection, sources: Sequence[Found], origins: dict[str, str]) -> Credential:
    """Return the credential, with the agency that it assumes on top where one is given."""
    base = find_credential(sources)
    origins["credential"] = base.source
    if not found.agency_name:
        return base
    # Beside the name, or that of the user: an account that another place names could have an agency of this name too.
    beside = next(source for source in sources if source.text("agency_name"))
    domain_name = beside.text("agency_domain_name") or beside.text("domain_name")
    if not domain_name and isinstance(base, UserPassword):
        domain_name = base.domain_name
    if not domain_name:
        raise ConfigurationError(
            f"{setting('agency_name')} is set without the account that has the agency",
            setting="agency_name",
            facts=[
                ("source", origins["agency_name"]),
                (setting("agency_domain_name"), ways_to_give(["agency_domain_name"])),
                ("fix", f"set {setting('agency_domain_name')} in the same source as {setting('agency_name')}"),
            ],
        )
    return AssumedAgency(base, found.agency_name, domain_name, origins["agency_name"])


def _iam_endpoint(found: Connection, region: str, origins: dict[str, str]) -> Endpoint:
    if found.iam_endpoint:
        with _origin_noted(origins):
            return read_iam_endpoint(found.iam_endpoint)
    origins["iam_endpoint"] = _origin_of_region(region, found.cloud or "") if region else "the default"
    return read_iam_endpoint(iam_endpoint(region, found.cloud or ""))


def _needs_iam(credential: Credential, project_id: str | None) -> bool:
    return not project_id or not isinstance(credential, (AccessKey, AuthToken, EcsMetadata))


def _endpoint_of(region: str, cloud: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the endpoint of a region: from the environment or the file of the vendor's SDK, or the shared one."""
    key = _SDK_ENDPOINT + region.replace("-", "_").upper()
    first = environ.get(key, "").split(",")[0].strip()
    if first:
        return first, f"{key} (environment)"
    listed, origin = endpoint_of_region(region, environ)
    return (listed, origin) if listed else (shared_endpoint(region, cloud), _origin_of_region(region, cloud))


def _origin_of_region(region: str, cloud: str) -> str:
    return f"the region {region}, in the cloud {cloud}" if cloud else f"the region {region}"


def _typed(name: str, value: object) -> object:
    """Return a list that arrives as text, JSON or with commas, as a list; other texts are read by the model."""
    if name != "allowed_project_ids":
        return value
    try:
        read = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        read = value
    if isinstance(read, str):
        read = [part.strip() for part in read.split(",") if part.strip()]
    return tuple(read) if isinstance(read, (list, tuple)) else (str(value),)


@contextmanager
def _origin_noted(origins: Mapping[str, str]) -> Iterator[None]:
    """Say of a setting that the block finds wrong where it came from."""
    try:
        yield
    except ConfigurationError as error:
        error.note("source", origins.get(error.setting, BY_ARGUMENT))
        raise


def _checked(values: Mapping[str, Any]) -> Connection:
    found = Connection(**values)
    rules = {"project_id": PROJECT_ID, "project_name": PROJECT_NAME, "instance_id": INSTANCE_ID}
    for name, rule in {"region": REGION, "cloud": CLOUD, **rules}.items():
        _require(name, getattr(found, name), rule)
    return found


def _require(name: str, value: str | None, rule: Pattern) -> None:
    problem = rule.problem(value) if value is not None else None
    if problem:
        raise ConfigurationError(f"{setting(name)} {problem}, not {quoted(value)}", setting=name)


def require_allowed(project_id: str, allowed: Sequence[str] | None) -> None:
    """Refuse a project that is not one of those that may be asked.

    Raises:
        ConfigurationError: it is not.
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


def _algorithm(found: Connection, endpoint: Endpoint) -> Algorithm:
    if found.signing in ("standard", "derived"):
        return found.signing
    return "derived" if endpoint.is_instance else "standard"


# The errors of a connection that is not complete: what is missing, and each place where it can be given.


def missing(names: Sequence[str], sources: Sequence[Found]) -> ConfigurationError:
    """Return one error that names everything that is missing, credentials included.

    Args:
        names: the settings that are missing.
        sources: where settings were looked for.
    """
    ways = {"endpoint": ("region", "endpoint"), "project_id": ("project_id", "region")}
    facts = [(setting(name), ways_to_give(ways[name])) for name in names]
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


def unknown_iam(endpoint: Endpoint, origins: Mapping[str, str]) -> ConfigurationError:
    """Return the error where a guess could hand a password, or a signature, to another cloud.

    Args:
        endpoint: the endpoint of the service.
        origins: where each setting came from.
    """
    return ConfigurationError(
        f"{setting('iam_endpoint')} is required for this endpoint",
        setting="iam_endpoint",
        facts=[
            (setting("endpoint"), f"{endpoint.url} (from {origins['endpoint']})"),
            (setting("iam_endpoint"), ways_to_give(["iam_endpoint"])),
            ("fix", f"correct {setting('endpoint')}, or set {setting('iam_endpoint')}"),
        ],
    )
