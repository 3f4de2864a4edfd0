"""Refuses settings that contradict each other: requests would go to the wrong place. Looks for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.auth.discovery import SOURCES
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.iotda.errors import ConfigurationError
from pulumi_iotda_ota.iotda.references import BY_ARGUMENT, setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi_iotda_ota.iotda.auth.connection_model import Connection
    from pulumi_iotda_ota.iotda.auth.endpoint import Endpoint
    from pulumi_iotda_ota.iotda.auth.signing import Algorithm


def require_region_of_project(found: Connection, region: str, origins: Mapping[str, str]) -> None:
    """Refuse the name of a project in another region: nothing of this region could be found in it."""
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


def require_cloud_of_endpoint(found: Connection, endpoint: Endpoint, origins: Mapping[str, str]) -> None:
    """Refuse a cloud beside an endpoint in another one: credentials would go to both."""
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


def agreed_region(found: Connection, endpoint: Endpoint, algorithm: Algorithm, origins: dict[str, str]) -> str:
    """Return the region, which an endpoint may name too; two that differ would send requests to the wrong place."""
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
            facts=[("fix", ways_to_give(["region"]))],
        )
    return region


def ways_to_give(names: Sequence[str]) -> str:
    """Return where each of some settings can be given, a line each."""

    def of(name: str) -> str:
        variables = [source.names[name] for source in SOURCES if name in source.names and "environment" in source.title]
        return f"{BY_ARGUMENT} {setting(name)}, config iotda-ota:{camel(name)}, environment {' or '.join(variables)}"

    return "\n".join(of(name) for name in names)
