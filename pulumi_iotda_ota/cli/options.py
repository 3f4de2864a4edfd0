"""Options made from the tables: a new argument or a new setting is an option at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pulumi_iotda_ota.cli.click_classes import CONNECTION, Command, OneOf, Option, Positional
from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.iotda.errors import IotdaOtaError
from pulumi_iotda_ota.iotda.limits import Choice
from pulumi_iotda_ota.message_rendering import option as long_option
from pulumi_iotda_ota.schema.argument import DescriptionStyle, rendered, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pulumi_iotda_ota.cli.session import Session
    from pulumi_iotda_ota.iotda.auth.settings import Setting
    from pulumi_iotda_ota.schema import Argument

_PUBLIC = tuple(setting for setting in SETTINGS if not setting.secret)
_TYPES: Mapping[str, click.ParamType[Any]] = {"integer": click.INT, "number": click.FLOAT}
# The metavars that do not follow from the name. Any other metavar is the last word of the name.
_METAVARS = {
    "version_constraint": "RANGE",
    "created_after": "TIME",
    "created_before": "TIME",
    "lock": "NAME",
    "profile": "NAME",
    "timeout": "DURATION",
    "deadline": "SECONDS",
    "devices_deadline": "SECONDS",
    "endpoint": "URL",
    "iam_endpoint": "URL",
    "proxy": "URL",
    "target": "DEVICE",
}
_STYLE = DescriptionStyle(name=long_option)
# A longer list of values is part of the description, not of the name.
_LONGEST_METAVAR = 60


@dataclass(frozen=True)
class CommandInput:
    """The input of a command.

    Attributes:
        session: the environment and the outputs of the process.
        table: the arguments of the command.
        values: the values of the arguments; None for one that is not set.
        settings: the connection settings that are set by options.
        flags: the options that only the command line has.
        as_json: whether the output is JSON.
        stack: the stack whose configuration is read, or None.
        decrypt: whether its encrypted values are read too.
    """

    session: Session
    table: Sequence[Argument]
    values: dict[str, Any]
    settings: dict[str, Any] = field(default_factory=dict)
    flags: dict[str, Any] = field(default_factory=dict)
    as_json: bool = False
    stack: str | None = None
    decrypt: bool = False


def command(
    name: str,
    *,
    table: Iterable[Argument] = (),
    positional: str = "",
    more: Iterable[click.Parameter] = (),
    connects: bool = True,
    example: str,
) -> Callable[[Callable[[CommandInput], None]], Command]:
    """Make a command from a function, whose docstring is the help.

    Args:
        name: the name of the command.
        table: the arguments, which become options.
        positional: the argument that is given without its name.
        more: options that only the command line has.
        connects: whether the command sends requests, and so has the connection options.
        example: one call, at the end of the help.
    """
    table, more = tuple(table), tuple(more)

    def made(function: Callable[[CommandInput], None]) -> Command:
        def callback(**values: Any) -> None:
            function(_command_input(table, values, [setting.name for setting in _PUBLIC] if connects else ()))

        params = [
            *(_positional(argument) for argument in table if argument.name == positional),
            *(_argument_option(argument) for argument in table if argument.name != positional),
            *more,
            Option(["--json", "as_json"], is_flag=True, help="Print the result, or the error, as one JSON object."),
            *(connection_options() if connects else ()),
        ]
        return Command(name, params=params, callback=callback, help=function.__doc__, example=example)

    return made


def _command_input(table: Sequence[Argument], given: dict[str, Any], settings: Iterable[str]) -> CommandInput:
    """Return the input of a command. Without ``settings``, an option can have the name of a connection setting."""
    session = click.get_current_context().find_root().obj
    given = {name: _plain(value) for name, value in given.items()}
    values = {argument.name: given.pop(argument.name) for argument in table}
    connection = {name: value for name in settings if (value := given.pop(name, None)) is not None}
    as_json, stack, decrypt = _is_json(given), given.pop("stack", None), given.pop("decrypt", False)
    return CommandInput(session, table, values, connection, given, as_json, stack, decrypt)


def _is_json(given: dict[str, Any]) -> bool:
    """Return whether the result is JSON, by ``--json`` or ``--format json``.

    Raises:
        click.UsageError: both options are set, and contradict each other.
    """
    as_json, format_ = given.pop("as_json"), given.get("format")
    if as_json and format_ not in (None, "json"):
        raise click.UsageError(f"--json and --format {format_} exclude each other: set one of them")
    given |= {"format": format_ or "text"} if "format" in given else {}
    return bool(as_json or format_ == "json")


def _plain(value: Any) -> Any:
    """Return a repeated option as a list, and one that is not set as None."""
    return (list(value) or None) if isinstance(value, tuple) else value


def format_option(*formats: str) -> Option:
    """Return the option of a command that prints in several formats; the first one is the default."""
    return Option(
        ["--format"], type=OneOf(formats), help=f"The format of the result. Default: {formats[0]}. json is --json."
    )


def _positional(argument: Argument) -> Positional:
    return Positional([argument.name], metavar=_metavar(argument), help=rendered(argument.description, _STYLE))


def _argument_option(argument: Argument) -> Option:
    choices = argument.rule.options if isinstance(argument.rule, Choice) else ()
    return _option(argument, choices, required=argument.required)


def connection_options() -> tuple[Option, ...]:
    """Return the connection options. No secret is one, because other processes can read a command line."""
    return (
        *(
            _option(setting, setting.rule.options if isinstance(setting.rule, Choice) else (), section=CONNECTION)
            for setting in _PUBLIC
        ),
        Option(
            ["--stack"],
            section=CONNECTION,
            metavar="NAME",
            shell_complete=_stack_names,
            help="Also read the configuration of this stack of the Pulumi project around this folder.",
        ),
        Option(
            ["--decrypt"],
            section=CONNECTION,
            is_flag=True,
            help="Let `pulumi config --show-secrets` decrypt the configuration of the stack, which needs its "
            "passphrase or a login. Without it an encrypted setting of the stack is an error.",
        ),
    )


def _metavar(item: Argument | Setting) -> str:
    by_type = "NUMBER" if item.type == "integer" else ""
    last = item.name.rpartition("_")[2].upper()
    return _METAVARS.get(item.name) or by_type or (last.removesuffix("S") if item.type == "list of strings" else last)


def _option(item: Argument | Setting, choices: tuple[str, ...], *, required: bool = False, section: str = "") -> Option:
    long = long_option(item.name)
    type_, text = item.type, summary(item, _STYLE)
    if type_ == "boolean":
        return Option([f"{long}/--no-{long[2:]}", item.name], default=None, help=text, section=section)
    if type_ == "list of strings":
        text = f"{text} Repeat the option for several."
    metavar = None if choices and len("|".join(choices)) <= _LONGEST_METAVAR else _metavar(item)
    if choices and metavar:
        text = f"{text} One of {', '.join(choices)}."
    return Option(
        [long, item.name],
        type=OneOf(choices) if choices else _TYPES.get(type_, click.STRING),
        metavar=metavar,
        multiple=type_ == "list of strings",
        required=required,
        shell_complete={"region": _regions, "lock": lock_names}.get(item.name),
        help=text,
        section=section,
    )


def _regions(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  click's form
    from pulumi_iotda_ota.iotda.auth.endpoint import REGIONS  # noqa: PLC0415  only for completion

    return _completed(REGIONS, incomplete)


def lock_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  as above
    """Complete the names in the lock file, unless it cannot be read."""
    from pulumi_iotda_ota.lock.files import load, lock_path  # noqa: PLC0415  only for completion

    try:
        return _completed(load(lock_path(ctx.find_root().obj.environ, Path())) or (), incomplete)
    except IotdaOtaError:
        return []


def _stack_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  as above
    """Complete the stacks of the Pulumi project around this folder, unless it cannot be read."""
    from pulumi_iotda_ota.cli import stack  # noqa: PLC0415  loads yaml

    try:
        project = stack.find_project(stack.this_folder())
        return _completed([name for name, _ in project.files()] if project else [], incomplete)
    except IotdaOtaError:
        return []


def _completed(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
