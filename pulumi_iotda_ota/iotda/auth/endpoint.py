"""Read and check the endpoints of IoTDA and IAM; the labels of a host name show its region and edition."""

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

# The regions of IoTDA in the vendor's SDK. Other regions are accepted too.
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
# The regions with a regional IAM endpoint. In some of them only instances have an endpoint. cn-south-4 uses the global
# IAM.
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
# The clouds whose IAM endpoints are known: iam.<region>.<cloud>.
_CLOUDS = ("myhuaweicloud.com", "myhuaweicloud.eu")
_EUROPE = re.compile(r"eu-west-1\d\d")
# How alike a name must be to a region to be a misspelling; 1 is equal.
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
    """A checked endpoint.

    Attributes:
        url: scheme, host and port.
        host: the host, in lower case.
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
        """Return the region in the host, or empty."""
        found = _REGION_LABEL.search(self.host)
        return found.group(1) if found else ""

    @property
    def cloud(self) -> str:
        """Return the domain of the cloud, or empty if the host does not have the form of IoTDA's endpoints."""
        found = _REGION_LABEL.search(self.host)
        return self.host[found.end() :] if found else ""

    @property
    def is_of_another_cloud(self) -> bool:
        """Return whether it has the form of IoTDA's endpoints, in a cloud whose IAM is not known."""
        return bool(self.cloud) and self.cloud not in _CLOUDS


def shared_endpoint(region: str, cloud: str = "") -> str:
    """Return the shared endpoint of a region, by default in its own cloud. Source: "Regions and Endpoints"."""
    return f"https://iotda.{region}.{cloud or _cloud(region)}"


def iam_endpoint(region: str, cloud: str = "") -> str:
    """Return the endpoint of IAM for a region.

    A token of a regional endpoint is valid in that region, which is enough. Without a regional endpoint, or without a
    region, it is the global one. In another cloud each region has one, as in the vendor's Terraform provider.
    Source: ``auth/endpoint.py`` of the vendor's SDK for Python, 3.1.219.
    """
    is_regional = region in IAM_REGIONS or _EUROPE.fullmatch(region) or (region and cloud not in ("", *_CLOUDS))
    domain = cloud or _cloud(region)
    return f"https://iam.{region}.{domain}" if is_regional else f"https://iam.{domain}"


def near_region(region: str) -> str:
    """Return the known region of which a name is a misspelling, or empty."""
    known = {*REGIONS, *IAM_REGIONS}
    near = difflib.get_close_matches(region, sorted(known), n=1, cutoff=_ALMOST)
    return near[0] if near and region not in known else ""


def _cloud(region: str) -> str:
    return "myhuaweicloud.eu" if _EUROPE.fullmatch(region) else "myhuaweicloud.com"


def read_endpoint(text: str, setting: str = "endpoint") -> Endpoint:
    """Return a checked endpoint, with a missing ``https://`` and without a final slash.

    Args:
        text: the address.
        setting: the setting that an error names.

    Raises:
        ConfigurationError: it is more than a host, or plain HTTP to another machine.
    """
    try:
        return _read(text.strip())
    except _WrongAddressError as wrong:
        raise ConfigurationError(
            f"{references.setting(setting)} {wrong}: {display_address(text.strip())}",
            setting=setting,
            facts=[("fix", wrong.advice)] if wrong.advice else [],
        ) from None


def read_iam_endpoint(text: str) -> Endpoint:
    """Return a checked endpoint of IAM, which other tools write with a final ``/v3``; see :func:`read_endpoint`."""
    return read_endpoint(text.strip().rstrip("/").removesuffix("/v3"), "iam_endpoint")


def stays_here(url: str) -> bool:
    """Return whether requests to a checked URL stay here: a loopback or a link-local address."""
    host = (urlsplit(url).hostname or "").lower()
    return _is_loopback(host) or (_is_address(host) and ipaddress.ip_address(host).is_link_local)


class _WrongAddressError(Exception):
    """The problem of an address, to follow the name of its setting, and its fix or empty."""

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
    in_url = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return Endpoint(url=f"{parts.scheme}://{in_url}{port}", host=host)


def _refuse_address_of_devices(host: str) -> None:
    """Refuse the endpoint for devices, which the console shows beside the endpoint for applications."""
    found = _DEVICE_LABEL.search(host)
    if found:
        label = "iotda-app" if host[: found.start()] else "iotda"
        likely = f"https://{host[: found.start()]}.{label}{host[found.end() :]}".replace("//.", "//")
        advice = f"set the endpoint for applications, likely {likely}; the instance's console page shows it"
        raise _WrongAddressError("is an endpoint for devices, not for applications", advice)


def _split(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises an error if it is wrong
    except ValueError:
        raise _WrongAddressError("is not a valid address") from None
    return parts


def _require_host_alone(parts: SplitResult, host: str) -> None:
    """Refuse an address with more than scheme, host and port, without repeating a password."""
    if parts.scheme not in _DEFAULT_PORTS:
        raise _WrongAddressError("must begin with https://")
    if parts.username is not None or parts.password is not None:
        raise _WrongAddressError("must not have a user or a password")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _WrongAddressError("must be a host without a path, query or fragment")
    if not (_is_address(host) or re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", host)) or ".." in host:
        raise _WrongAddressError("has no valid host name")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def display_address(address: str) -> str:
    """Return an address for an error, without user, password and query."""
    _, user, rest = address.rpartition("@")
    host = re.split(r"[?#]", rest)[0]
    return quoted(f"{REDACTED}@{host}" if user else host)


def require_usual(proxy: str | None) -> None:
    """Refuse a proxy that is no URL, or has a password: the proxy becomes an input of resources.

    Raises:
        ConfigurationError: it is such a proxy; the error shows no password.
    """
    if proxy and ("@" in proxy or not proxy.startswith(tuple(f"{scheme}://" for scheme in PROXY_SCHEMES))):
        raise ConfigurationError(
            f"{references.setting('proxy')} must be an http://, https:// or socks5h:// address without a user "
            f"or a password, not {display_address(proxy)}",
            setting="proxy",
            facts=[("fix", "set a proxy with a password in the HTTPS_PROXY environment variable")],
        )


def require_here(proxy: str | None, endpoints: Mapping[str, Endpoint], origins: Mapping[str, str]) -> None:
    """Refuse a proxy on another machine for plain HTTP, which is only for this machine.

    Raises:
        ConfigurationError: an endpoint is plain HTTP, and the proxy is on another machine.
    """
    plain = [(name, endpoint.url) for name, endpoint in endpoints.items() if endpoint.url.startswith("http://")]
    if proxy and plain and not stays_here(proxy):
        name, url = plain[0]
        raise ConfigurationError(
            "plain http to this machine is not sent through a proxy on another machine",
            setting="proxy",
            facts=[
                (references.setting(name), f"{url} (from {origins[name]})"),
                (references.setting("proxy"), f"{display_address(proxy)} (from {origins['proxy']})"),
                ("fix", f"remove {references.setting('proxy')} if the endpoint is on this machine"),
            ],
        )
