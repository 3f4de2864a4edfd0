"""The configuration of a stack outside of a program: from its files, or with `--decrypt` from `pulumi config`.

Outside of a program there is no engine that decrypts a value. So an encrypted value in a file is named and not read.
Source: Pulumi's pages "Pulumi project file" and "Stack settings file".
"""

from __future__ import annotations

import difflib
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.auth.files import UnreadableError, read_yaml
from pulumi_iotda_ota.iotda.errors import ConfigurationError
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lock.files import project_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAMESPACE = "iotda-ota:"
_LONGEST_ERROR = 300  # characters of an error of pulumi
_TIMEOUT = 120  # seconds


@dataclass(frozen=True)
class StackConfig:
    """The settings of a stack.

    Attributes:
        place: the name of the file.
        values: by camelCase name, without the namespace.
        encrypted: the names of encrypted values.
        uses_environment: whether the stack uses a Pulumi ESC environment, whose values are not in the file.
    """

    place: str
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    encrypted: tuple[str, ...] = ()
    uses_environment: bool = False


@dataclass(frozen=True)
class Project:
    """A Pulumi project.

    Attributes:
        file: its Pulumi.yaml.
        content: the content of the file.
    """

    file: Path
    content: Mapping[str, Any] = field(repr=False)

    @property
    def folder(self) -> Path:
        """Return the folder of the stack files."""
        return self.file.parent / str(self.content.get("stackConfigDir") or "")

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield the name and the file of each stack that has a file."""
        for path in sorted(self.folder.glob(f"Pulumi.*{self.file.suffix}")):
            name = path.name.removeprefix("Pulumi.").removesuffix(self.file.suffix)
            if name:
                yield name, path

    def stack_file(self, name: str) -> Path:
        """Return the file of a stack, or raise ConfigurationError.

        Args:
            name: the stack, also as ``organization/project/stack``.
        """
        short = name.rpartition("/")[2]
        files = dict(self.files())
        if short in files:
            return files[short]
        nearest = difflib.get_close_matches(short, files, n=1)
        suggestion = f"; did you mean {sanitize(nearest[0])}?" if nearest else ""
        file = sanitize(f"Pulumi.{short}{self.file.suffix}", limit=120)
        facts = [
            ("stacks", sanitize(", ".join(files)) or "none has a file here"),
            ("file", _display_path(self.folder)),
        ]
        raise ConfigurationError(f"there is no {file}{suggestion}", facts=facts)

    def read(self, path: Path) -> StackConfig:
        """Return the settings in the file of a stack, and those of the project that it does not have."""
        content = _mapping(path)
        return _config_of(path, {**self._defaults, **_ours(content.get("config"))}, content.get("environment"))

    def alone(self, path: Path) -> StackConfig:
        """Return the settings in the file of a stack."""
        content = _mapping(path)
        return _config_of(path, _ours(content.get("config")), content.get("environment"))

    def shared(self) -> StackConfig:
        """Return the settings of the project, which all of its stacks have."""
        return _config_of(self.file, self._defaults, None)

    @property
    def _defaults(self) -> dict[str, Any]:
        return {key: _default(value) for key, value in _ours(self.content.get("config")).items()}


def this_folder() -> Path:
    """Return the current folder, or raise ConfigurationError if it was removed."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        facts = [("fix", "change into a folder that exists")]
        raise ConfigurationError("the current folder does not exist", facts=facts) from None


def find_project(start: Path) -> Project | None:
    """Return the Pulumi project around a folder, or None if there is none."""
    file = project_file(start)
    return Project(file, _mapping(file)) if file else None


def require_readable(config: StackConfig) -> None:
    """Refuse a configuration that cannot be read as a whole, because a wrong setting could be used instead.

    Raises:
        ConfigurationError: a value is encrypted, or the stack uses a Pulumi ESC environment.
    """
    if config.uses_environment:
        raise ConfigurationError(
            f"{config.place} uses a Pulumi ESC environment, and its values are not read",
            facts=[("fix", "add --decrypt, so that pulumi reads it, or remove --stack")],
        )
    if config.encrypted:
        names = ", ".join(_NAMESPACE + sanitize(name, limit=60) for name in config.encrypted)
        verb = "is" if len(config.encrypted) == 1 else "are"
        raise ConfigurationError(
            f"{names} of {config.place} {verb} encrypted, and not read",
            facts=[("fix", "add --decrypt, so that pulumi decrypts it, or remove --stack")],
        )


def decrypted(project: Project, name: str, environ: Mapping[str, str]) -> Mapping[str, object]:
    """Return the settings of a stack from `pulumi config`, or raise ConfigurationError.

    Args:
        project: the project.
        name: the stack.
        environ: the environment, with the passphrase or the login for the secrets.
    """
    command = ["pulumi", "config", "--json", "--show-secrets", "--non-interactive", "--stack", name]
    try:
        done = subprocess.run(  # noqa: S603  a name that begins with a dash would be refused as an option's value
            command, cwd=project.file.parent, env=dict(environ), capture_output=True, stdin=subprocess.DEVNULL,
            encoding="utf-8", errors="replace", timeout=_TIMEOUT, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise _not_decrypted(name, "there is no pulumi on PATH") from None
    except OSError as error:
        raise _not_decrypted(name, f"pulumi cannot be run: {str(error.strerror).lower()}") from None
    except subprocess.TimeoutExpired:
        raise _not_decrypted(name, f"pulumi did not end within {_TIMEOUT} seconds") from None
    if done.returncode:
        raise _not_decrypted(name, sanitize(" ".join(done.stderr.split()), limit=_LONGEST_ERROR))
    try:
        return {
            key.removeprefix(_NAMESPACE): value.get("objectValue", value.get("value"))
            for key, value in json.loads(done.stdout).items()
            if key.startswith(_NAMESPACE)
        }
    except (ValueError, AttributeError):
        # Not "from error": it has the output, which can have a secret.
        raise _not_decrypted(name, "the output of pulumi is not a configuration in JSON") from None


def _not_decrypted(name: str, cause: str) -> ConfigurationError:
    facts = [("cause", cause), ("fix", f"run the command: pulumi config --show-secrets --stack {sanitize(name)}")]
    return ConfigurationError(f"the configuration of stack {sanitize(name)} was not decrypted", facts=facts)


def _mapping(path: Path) -> Mapping[str, Any]:
    """Return the content of a file, each scalar as a string: for Pulumi 0123 is a string, for YAML it is 83."""
    try:
        content = read_yaml(str(path))
    except UnreadableError as error:
        raise ConfigurationError(
            f"{_display_path(path)} cannot be read: {error}",
            facts=[("fix", "correct the file, or add --decrypt, so that pulumi reads it")],
        ) from None
    return content if isinstance(content, dict) else {}


def _ours(config: object) -> dict[str, Any]:
    """Return the settings of this library, without their namespace."""
    if not isinstance(config, dict):
        return {}
    ours = [(str(key), value) for key, value in config.items() if str(key).startswith(_NAMESPACE)]
    return {key.removeprefix(_NAMESPACE): value for key, value in ours}


def _default(value: Any) -> Any:
    """Return the value of a setting of a project, which is the setting or a part of it."""
    if isinstance(value, dict) and "secure" not in value:
        return value.get("value", value.get("default"))
    return value


def _config_of(path: Path, found: Mapping[str, Any], imported: object) -> StackConfig:
    encrypted = tuple(name for name, value in found.items() if _is_encrypted(value))
    return StackConfig(
        place=sanitize(path.name),
        values={name: value for name, value in found.items() if name not in encrypted and value is not None},
        encrypted=encrypted,
        uses_environment=imported not in (None, "", "null", "~", [], {}),
    )


def _is_encrypted(value: Any) -> bool:
    """Return whether a value, or a part of it, is encrypted."""
    if isinstance(value, dict):
        return "secure" in value or any(map(_is_encrypted, value.values()))
    return isinstance(value, list) and any(map(_is_encrypted, value))


def _display_path(path: Path) -> str:
    return sanitize(path, limit=200)
