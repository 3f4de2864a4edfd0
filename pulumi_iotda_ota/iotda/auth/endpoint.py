"""Reads the addresses of IoTDA and IAM: what of one is acceptable, and what it tells about region and edition.

Nothing here asks a network; a name is judged by its labels alone.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from pulumi_iotda_ota.iotda import references
from pulumi_iotda_ota.iotda.errors import ConfigurationError
from pulumi_iotda_ota.iotda.sanitize import REDACTED, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

# Those that the vendor's SDK knows for IoTDA; a region is never refused for not being among them.
REGIONS = (
    "af-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "cn-east-3",
    "cn-north-4",
    "cn-south-1",
    "cn-south-4",
    "la-north-2",
    "la-south-2",
    "me-east-1",
    "ru-moscow-1",
    "sa-brazil-1",
)
# Those with an IAM of their own. Some have no shared endpoint of IoTDA: there only instances have one. The IAM of
# cn-south-4 is the global one.
IAM_REGIONS = (
    "ae-ad-1",
    "af-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "cn-east-2",
    "cn-east-3",
    "cn-east-4",
    "cn-east-5",
    "cn-north-1",
    "cn-north-12",
    "cn-north-2",
    "cn-north-4",
    "cn-north-9",
    "cn-south-1",
    "cn-south-2",
    "cn-southwest-2",
    "eu-west-0",
    "la-north-2",
    "la-south-2",
    "me-east-1",
    "my-kualalumpur-1",
    "na-mexico-1",
    "ru-moscow-1",
    "sa-brazil-1",
    "tr-west-1",
)
# Those whose IAM is known; its endpoints are iam.<region>.<cloud>.
_CLOUDS = ("myhuaweicloud.com", "myhuaweicloud.eu")
_EUROPE = re.compile(r"eu-west-1\d\d")
# How alike a region must be to another to be taken for a slip of it; 1 is equal.
_ALMOST = 0.75

#: The schemes of proxies. With socks4 and socks5 this machine resolves the name of the service.
PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
_DEFAULT_PORTS = {"https": 443, "http": 80}
# Shared hosts are iotda.<region>.<domain>, those of an instance <id>.<cell>.iotda-app.<region>.<domain>.
_REGION_LABEL = re.compile(r"(?:^iotda|\.iotda-app)\.([a-z]{2,}(?:-[a-z0-9]+)+)\.")
# Devices connect to <id>.<cell>.iotda-device.<region>.<domain>, in the basic edition to iot-mqtts.<region>.<domain>.
_DEVICE_LABEL = re.compile(r"(?:^|\.)iot(?:da)?-(?:device|coaps?|mqtts?|https)(?=\.)")


@dataclass(frozen=True)
class Endpoint:
    """An address that requests may go to.

    Args:
        url: scheme, host and port, without a slash at the end.
        host: the host alone, in lower case.
    """

    url: str
    host: str

    @property
    def is_instance(self) -> bool:
        """Return whether it is the application endpoint of one standard or enterprise instance."""
        return "iotda-app" in self.host.split(".")

    @property
    def is_loopback(self) -> bool:
        """Return whether it is this machine."""
        return _is_loopback(self.host)

    @property
    def region(self) -> str:
        """Return the region that the host names, or empty."""
        found = _REGION_LABEL.search(self.host)
        return found.group(1) if found else ""

    @property
    def cloud(self) -> str:
        """Return the domain of the cloud, or empty if the host is not named as IoTDA's endpoints are."""
        found = _REGION_LABEL.search(self.host)
        return self.host[found.end() :] if found else ""

    @property
    def is_of_another_cloud(self) -> bool:
        """Return whether it is named as IoTDA's endpoints are, but in no cloud whose IAM is known."""
        return bool(self.cloud) and self.cloud not in _CLOUDS


def shared_endpoint(region: str, cloud: str = "") -> str:
    """Return the shared endpoint of a region, in its own cloud or in another. Source: "Regions and Endpoints"."""
    return f"https://iotda.{region}.{cloud or _cloud(region)}"


def iam_endpoint(region: str, cloud: str = "") -> str:
    """Return the endpoint of IAM for a region.

    What a regional endpoint issues is valid in that region, which is the only one that requests go to. For a region
    without one, or without a region, it is the global endpoint. In another cloud each region has one, as the vendor's
    Terraform provider has it.
    Source: ``auth/endpoint.py`` of the vendor's SDK for Python, 3.1.219.
    """
    is_regional = region in IAM_REGIONS or _EUROPE.fullmatch(region) or (region and cloud not in ("", *_CLOUDS))
    domain = cloud or _cloud(region)
    return f"https://iam.{region}.{domain}" if is_regional else f"https://iam.{domain}"


def near_region(region: str) -> str:
    """Return the known region that a name is a misspelling of, or empty; empty too for a region that is known."""
    known = {*REGIONS, *IAM_REGIONS}
    near = difflib.get_close_matches(region, sorted(known), n=1, cutoff=_ALMOST)
    return near[0] if near and region not in known else ""


def _cloud(region: str) -> str:
    return "myhuaweicloud.eu" if _EUROPE.fullmatch(region) else "myhuaweicloud.com"


def read_endpoint(text: str, setting: str = "endpoint") -> Endpoint:
    """Return a checked endpoint; a missing ``https://`` and a slash at the end are put right.

    Args:
        text: the address.
        setting: the field of ``Connection`` that an error names.

    Raises:
        ConfigurationError: it is no address of a host alone, or plain HTTP to another machine.
    """
    try:
        return _read(text.strip())
    except _WrongAddressError as wrong:
        raise ConfigurationError(
            f"{references.setting(setting)} {wrong}: {shown_address(text.strip())}",
            setting=setting,
            facts=[("fix", wrong.advice)] if wrong.advice else [],
        ) from None


def read_iam_endpoint(text: str) -> Endpoint:
    """Return a checked endpoint of IAM, which other tools write with ``/v3`` behind it; see :func:`read_endpoint`."""
    return read_endpoint(text.strip().rstrip("/").removesuffix("/v3"), "iam_endpoint")


def stays_here(url: str) -> bool:
    """Return whether what goes to an address leaves this machine for no network: loopback, or a link-local address.

    Args:
        url: an address that was checked, or the fixed one of the metadata service.
    """
    host = (urlsplit(url).hostname or "").lower()
    return _is_loopback(host) or (_is_address(host) and ipaddress.ip_address(host).is_link_local)


class _WrongAddressError(Exception):
    """What is wrong with an address, as goes behind the name of its setting.

    Args:
        problem: what is wrong.
        advice: what to do about it, or empty.
    """

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(problem)
        self.advice = advice


def _read(address: str) -> Endpoint:
    parts = _split(address if "://" in address else f"https://{address}")
    host = (parts.hostname or "").lower()
    _refuse_address_of_devices(host)
    _require_host_alone(parts, host)
    if parts.scheme == "http" and not _is_loopback(host):
        raise _WrongAddressError("must begin with https://; plain http is for this machine only")
    shown = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return Endpoint(url=f"{parts.scheme}://{shown}{port}", host=host)


def _refuse_address_of_devices(host: str) -> None:
    """Refuse what devices connect to, over MQTT, CoAP or HTTPS; the console shows it beside the API's address."""
    found = _DEVICE_LABEL.search(host)
    if found:
        label = "iotda-app" if host[: found.start()] else "iotda"
        likely = f"https://{host[: found.start()]}.{label}{host[found.end() :]}".replace("//.", "//")
        advice = f"give the address for applications, likely {likely}; the instance's console page shows it"
        raise _WrongAddressError("is an address for devices, not of the API", advice)


def _split(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        _ = parts.port  # it is read, and found wrong, only here
    except ValueError:
        raise _WrongAddressError("is no address") from None
    return parts


def _require_host_alone(parts: SplitResult, host: str) -> None:
    """Refuse what is more than scheme, host and port; a password in it is not repeated."""
    if parts.scheme not in _DEFAULT_PORTS:
        raise _WrongAddressError("must begin with https://")
    if parts.username is not None or parts.password is not None:
        raise _WrongAddressError("must not hold a user or a password")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _WrongAddressError("must be a host alone, without a path, query or fragment")
    if not (_is_address(host) or re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", host)) or ".." in host:
        raise _WrongAddressError("holds no valid host name")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def shown_address(address: str) -> str:
    """Return an address as an error shows it: what may be a user, a password or a query is left out."""
    _, user, rest = address.rpartition("@")
    host = re.split(r"[?#]", rest)[0]
    return quoted(f"{REDACTED}@{host}" if user else host)


# Judges the proxy of a connection: its address, and what may go over it.


def require_usual(proxy: str | None) -> None:
    """Refuse a proxy that is no address, or one with a password: it would become an input of resources.

    Raises:
        ConfigurationError: it is; the address is told without user and password.
    """
    if proxy and ("@" in proxy or not proxy.startswith(tuple(f"{scheme}://" for scheme in PROXY_SCHEMES))):
        raise ConfigurationError(
            f"{references.setting('proxy')} must be an http://, https:// or socks5h:// address without a user "
            f"or a password, not {shown_address(proxy)}",
            setting="proxy",
            facts=[("fix", "set a proxy with a password in the HTTPS_PROXY environment variable")],
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
            "plain http to this machine is not sent through a proxy on another machine",
            setting="proxy",
            facts=[
                (references.setting(name), f"{url} (from {origins[name]})"),
                (references.setting("proxy"), f"{shown_address(proxy)} (from {origins['proxy']})"),
                ("fix", f"remove {references.setting('proxy')} if the endpoint is on this machine"),
            ],
        )
