"""The checks of the environment: stacks of the project, variables, Pulumi and the libraries."""

from __future__ import annotations

import difflib
import platform
import shutil
import subprocess
from importlib import metadata
from typing import TYPE_CHECKING

from pulumi_iotda_ota.cli.doctor.report import OK, PROBLEM, WARNING, Finding, of_error
from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.iotda.auth.vendor import IGNORED, READ, REFUSED, VARIABLES
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.iotda.errors import ConfigurationError
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lock.files import VARIABLE
from pulumi_iotda_ota.lookup.session import NO_MEMO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pulumi_iotda_ota.cli.session import Session
    from pulumi_iotda_ota.cli.stack import Project, StackConfig

_PREFIX = "PULUMI_IOTDA_OTA_"
# The prefixes of the vendor's variables. Of OS_*, only those in the table are the vendor's.
_VENDOR = ("HW_", "HUAWEICLOUD_", "HUAWEI_")
_OF_REGION = "HUAWEICLOUD_SDK_REGION_"
# How alike a variable must be to one that is read to be a misspelling; 1 is equal.
_ALMOST = 0.88
_SWITCHES = {
    NO_MEMO: "equal lookups of a program are sent each time",
    VARIABLE: "the lock file of programs and commands",
}
_LIBRARIES = ("pulumi-iotda-ota", "pulumi", "pydantic", "requests", "semver", "click", "rich")
# Neither an access key nor the name of a user is a secret alone.
_NO_SECRETS_ALONE = ("access_key", "user_name")
_SECRETS = tuple(
    camel(setting.name) for setting in SETTINGS if setting.secret and setting.name not in _NO_SECRETS_ALONE
)
_REPLACED = "replace it with a new one, because the history of the repository keeps it"
_PULUMI_WITHIN = 30  # seconds


def secrets_of(project: Project, session: Session) -> Iterator[Finding]:
    """Return the secrets that are not encrypted in the configuration of a project and its stacks."""
    shared = project.shared()
    for key, meant in _plain(shared):
        advice = (
            f"remove it from {shared.place}, and encrypt it for each stack that needs it: "
            f"pulumi config set --secret iotda-ota:{meant}, or keep it in the environment; and {_REPLACED}"
        )
        yield _unencrypted(key, shared, advice)
    for name, path in project.files():
        yield from _secrets_of_stack(project, name, path, session)


def _secrets_of_stack(project: Project, name: str, path: Path, session: Session) -> Iterator[Finding]:
    try:
        config = project.alone(path)
    except ConfigurationError as error:  # the other files are checked all the same
        yield of_error("configuration", error, session)
        return
    plain = _plain(config)
    for key, meant in plain:
        other = f" (and remove iotda-ota:{sanitize(key)})" if key != meant else ""
        advice = (
            f"encrypt it: pulumi config set --secret iotda-ota:{meant} --stack {sanitize(name)}{other}, or keep it in "
            f"the environment; and {_REPLACED}"
        )
        yield _unencrypted(key, config, advice)
    if not plain and config.encrypted:
        listed = ", ".join(f"iotda-ota:{sanitize(key)}" for key in config.encrypted)
        yield Finding("configuration", OK, f"{config.place}: {listed} encrypted")
    yield from _imports(config)


def _unencrypted(key: str, config: StackConfig, advice: str) -> Finding:
    text = f"iotda-ota:{sanitize(key)} is in {config.place} without encryption"
    return Finding("configuration", WARNING, text, advice)


def _plain(config: StackConfig) -> list[tuple[str, str]]:
    """Return the key and the setting of each secret that is not encrypted.

    A program refuses a key in another spelling, but the secret is in the file all the same.
    """
    secrets = {name.lower(): name for name in _SECRETS}
    keys = [(key, secrets.get(key.replace("_", "").replace("-", "").lower())) for key in config.values]
    return [(key, meant) for key, meant in keys if meant and config.values[key]]


def _imports(config: StackConfig) -> Iterator[Finding]:
    if config.uses_environment:
        text = f"{config.place} uses a Pulumi ESC environment, which --stack reads only with --decrypt"
        yield Finding("configuration", OK, text)


def unread(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Return the variables of the vendor's tools that are set and not read."""
    table = {variable.name: variable for variable in VARIABLES}
    known = [name for name, variable in table.items() if variable.use == READ]
    for name in sorted(environ):
        variable = table.get(name)
        if variable is None and name.startswith(_VENDOR) and not name.startswith(_OF_REGION):
            near = difflib.get_close_matches(name, known, n=1, cutoff=_ALMOST)
            advice = f"did you mean {near[0]}?" if near else ""
            yield Finding("variable", WARNING if near else OK, f"{sanitize(name)} is not read", advice)
        elif variable is not None and variable.use == REFUSED:
            text = f"{name} is not read; it is an error if it would decide as whom to connect"
            yield Finding("variable", WARNING, text, variable.text)
        elif variable is not None and variable.use == IGNORED:
            yield Finding("variable", OK, f"{name} of {variable.tool} is not read ({variable.text})")


def switches(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Return the switches of this library that are set."""
    for name in sorted(environ):
        if not name.startswith(_PREFIX):
            continue
        if name in _SWITCHES:
            yield Finding("switch", OK, f"{name}={sanitize(environ[name])}: {_SWITCHES[name]}")
        else:
            near = difflib.get_close_matches(name, _SWITCHES, n=1)
            advice = f"did you mean {near[0]}?" if near else f"remove it; the switches are {', '.join(_SWITCHES)}"
            yield Finding("switch", WARNING, f"{sanitize(name)} is not a switch of this library", advice)


def versions(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Return the versions of Pulumi, Python and the libraries."""
    yield _pulumi(environ)
    found = [f"{name} {version}" for name in _LIBRARIES if (version := _version(name))]
    yield Finding("libraries", OK, f"Python {platform.python_version()}, {', '.join(found)}")


def _pulumi(environ: Mapping[str, str]) -> Finding:
    path = shutil.which("pulumi", path=environ.get("PATH"))
    if path is None:
        advice = (
            "install it where programs run: https://www.pulumi.com/docs/install/; the command line does not need it"
        )
        return Finding("pulumi", WARNING, "there is no pulumi on PATH", advice)
    try:
        done = subprocess.run(  # noqa: S603  a program on PATH, without input of a user
            [path, "version"], env=dict(environ), capture_output=True, stdin=subprocess.DEVNULL,
            encoding="utf-8", errors="replace", timeout=_PULUMI_WITHIN, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        text = f"{sanitize(path)} does not report its version ({type(error).__name__})"
        return Finding("pulumi", PROBLEM, text, "run it: pulumi version")
    return Finding("pulumi", OK, f"{sanitize(done.stdout.strip())} ({sanitize(path)})")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
