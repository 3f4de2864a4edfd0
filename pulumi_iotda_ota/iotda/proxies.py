"""Judges the proxy of a connection: its address, and what may go over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.auth.endpoint import Endpoint, shown_address, stays_here
from pulumi_iotda_ota.iotda.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["require_here", "require_usual"]


def require_usual(proxy: str | None) -> None:
    """Refuse a proxy that is no address, or one with a password: it would become an input of resources.

    Raises:
        ConfigurationError: it is; the address is told without user and password.
    """
    if proxy and ("@" in proxy or not proxy.startswith(("http://", "https://"))):
        raise ConfigurationError(
            f"proxy must be an http:// or https:// address without a user or a password, not {shown_address(proxy)}",
            setting="proxy",
            facts=[("what to do", "a proxy that wants a password goes into the HTTPS_PROXY environment variable")],
        )


def require_here(proxy: str | None, endpoints: Mapping[str, Endpoint], origins: Mapping[str, str]) -> None:
    """Refuse a proxy to which clear text would leave this machine; an endpoint has plain HTTP on loopback alone.

    Args:
        proxy: the proxy, or None.
        endpoints: where requests go, by the setting.
        origins: where each setting came from.

    Raises:
        ConfigurationError: one of the endpoints is plain HTTP, and the proxy is another machine's.
    """
    plain = [(name, endpoint.url) for name, endpoint in endpoints.items() if endpoint.url.startswith("http://")]
    if proxy and plain and not stays_here(proxy):
        name, url = plain[0]
        raise ConfigurationError(
            "plain http to this machine goes over no proxy elsewhere",
            setting="proxy",
            facts=[
                (name, f"{url} (from {origins[name]})"),
                ("proxy", f"{shown_address(proxy)} (from {origins['proxy']})"),
                ("what to do", "leave proxy out where the endpoint is on this machine"),
            ],
        )
