"""The errors of a connection that is not complete: what is missing, and each place where it can be given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.auth.discovery import SOURCES, find_credential
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.iotda.errors import ConfigurationError, CredentialsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi_iotda_ota.iotda.auth.discovery import Found
    from pulumi_iotda_ota.iotda.auth.endpoint import Endpoint

__all__ = ["missing", "unknown_iam", "ways_to_give"]


def missing(names: Sequence[str], sources: Sequence[Found]) -> ConfigurationError:
    """Return one error that names everything that is missing, credentials included.

    Args:
        names: the settings that are missing.
        sources: where settings were looked for.
    """
    ways = {"endpoint": "region or endpoint", "project_id": "project_id or region"}
    facts = [(name, ways_to_give(ways[name].split(" or "))) for name in names]
    try:
        find_credential(sources)
    except CredentialsError as error:
        facts.append(("credentials", "\n".join([error.headline, *(text for _, text in error.facts[:1])])))
    listed = ", ".join([*(ways[name] for name in names), *(["credentials"] if len(facts) > len(names) else [])])
    return ConfigurationError(f"the connection is not complete, missing: {listed}", facts=facts)


def ways_to_give(names: Sequence[str]) -> str:
    """Return where each of some settings can be given, a line each."""

    def of(name: str) -> str:
        variables = [source.names[name] for source in SOURCES if name in source.names and "environment" in source.title]
        return f"argument {name}, config iotda-ota:{camel(name)}, environment {' or '.join(variables)}"

    return "\n".join(of(name) for name in names)


def unknown_iam(endpoint: Endpoint, origins: Mapping[str, str]) -> ConfigurationError:
    """Return the error where a guess could hand a password, or a signature, to another cloud.

    Args:
        endpoint: the endpoint of the service.
        origins: where each setting came from.
    """
    return ConfigurationError(
        "IAM must be asked, and it is not known where IAM is beside the endpoint",
        setting="iam_endpoint",
        facts=[
            ("endpoint", f"{endpoint.url} (from {origins['endpoint']})"),
            ("iam_endpoint", ways_to_give(["iam_endpoint"])),
            ("what to do", "correct the endpoint, or give iam_endpoint"),
        ],
    )
