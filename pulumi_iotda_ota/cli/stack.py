"""Reads the configuration of a stack outside of a program: the files beside it, or, where asked for, Pulumi itself.

Outside of a program there is no engine to decrypt anything. What stands in the files is read as it stands there; an
encrypted value is named and not read. Source: Pulumi's pages "Pulumi project file" and "Stack settings file".
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
_MOST_SHOWN = 300  # characters of what pulumi says
_PULUMI_WITHIN = 120  # seconds


@dataclass(frozen=True)
class StackConfig:
    """The settings of a stack.

    Attributes:
        place: the file.
        values: by camelCase name, without the namespace.
        encrypted: the names of those that are encrypted.
        uses_environment: whether it uses a Pulumi ESC environment, whose values are not in the file.
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
        content: what that says.
    """

    file: Path
    content: Mapping[str, Any] = field(repr=False)

    @property
    def folder(self) -> Path:
        """Return where its stacks keep their settings."""
        other = self.content.get("stackConfigDir")
        return self.file.parent / str(other) if other else self.file.parent

    def files(self) -> Iterator[tuple[str, Path]]:
        """Give the name and the file of each stack that has one."""
        for path in sorted(self.folder.glob(f"Pulumi.*{self.file.suffix}")):
            name = path.name.removeprefix("Pulumi.").removesuffix(self.file.suffix)
            if name:
                yield name, path

    def stack_file(self, name: str) -> Path:
        """Return the file of a stack.

        Args:
            name: the stack, also with its organization and project before it.

        Raises:
            ConfigurationError: it has no file.
        """
        short = name.rpartition("/")[2]
        files = dict(self.files())
        if short not in files:
            raise self._no_such_stack(short, list(files))
        return files[short]

    def read(self, path: Path) -> StackConfig:
        """Return the settings that a file of a stack holds, over those of the project.

        Raises:
            ConfigurationError: it cannot be read.
        """
        content = _mapping(path)
        return _config_of(path, {**self._defaults, **_ours(content.get("config"))}, content.get("environment"))

    def alone(self, path: Path) -> StackConfig:
        """Return the settings that a file of a stack holds itself."""
        content = _mapping(path)
        return _config_of(path, _ours(content.get("config")), content.get("environment"))

    def shared(self) -> StackConfig:
        """Return the settings that the project has for all of its stacks."""
        return _config_of(self.file, self._defaults, None)

    @property
    def _defaults(self) -> dict[str, Any]:
        return {key: _default(value) for key, value in _ours(self.content.get("config")).items()}

    def _no_such_stack(self, name: str, known: list[str]) -> ConfigurationError:
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"; did you mean {sanitize(near[0])}?" if near else ""
        file = sanitize(f"Pulumi.{name}{self.file.suffix}", limit=120)
        facts = [
            ("stacks", sanitize(", ".join(known)) or "none has a file here"),
            ("file", _display_path(self.folder)),
        ]
        return ConfigurationError(f"there is no {file}{meant}", facts=facts)


def this_folder() -> Path:
    """Return the folder that this runs in.

    Raises:
        ConfigurationError: it has been removed.
    """
    try:
        return Path.cwd()
    except FileNotFoundError:
        facts = [("fix", "change into a folder that exists")]
        raise ConfigurationError("the current folder does not exist any more", facts=facts) from None


def find_project(start: Path) -> Project | None:
    """Return the Pulumi project that a folder is in, or None where it is in none.

    Raises:
        ConfigurationError: its file cannot be read.
    """
    file = project_file(start)
    return Project(file, _mapping(file)) if file else None


def require_readable(config: StackConfig) -> None:
    """Refuse settings that are not all there: another place would decide instead of what is not read.

    Raises:
        ConfigurationError: some are encrypted, or in an environment of Pulumi ESC.
    """
    if config.uses_environment:
        raise ConfigurationError(
            f"{config.place} uses a Pulumi ESC environment, and its values are not read",
            facts=[("fix", "add --decrypt, so that pulumi opens it; or remove --stack")],
        )
    if config.encrypted:
        raise ConfigurationError(
            f"{', '.join(_NAMESPACE + sanitize(name, limit=60) for name in config.encrypted)} of {config.place} "
            f"{'is' if len(config.encrypted) == 1 else 'are'} encrypted, and not read",
            facts=[("fix", "add --decrypt, so that pulumi decrypts it; or remove --stack")],
        )


def decrypted(project: Project, name: str, environ: Mapping[str, str]) -> Mapping[str, object]:
    """Return the settings of a stack as Pulumi decrypts them.

    Args:
        project: the project.
        name: the stack.
        environ: the environment, with what decrypting needs.

    Raises:
        ConfigurationError: Pulumi is not there, or does not.
    """
    command = ["pulumi", "config", "--json", "--show-secrets", "--non-interactive", "--stack", name]
    try:
        done = subprocess.run(  # noqa: S603  a name that begins with a dash would be refused as an option's value
            command, cwd=project.file.parent, env=dict(environ), capture_output=True, stdin=subprocess.DEVNULL,
            encoding="utf-8", errors="replace", timeout=_PULUMI_WITHIN, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise _not_decrypted(name, "there is no pulumi on PATH") from None
    except OSError as error:
        raise _not_decrypted(name, f"pulumi does not run: {str(error.strerror).lower()}") from None
    except subprocess.TimeoutExpired:
        raise _not_decrypted(name, f"pulumi did not answer within {_PULUMI_WITHIN} seconds") from None
    if done.returncode:
        raise _not_decrypted(name, sanitize(" ".join(done.stderr.split()), limit=_MOST_SHOWN))
    try:
        held = json.loads(done.stdout).items()
        return {
            key.removeprefix(_NAMESPACE): value.get("objectValue", value.get("value"))
            for key, value in held
            if key.startswith(_NAMESPACE)
        }
    except (ValueError, AttributeError):
        # Not "from error": it has the text, and that may have a secret.
        raise _not_decrypted(name, "what pulumi answered is not its configuration as JSON") from None


def _not_decrypted(name: str, why: str) -> ConfigurationError:
    facts = [("cause", why), ("fix", "try it: pulumi config --show-secrets")]
    return ConfigurationError(f"the configuration of stack {sanitize(name)} was not decrypted", facts=facts)


def _mapping(path: Path) -> Mapping[str, Any]:
    """Return what a file says, every scalar as the text that stands there: Pulumi reads 0123 as one, not as 83."""
    try:
        content = read_yaml(str(path))
    except UnreadableError as error:
        raise ConfigurationError(
            f"{_display_path(path)} cannot be read: {error}",
            facts=[("fix", "correct it; or add --decrypt, so that pulumi reads it")],
        ) from None
    return content if isinstance(content, dict) else {}


def _ours(config: object) -> dict[str, Any]:
    """Return the settings of our namespace, without it."""
    held = config if isinstance(config, dict) else {}
    return {str(key).removeprefix(_NAMESPACE): value for key, value in held.items() if str(key).startswith(_NAMESPACE)}


def _default(value: Any) -> Any:
    """Return what a project gives all of its stacks: the value itself, or in an object that also describes it."""
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
    """Return whether a value is, or holds, one that is encrypted."""
    if isinstance(value, dict):
        return "secure" in value or any(map(_is_encrypted, value.values()))
    return isinstance(value, list) and any(map(_is_encrypted, value))


def _display_path(path: Path) -> str:
    return sanitize(path, limit=200)
