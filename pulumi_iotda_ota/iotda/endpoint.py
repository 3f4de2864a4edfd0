"""Reads the address of an IoTDA endpoint: what of it is acceptable, and what it tells about region and edition.

Nothing here asks a network; a name is judged by its labels alone.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from pulumi_iotda_ota.iotda.errors import ConfigurationError
from pulumi_iotda_ota.iotda.limits import shown
from pulumi_iotda_ota.iotda.text import MASK

__all__ = ["Endpoint", "read_endpoint", "shared_endpoint", "shown_address"]

_DEFAULT_PORTS = {"https": 443, "http": 80}
# Shared hosts are iotda.<region>.<domain>, those of an instance <id>.<cell>.iotda-app.<region>.<domain>.
_REGION_LABEL = re.compile(r"(?:^iotda|\.iotda-app)\.([a-z]{2,}(?:-[a-z0-9]+)+)\.")


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


def shared_endpoint(region: str) -> str:
    """Return the shared endpoint of a region. Source: the page "Regions and Endpoints"."""
    return f"https://iotda.{region}.myhuaweicloud.com"


def read_endpoint(text: str) -> Endpoint:
    """Return a checked endpoint; a missing ``https://`` and a slash at the end are put right.

    Raises:
        ConfigurationError: it is no address of a host alone, or plain HTTP to another machine.
    """
    address = text.strip()
    parts = _split(address if "://" in address else f"https://{address}")
    host = (parts.hostname or "").lower()
    _require_host_alone(address, parts, host)
    if parts.scheme == "http" and not _is_loopback(host):
        raise _wrong("must begin with https://; plain http is for this machine only", address)
    shown = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return Endpoint(url=f"{parts.scheme}://{shown}{port}", host=host)


def _split(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        _ = parts.port  # it is read, and found wrong, only here
    except ValueError:
        raise _wrong("is no address", address) from None
    return parts


def _require_host_alone(address: str, parts: SplitResult, host: str) -> None:
    """Refuse what is more than scheme, host and port; a password in it is not repeated."""
    if parts.scheme not in _DEFAULT_PORTS:
        raise _wrong("must begin with https://", address)
    if parts.username is not None or parts.password is not None:
        raise _wrong("must not hold a user or a password", address)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _wrong("must be a host alone, without a path, query or fragment", address)
    if not (_is_address(host) or re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", host)) or ".." in host:
        raise _wrong("holds no valid host name", address)


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
    return shown(f"{MASK}@{host}" if user else host)


def _wrong(problem: str, address: str) -> ConfigurationError:
    return ConfigurationError(f"endpoint {problem}: {shown_address(address)}", setting="endpoint")
