"""The Pulumi project of a program that runs without the engine: its name, and the configuration that it declares."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml  # a dependency of pulumi

from pulumi_iotda_ota.iotda.auth.connection_model import CONFIG_NAMES
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.sanitize import quoted, sanitize
from pulumi_iotda_ota.lock.files import project_file
from pulumi_iotda_ota.pulumi_compat import CONFIG_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

# How alike a key must be to a declared one to be taken for a misspelling; 1 is equal.
_ALMOST = 0.8


@dataclass(frozen=True)
class Project:
    """A project.

    Attributes:
        name: its name, or empty if there is no Pulumi.yaml.
        declared: the value of each configuration key that Pulumi.yaml declares, with its namespace; None without one.
    """

    name: str = ""
    declared: Mapping[str, str | None] = field(default_factory=dict)

    @classmethod
    def around(cls, folder: Path) -> Project:
        """Return the project that a folder is in."""
        file = project_file(folder)
        # Texts, as the engine passes them on.
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader) if file else None  # noqa: S506
        if not isinstance(content, dict):
            return cls()
        name, config = str(content.get("name", "")), content.get("config")
        declared = config.items() if isinstance(config, dict) else ()
        return cls(name, {_whole(str(key), name): _value(value) for key, value in declared})

    def short_names(self, namespace: str) -> list[str]:
        """Return the declared keys of a namespace, without it."""
        return [key.partition(":")[2] for key in self.declared if key.startswith(f"{namespace}:")]


def complete(config: Mapping[str, str], project: Project, name: str) -> dict[str, str]:
    """Return the configuration of a stack, as the engine completes it.

    Args:
        config: what a test gives; a key without a namespace belongs to the project.
        project: the project.
        name: the name that the project has in this run.

    Raises:
        InputError: a key is almost one that Pulumi.yaml declares, or is no setting of this library.
    """
    given = {_whole(key, name): value for key, value in config.items()}
    for key in given:
        namespace, _, short = key.partition(":")
        if namespace == CONFIG_NAMESPACE and short not in CONFIG_NAMES:
            raise _unknown(key, "a setting of the connection", CONFIG_NAMES, namespace)
        # An optional key cannot be declared: the engine wants a value for each. So another word is no slip.
        if key not in project.declared and _near(short, project.short_names(namespace)):
            raise _unknown(key, "declared in Pulumi.yaml", project.short_names(namespace), namespace)
    return {**{key: value for key, value in project.declared.items() if value is not None}, **given}


def _whole(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _value(declared: Any) -> str | None:
    """Return the value that a declaration in Pulumi.yaml gives a key, or None."""
    value = declared.get("value", declared.get("default")) if isinstance(declared, dict) else declared
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _near(key: str, known: Iterable[str]) -> str:
    """Return the name that a key almost is, or empty."""
    return next(iter(difflib.get_close_matches(key, list(known), n=1, cutoff=_ALMOST)), "")


def _unknown(key: str, what: str, known: Iterable[str], namespace: str) -> InputError:
    names = [f"{namespace}:{name}" for name in sorted(known)]
    near = _near(key.partition(":")[2], known)
    advice = f"did you mean {namespace}:{near}?" if near else "use one of these"
    facts = [("known", sanitize(", ".join(names))), ("fix", sanitize(advice))]
    return InputError(f"config: {quoted(key)} is not {what}", argument="config", facts=facts)
