"""Reads the files in which the vendor's tools keep credentials, as plain texts by the names they have there.

Nothing here judges what is in them, or repeats it in an error.
"""

from __future__ import annotations

import configparser
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.auth.files import UnreadableError, is_there, read_text, read_yaml
from pulumi_iotda_ota.iotda.errors import ConfigurationError
from pulumi_iotda_ota.iotda.references import setting
from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Mapping

_HCLOUD = ".hcloud/config.json"
_SDK = ".huaweicloud/credentials"
_REGIONS = ".huaweicloud/regions.yaml"
_SERVICE = "IOTDA"
# How a variable says that there is no file, on each system.
_NO_FILE = ("", "/dev/null", "nul")
_KEY = ("accessKeyId", "secretAccessKey", "securityToken")
# By the mode of a profile. Source: the page "Specifying Authentication Mode" of KooCLI.
_ADVICE = {
    "AKSK": "set its key: hcloud configure set",
    "SSO": "sign in: hcloud configure sso",
    "ECSAGENCY": f"set {setting('credentials', 'ecs')} instead, on that ECS",
}


def hcloud_file(environ: Mapping[str, str]) -> str:
    """Return the path of the file of KooCLI; the variable is that of the vendor's Terraform provider."""
    return environ.get("HW_SHARED_CONFIG_FILE", "").strip() or _at_home(_HCLOUD, environ)


def sdk_file(environ: Mapping[str, str]) -> str:
    """Return the path of the credentials file of the vendor's SDK."""
    return environ.get("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "").strip() or _at_home(_SDK, environ)


def named_profile(environ: Mapping[str, str]) -> str:
    """Return the profile that the environment names, or empty.

    ``HW_PROFILE`` has its name. A file that ``HW_SHARED_CONFIG_FILE`` names is meant to be used: without a name, its
    current profile counts, as for the vendor's Terraform provider.

    Raises:
        ConfigurationError: such a file cannot be read, or has no current profile.
    """
    name = environ.get("HW_PROFILE", "").strip()
    if name or environ.get("HW_SHARED_CONFIG_FILE", "").strip().lower() in _NO_FILE:
        return name
    path = hcloud_file(environ)
    place = shown_path(path, environ)
    current = _content(path, place).get("current")
    if not current or not isinstance(current, str):
        raise ConfigurationError(
            f"no profile is named, and {place} has no current one",
            setting="profile",
            facts=[("source", "HW_SHARED_CONFIG_FILE (environment)"), ("fix", "set HW_PROFILE, or unset it")],
        )
    return current


def endpoint_of_region(region: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the endpoint of a region in the SDK's file of regions, and how its origin is shown; or two empty texts.

    Args:
        region: the region.
        environ: the environment variables.

    Raises:
        ConfigurationError: the file is named or there, and cannot be read.
    """
    path = environ.get("HUAWEICLOUD_SDK_REGIONS_FILE", "").strip() or _at_home(_REGIONS, environ)
    place = shown_path(path, environ)
    if not path or not _is_there(path, place):
        return "", ""
    try:
        content = read_yaml(path)
    except UnreadableError as error:
        raise _unreadable(place, str(error)) from None
    services = content if isinstance(content, dict) else {}
    for name, held in services.items():
        if str(name).upper() != _SERVICE or not isinstance(held, list):
            continue
        for entry in held:
            if isinstance(entry, dict) and entry.get("id") == region:
                several = entry.get("endpoints")
                first = several[0] if isinstance(several, list) and several else entry.get("endpoint")
                if first and isinstance(first, str):
                    return first, f"{region} of IoTDA ({place})"
    return "", ""


def shown_path(path: str, environ: Mapping[str, str]) -> str:
    """Return a path as a message shows it: below the home folder with ``~``."""
    home = _home(environ)
    short = f"~/{Path(path).relative_to(home).as_posix()}" if home and Path(path).is_relative_to(home) else path
    return sanitize(short, limit=120)


def read_profile(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of a profile of KooCLI; of one that was signed in to, its temporary key.

    Args:
        name: the profile.
        environ: the environment variables.

    Raises:
        ConfigurationError: there is no such file or profile, or the file cannot be read.
    """
    path = hcloud_file(environ)
    place = shown_path(path, environ)
    profiles = _profiles(path, place)
    profile = next((profile for profile in profiles if profile.get("name") == name), None)
    if profile is None:
        known = sanitize(", ".join(sorted(str(profile.get("name")) for profile in profiles)))
        raise ConfigurationError(
            f"there is no profile {sanitize(name, limit=60)} in {place}",
            setting="profile",
            facts=[
                ("found", known or "no profile"),
                ("fix", f"correct {setting('profile')}, or create it: hcloud configure set"),
            ],
        )
    settings = {key: value for key, value in profile.items() if key not in _KEY}
    return {key: value for key, value in {**settings, **_key_of(profile)}.items() if isinstance(value, str)}


def missing_key(name: str, profile: Mapping[str, object], environ: Mapping[str, str]) -> ConfigurationError | None:
    """Return the error where a profile has a mode and no key: another key than its own would be another account.

    Args:
        name: the profile.
        profile: its texts.
        environ: the environment variables.
    """
    mode = str(profile.get("mode", ""))
    if not mode or any(profile.get(part) for part in _KEY):
        return None
    shown = f"profile {sanitize(name, limit=60)} in {shown_path(hcloud_file(environ), environ)}"
    advice = _ADVICE.get(
        mode.upper(), f"use one of mode AKSK or SSO, with {setting('agency_name')} if it assumes an agency"
    )
    return ConfigurationError(
        f"{shown} has no usable key, its mode is {sanitize(mode, limit=20)}",
        setting="profile",
        facts=[("fix", f"{advice}; or remove {setting('profile')}")],
    )


def read_section(section: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of a section of the SDK's credentials file; none where there is no such file or section.

    Args:
        section: ``basic`` or ``global``.
        environ: the environment variables.

    Raises:
        ConfigurationError: the file is there and cannot be read.
    """
    path = sdk_file(environ)
    place = shown_path(path, environ)
    if not path or not _is_there(path, place):
        return {}
    # A per cent sign in a secret stands for itself.
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(_text(path, place))
    except configparser.Error:
        # Not "from error": its text repeats the line.
        raise _unreadable(place, "it is no INI file") from None
    return dict(parser[section]) if parser.has_section(section) else {}


def _key_of(profile: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of the key that a profile stands for by its mode; what another mode left there is none."""
    mode = str(profile.get("mode", "")).upper()
    held: object = profile if mode in ("", "AKSK") else {}
    if mode == "SSO":
        signed_in = profile.get("ssoAuth")
        held = signed_in.get("stsToken") if isinstance(signed_in, dict) else {}
    return {part: held.get(part) for part in _KEY} if isinstance(held, dict) else {}


def _profiles(path: str, place: str) -> list[dict[str, Any]]:
    profiles = _content(path, place).get("profiles")
    if not isinstance(profiles, list):
        raise _unreadable(place, "it has no list of profiles")
    return [profile for profile in profiles if isinstance(profile, dict)]


def _content(path: str, place: str) -> dict[str, Any]:
    if not path or not _is_there(path, place):
        raise ConfigurationError(
            f"{setting('profile')} is set, and there is no {place or _HCLOUD}",
            setting="profile",
            facts=[("fix", f"create it (hcloud configure set), or remove {setting('profile')}")],
        )
    try:
        content = json.loads(_text(path, place))
    except (ValueError, RecursionError):
        raise _unreadable(place, "it is no JSON") from None
    return content if isinstance(content, dict) else {}


def _is_there(path: str, place: str) -> bool:
    try:
        return is_there(path)
    except UnreadableError as error:
        raise _unreadable(place, str(error)) from None


def _text(path: str, place: str) -> str:
    try:
        return read_text(path)
    except UnreadableError as error:
        raise _unreadable(place, str(error)) from None


def _unreadable(place: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{place} cannot be read: {why}", facts=[("fix", "correct it, or set the credential in another source")]
    )


def _home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or environ.get("USERPROFILE") or ""


def _at_home(name: str, environ: Mapping[str, str]) -> str:
    home = _home(environ)
    return str(Path(home, name)) if home else ""
