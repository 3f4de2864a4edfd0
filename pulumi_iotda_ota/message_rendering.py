"""The spelling of references in each interface, and the steps of a fix that differ between the interfaces.

A message keeps its references (``iotda/references.py``) until an interface renders them.
"""

from __future__ import annotations

import shlex
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.iotda.auth.settings import BY_NAME, SETTINGS
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.iotda.references import PYTHON, Spelling, argument, by_interface, fixed, loosened, render
from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pulumi_iotda_ota.iotda.auth.settings import Setting
    from pulumi_iotda_ota.selection.policy import Policy

__all__ = ["COMMAND_LINE", "PLUGIN", "PYTHON", "render"]


def command(*words: str) -> str:
    """Return a command of ``iotda-ota`` for a shell."""
    return f"iotda-ota {shlex.join(sanitize(word) for word in words)}"


def options(values: Mapping[str, Any]) -> str:
    """Return arguments as options for a shell. Long values are not cut, unlike in a message."""
    return loosened(" ".join(COMMAND_LINE.pair(option(name), _whole(value)) for name, value in values.items()))


def find_hops(package_id: str, policy: Policy) -> str:
    """Return the command that finds the hops to a package.

    Args:
        package_id: the package.
        policy: the rules of the lookup, with the versions that devices run.
    """
    values: dict[str, Any] = {"package_id": package_id, "source_versions": list(policy.source_versions)}
    if policy.version_scheme != "loose":
        values["version_scheme"] = policy.version_scheme
    if policy.include_prereleases is not None:
        values["include_prereleases"] = policy.include_prereleases
    if policy.allow_downgrade:
        values["allow_downgrade"] = True
    return f"{command('package', 'path')} {options(values)}"


def wait_again(task_id: str) -> str:
    """Return the step that continues to wait for the end of a task."""
    again = f"wait again: {command('task', 'watch', task_id)}"
    return by_interface("run pulumi up again: it continues to wait", command_line=again)


def _confirm_command(task_id: str, package_ids: Iterable[str]) -> str:
    approved = [word for package_id in package_ids for word in ("--approved-package-id", package_id)]
    return command("task", "confirm", task_id, *(approved or ("--approved-package-id", "PACKAGE_ID")))


def confirm(task_id: str, package_ids: Iterable[str]) -> str:
    """Return the step that confirms a task. It approves the packages; they are empty if they are not known."""
    confirmed = "confirm it in the console or with an UpgradeTaskConfirmation, then run pulumi up again"
    command_line = f"confirm it: {_confirm_command(task_id, package_ids)}, then {wait_again(task_id)}"
    return by_interface(confirmed, command_line=command_line)


def confirm_again(task_id: str, package_ids: Iterable[str]) -> str:
    """Return the step that confirms the devices that still wait; see :func:`confirm`."""
    again = f"confirm again: {_confirm_command(task_id, package_ids)}"
    return by_interface("run pulumi up again: it confirms the devices that still wait", command_line=again)


def retry_failed(task_id: str, *, is_set: bool) -> str:
    """Return the step that retries the failed devices; ``is_set`` if the completion retries them already."""
    set_it = "run pulumi up again" if is_set else f"set {argument('retry_failed', True)}"
    return by_interface(set_it, command_line=command("task", "retry", task_id))


def leave_running() -> str:
    """Return the step for a task that cannot be stopped."""
    retain = f"wait for its end, or set {argument('on_destroy', 'retain')} to leave it running"
    return by_interface(retain, command_line="wait for its end")


def list_running() -> str:
    """Return the command that lists the running tasks."""
    return command("task", "list", "--status", "Processing")


def delete_task(task_id: str, *, is_running: bool = False) -> str:
    """Return the step that deletes a task. A running task must be stopped first."""
    stop = f"stop it first ({command('task', 'stop', task_id)}), then " if is_running else ""
    return f"{stop}delete it in the console, or with KooCLI: hcloud IoTDA DeleteBatchTask --task_id={sanitize(task_id)}"


def without_confirmation(task_id: str) -> str:
    """Return the step for a task that needs no confirmation."""
    with_it = f"remove this confirmation, or create the task with {argument('need_confirm', True)}"
    return by_interface(with_it, command_line=f"wait for its end: {command('task', 'watch', task_id)}")


NEW_TASK = by_interface(
    f"change {argument('triggers')} of the task to start a new one", command_line="start a new upgrade task"
)


class _Plugin(Spelling):
    """The plugin's spelling: names of the schema, values as in YAML and JSON."""

    variant: ClassVar[int] = 1
    _words: ClassVar[dict[object, str]] = {True: "true", False: "false", None: "nothing"}

    def argument(self, name: str) -> str:
        return ".".join(camel(part) for part in name.split("."))

    def field(self, name: str) -> str:
        return self.argument(name)

    def literal(self, value: Any) -> str:
        return self._words[value] if value is None or isinstance(value, bool) else super().literal(value)

    def pair(self, name: str, value: Any) -> str:
        return f"no {name}" if value is None else fixed(f"{name}: {self.literal(value)}")


class _CommandLine(_Plugin):
    """The command line's spelling: options, with values for a shell."""

    variant: ClassVar[int] = 2
    separator: ClassVar[str] = " "

    def argument(self, name: str) -> str:
        return option(name) if name in _options() else name

    def setting(self, name: str) -> str:
        variable = BY_NAME[name].hw if name in BY_NAME else ""
        return option(name) if name in _options() else variable or f"iotda-ota:{camel(name)}"

    def field(self, name: str) -> str:
        return name

    def pair(self, name: str, value: Any) -> str:
        if value is None:
            return f"no {name}"
        if isinstance(value, bool):
            return name if value else f"--no-{name.removeprefix('--')}"
        if not name.startswith("--"):
            return super().pair(name, value)
        items = value if isinstance(value, list) else [value]
        return self.separator.join("…" if item == "…" else _given(name, item) for item in items)


PLUGIN = _Plugin()
COMMAND_LINE = _CommandLine()


def option(name: str) -> str:
    """Return the long option of an argument or a setting. A repeatable option has a singular name."""
    return f"--{(name.removesuffix('s') if name in _lists() else name).replace('_', '-')}"


@cache
def _tables() -> tuple[schema.Argument, ...]:
    tables = (
        schema.GET_OTA_PACKAGE,
        schema.GET_OTA_PACKAGES,
        schema.GET_UPGRADE_PATH,
        schema.GET_DEVICE_VERSIONS,
        schema.UPGRADE_TASK_COMPLETION,
        schema.UPGRADE_TASK_CONFIRMATION,
    )
    return tuple(argument_ for table in tables for argument_ in table)


@cache
def _lists() -> frozenset[str]:
    items: tuple[schema.Argument | Setting, ...] = (*_tables(), *schema.UPGRADE_TASK, *SETTINGS)
    return frozenset(item.name for item in items if item.type == "list of strings")


@cache
def _options() -> frozenset[str]:
    """Return the names that are options."""
    names = {argument_.name for argument_ in _tables()} - {"task_id", "triggers"}
    return frozenset(names | {"target", "targets"} | {setting.name for setting in SETTINGS if not setting.secret})


def _given(name: str, value: object) -> str:
    text = shlex.quote(str(value))
    # Without the equals sign, a value that begins with a hyphen is read as an option.
    return fixed(f"{name}={text}" if str(value).startswith("-") else f"{name} {text}")


def _whole(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_whole(item) for item in value]
    return value if isinstance(value, bool) else sanitize(value, limit=1_024)
