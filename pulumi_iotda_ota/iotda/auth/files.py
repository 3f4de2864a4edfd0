"""Read files with bounds, and the files in which the vendor's tools keep settings and credentials.

Only regular files of bounded size are read. No error repeats the content of a file.
"""

from __future__ import annotations

import configparser
import json
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.errors import ConfigurationError
from pulumi_iotda_ota.iotda.references import setting
from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_BYTES = 1024 * 1024
# A file without aliases has fewer values below 1 MiB. Aliases of aliases can stand for any number of values.
_MOST_NODES = 1_000_000
# If a pipe replaces the file after the check, opening it does not wait for a writer.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)

_HCLOUD = ".hcloud/config.json"
_CREDENTIALS = ".huaweicloud/credentials"
_REGIONS = ".huaweicloud/regions.yaml"
# How HW_SHARED_CONFIG_FILE says that there is no file, on each system.
_NO_FILE = ("", "/dev/null", "nul")
_KEY = ("accessKeyId", "secretAccessKey", "securityToken")
# By the mode of a profile. Source: the page "Specifying Authentication Mode" of KooCLI.
_ADVICE = {
    "AKSK": "set its key: hcloud configure set",
    "SSO": "sign in: hcloud configure sso",
    "ECSAGENCY": f"set {setting('credentials', 'ecs')} instead, on that ECS",
}


class UnreadableError(Exception):
    """Why a file cannot be read, to follow a colon; without its content."""


def is_there(path: str) -> bool:
    """Return whether a path is a regular file, and no folder, pipe or device.

    Raises:
        UnreadableError: the system does not say, because a folder above it cannot be read.
    """
    mode = _mode(path)
    return mode is not None and S_ISREG(mode)


def read_text(path: str) -> str:
    """Return the UTF-8 text of a file of at most 1 MiB, without a byte order mark.

    Raises:
        UnreadableError: there is no such file, or it is no such text.
    """
    content = read_bytes(path, most=_MOST_BYTES)
    if content is None:
        raise UnreadableError("no such file or directory")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError("it is no UTF-8 text") from None


def read_bytes(path: str, *, most: int) -> bytes | None:
    """Return the content of a file, or None if there is no such file.

    Args:
        path: the file.
        most: the largest size in bytes.

    Raises:
        UnreadableError: it is no regular file, is larger, or cannot be read.
    """
    # Opening some devices has an effect.
    if not is_there(path):
        if _mode(path) is None:
            return None
        raise UnreadableError("it is no file")
    try:
        with os.fdopen(os.open(path, _FLAGS), "rb") as file:
            if not S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnreadableError("it is no file")
            content = file.read(most + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadableError(_reason(error)) from None
    if len(content) > most:
        raise UnreadableError(f"it is larger than {most // (1024 * 1024)} MiB")
    return content


def read_yaml(path: str) -> Any:
    """Return the content of a YAML file, with every scalar as its text.

    Aliases are allowed, as Pulumi and the vendor's SDK allow them, but the number of values is bounded.

    Raises:
        UnreadableError: it cannot be read, is no YAML, or has a part that its other readers read in another way.
    """
    import yaml  # noqa: PLC0415  most connections read no such file

    text = read_text(path)
    try:
        loader = yaml.BaseLoader(text)  # makes strings, lists and mappings only
        node = loader.get_single_node()
        if node is None:
            return None
        _require_bounded(node)
        return loader.construct_document(node)
    except (yaml.YAMLError, RecursionError):
        # Not "from error": its text can repeat a line with a secret.
        raise UnreadableError("it is no YAML") from None


def _require_bounded(root: Any) -> None:
    """Refuse a document that stands for too many values, refers to itself, or has a key twice.

    Each value is visited once, also if it has many aliases.
    """
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: Any) -> int:
        key = id(node)
        if key in open_nodes:
            raise UnreadableError("it refers to itself")
        if key not in sizes:
            open_nodes.add(key)
            sizes[key] = 1 + sum(map(size, _children(node)))
            open_nodes.remove(key)
            if sizes[key] > _MOST_NODES:
                raise UnreadableError("its aliases stand for too many values")
        return sizes[key]

    size(root)


def _children(node: Any) -> list[Any]:
    """Return the values of a list, or the keys and values of a mapping."""
    if not isinstance(node.value, list):
        return []
    pairs = [pair for pair in node.value if isinstance(pair, tuple)]
    if not pairs:
        return list(node.value)
    names = [key.value for key, _ in pairs if isinstance(key.value, str)]
    if "<<" in names:
        raise UnreadableError("it merges mappings with <<, which is not supported")
    if len(set(names)) < len(names):
        raise UnreadableError("it has a key twice")
    return [part for pair in pairs for part in pair]


def _mode(path: str) -> int | None:
    """Return the mode of a path, or None if there is nothing."""
    try:
        return Path(path).stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnreadableError(_reason(error)) from None
    except ValueError:
        raise UnreadableError("it has a null character in its name") from None


def _reason(error: OSError) -> str:
    return (error.strerror or "the system does not say why").lower()


@dataclass(frozen=True)
class VendorFiles:
    """The files of the vendor's tools; each is read once.

    Attributes:
        environ: the environment variables, which name the files and the home folder.
    """

    environ: Mapping[str, str] = field(repr=False)

    def display(self, path: str) -> str:
        """Return a path for a message, with ``~`` for the home folder."""
        home = self._home
        short = f"~/{Path(path).relative_to(home).as_posix()}" if home and Path(path).is_relative_to(home) else path
        return sanitize(short, limit=120)

    @cached_property
    def hcloud(self) -> str:
        """Return the name of the file of KooCLI in messages."""
        return self.display(self._path("HW_SHARED_CONFIG_FILE", _HCLOUD)) or f"~/{_HCLOUD}"

    @cached_property
    def credentials(self) -> str:
        """Return the name of the credentials file of the vendor's SDK in messages."""
        return self.display(self._path("HUAWEICLOUD_SDK_CREDENTIALS_FILE", _CREDENTIALS)) or f"~/{_CREDENTIALS}"

    @cached_property
    def profile_name(self) -> str:
        """Return the profile that the environment names, or empty.

        If ``HW_SHARED_CONFIG_FILE`` is set without ``HW_PROFILE``, it is the current profile of that file, as for the
        vendor's Terraform provider.

        Raises:
            ConfigurationError: such a file cannot be read, or has no current profile.
        """
        name = self.environ.get("HW_PROFILE", "").strip()
        if name or self.environ.get("HW_SHARED_CONFIG_FILE", "").strip().lower() in _NO_FILE:
            return name
        current = self._hcloud_content.get("current")
        if not current or not isinstance(current, str):
            raise ConfigurationError(
                f"no profile is named, and {self.hcloud} has no current one",
                setting="profile",
                facts=[("source", "HW_SHARED_CONFIG_FILE (environment)"), ("fix", "set HW_PROFILE, or unset it")],
            )
        return current

    def profile(self, name: str) -> dict[str, str]:
        """Return the strings of a profile of KooCLI; after a sign-in, with its temporary key.

        Raises:
            ConfigurationError: there is no such file or profile, or the file cannot be read.
        """
        profiles = self._hcloud_content.get("profiles")
        if not isinstance(profiles, list):
            raise _unreadable(self.hcloud, "it has no list of profiles")
        named = [profile for profile in profiles if isinstance(profile, dict) and isinstance(profile.get("name"), str)]
        by_name = {profile["name"]: profile for profile in reversed(named)}  # of equal names the first counts
        if name not in by_name:
            raise ConfigurationError(
                f"there is no profile {sanitize(name, limit=60)} in {self.hcloud}",
                setting="profile",
                facts=[
                    ("found", sanitize(", ".join(sorted(by_name))) or "no profile"),
                    ("fix", f"correct {setting('profile')}, or create it: hcloud configure set"),
                ],
            )
        profile = by_name[name]
        values = {**{key: value for key, value in profile.items() if key not in _KEY}, **_key_of(profile)}
        return {key: value for key, value in values.items() if isinstance(value, str)}

    def missing_key(self, name: str, profile: Mapping[str, object]) -> ConfigurationError | None:
        """Return the error if a profile has a mode and no key; a key of a later source can be another account."""
        mode = str(profile.get("mode", ""))
        if not mode or any(profile.get(part) for part in _KEY):
            return None
        other = f"use one of mode AKSK or SSO, with {setting('agency_name')} if it assumes an agency"
        return ConfigurationError(
            f"profile {sanitize(name, limit=60)} in {self.hcloud} has no usable key, its mode is "
            f"{sanitize(mode, limit=20)}",
            setting="profile",
            facts=[("fix", f"{_ADVICE.get(mode.upper(), other)}; or remove {setting('profile')}")],
        )

    def section(self, name: str) -> dict[str, str]:
        """Return the strings of a section of the credentials file, ``basic`` or ``global``; empty if it has none.

        Raises:
            ConfigurationError: the file cannot be read.
        """
        parser = self._credentials_content
        return dict(parser[name]) if parser.has_section(name) else {}

    def endpoint_of(self, region: str) -> tuple[str, str]:
        """Return the endpoint of a region in the SDK's file of regions, and its origin; or two empty strings.

        Raises:
            ConfigurationError: the file cannot be read.
        """
        path = self._path("HUAWEICLOUD_SDK_REGIONS_FILE", _REGIONS)
        place = self.display(path)
        if not _exists(path, place):
            return "", ""
        try:
            content = read_yaml(path)
        except UnreadableError as error:
            raise _unreadable(place, str(error)) from None
        services = content.items() if isinstance(content, dict) else ()
        lists = [entries for service, entries in services if str(service).upper() == "IOTDA"]
        for entry in (entry for entries in lists if isinstance(entries, list) for entry in entries):
            if isinstance(entry, dict) and entry.get("id") == region:
                several = entry.get("endpoints")
                first = several[0] if isinstance(several, list) and several else entry.get("endpoint")
                if first and isinstance(first, str):
                    return first, f"{region} of IoTDA ({place})"
        return "", ""

    @property
    def _home(self) -> str:
        return self.environ.get("HOME") or self.environ.get("USERPROFILE") or ""

    def _path(self, variable: str, at_home: str) -> str:
        named = self.environ.get(variable, "").strip()
        return named or (str(Path(self._home, at_home)) if self._home else "")

    @cached_property
    def _hcloud_content(self) -> dict[str, Any]:
        path = self._path("HW_SHARED_CONFIG_FILE", _HCLOUD)
        if not _exists(path, self.hcloud):
            raise ConfigurationError(
                f"{setting('profile')} is set, and there is no {self.hcloud}",
                setting="profile",
                facts=[("fix", f"create it (hcloud configure set), or remove {setting('profile')}")],
            )
        try:
            content = json.loads(_text(path, self.hcloud))
        except (ValueError, RecursionError):
            raise _unreadable(self.hcloud, "it is no JSON") from None
        return content if isinstance(content, dict) else {}

    @cached_property
    def _credentials_content(self) -> configparser.ConfigParser:
        path = self._path("HUAWEICLOUD_SDK_CREDENTIALS_FILE", _CREDENTIALS)
        # A per cent sign in a secret stands for itself.
        parser = configparser.ConfigParser(interpolation=None)
        if _exists(path, self.credentials):
            try:
                parser.read_string(_text(path, self.credentials))
            except configparser.Error:
                # Not "from error": its text repeats the line.
                raise _unreadable(self.credentials, "it is no INI file") from None
        return parser


def _key_of(profile: Mapping[str, Any]) -> dict[str, Any]:
    """Return the key that belongs to the mode of a profile; a key of another mode can be out of date."""
    mode = str(profile.get("mode", "")).upper()
    holder: object = profile if mode in ("", "AKSK") else {}
    if mode == "SSO":
        signed_in = profile.get("ssoAuth")
        holder = signed_in.get("stsToken") if isinstance(signed_in, dict) else {}
    return {part: holder.get(part) for part in _KEY} if isinstance(holder, dict) else {}


def _exists(path: str, place: str) -> bool:
    try:
        return bool(path) and is_there(path)
    except UnreadableError as error:
        raise _unreadable(place, str(error)) from None


def _text(path: str, place: str) -> str:
    try:
        return read_text(path)
    except UnreadableError as error:
        raise _unreadable(place, str(error)) from None


def _unreadable(place: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{place} cannot be read: {reason}", facts=[("fix", "correct it, or set the credential in another source")]
    )
