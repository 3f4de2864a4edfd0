"""Makes the options of a command from the tables: a new argument, or a new setting, is an option at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from pulumi_iotda_ota.cli import completions
from pulumi_iotda_ota.cli.commands import CONNECTION, Command, Positional
from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.iotda.limits import Choice
from pulumi_iotda_ota.message_rendering import option as long_option
from pulumi_iotda_ota.schema import Argument
from pulumi_iotda_ota.schema.argument import Spelling, rendered, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pulumi_iotda_ota.cli.session import Session
    from pulumi_iotda_ota.iotda.auth.settings import Setting

if TYPE_CHECKING:
    _Choice = click.Choice[str]
else:
    _Choice = click.Choice  # generic only in later releases of click

_TYPES: Mapping[str, click.ParamType[Any]] = {"integer": click.INT, "number": click.FLOAT}
# What a value is called that its name does not tell. Any other value is called by the last word of its name.
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
# The table of settings has names of its own for the types.
_SETTING_TYPES = {
    "text": "string",
    "flag": "boolean",
    "number": "integer",
    "decimal": "number",
    "texts": "list of strings",
}
_SPELLING = Spelling(name=long_option)
# What a shell completes, and click refuses with the values there are.
_SETTING_CHOICES = {"signing": ("auto", "standard", "derived"), "credentials": ("ecs",)}
_COMPLETIONS = {"region": completions.regions, "lock": completions.lock_names}
# A list of values that is longer is written below the option, not into it.
_LONGEST_METAVAR = 60


class Option(click.Option):
    """An option that stands under a heading of the help.

    Args:
        section: the heading; empty for click's own.
    """

    def __init__(self, *args: Any, section: str = "", **more: Any) -> None:
        super().__init__(*args, **more)
        self.section = section

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the name and the text; a flag that has two names is one name with a part in brackets."""
        record = super().get_help_record(ctx)
        if record is None or not self.secondary_opts:
            return record
        return f"--[no-]{self.opts[0][2:]}", record[1]


class OneOf(_Choice):
    """One of several values. An error lists them in one line."""

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None = None) -> str:  # noqa: ARG002
        """Return what to give if nothing was given."""
        return f"Choose one of {', '.join(map(str, self.choices))}."


@dataclass(frozen=True)
class CommandInput:
    """What a command was asked.

    Attributes:
        session: the process's environment and outputs.
        values: the arguments of the table, None for one that was not given.
        settings: the settings that were given, of those that are options.
        flags: what only the command line has.
        as_json: whether the answer is JSON.
        stack: the stack whose configuration is read, or None.
        decrypt: whether its encrypted values are read too.
    """

    session: Session
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
    """Make a command of a function that does it; its docstring is the help.

    Args:
        name: the name of the command.
        table: the arguments that are options of it.
        positional: the one among them that is given without its name.
        more: what only the command line has.
        connects: whether it sends requests. Then the settings of the connection are options too.
        example: one call of it, as the end of the help.
    """
    table, more = tuple(table), tuple(more)

    def made(work: Callable[[CommandInput], None]) -> Command:
        def callback(**given: Any) -> None:
            work(_command_input(table, given, _PUBLIC if connects else ()))

        params = [
            *(_positional(argument) for argument in table if argument.name == positional),
            *(argument_option(argument) for argument in table if argument.name != positional),
            *more,
            json_option(),
            *(connection_options() if connects else ()),
        ]
        return Command(name, params=params, callback=callback, help=work.__doc__, example=example)

    return made


def _command_input(table: Iterable[Argument], given: dict[str, Any], names: Iterable[str]) -> CommandInput:
    """Return what a command was given, apart by kind.

    Args:
        table: the arguments.
        given: everything, by name.
        names: the settings of the connection; a command that does not ask the service may have words of the same name.
    """
    session = click.get_current_context().find_root().obj
    given = {name: _plain(value) for name, value in given.items()}
    values = {argument.name: given.pop(argument.name) for argument in table}
    settings = {name: value for name in names if (value := given.pop(name, None)) is not None}
    as_json = _is_json(given)
    stack, decrypt = given.pop("stack", None), given.pop("decrypt", False)
    return CommandInput(session, values, settings, given, as_json, stack, decrypt)


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
    """Return a repeated option as a list, and one that was not given as None."""
    return (list(value) or None) if isinstance(value, tuple) else value


def argument_option(argument: Argument) -> Option:
    """Return the option of an argument."""
    options = argument.rule.options if isinstance(argument.rule, Choice) else ()
    return _option(argument, options, required=argument.required)


def json_option() -> Option:
    """Return the option that every command has."""
    return Option(["--json", "as_json"], is_flag=True, help="Print the result, or the error, as one JSON object.")


def format_option(*formats: str) -> Option:
    """Return the option of a command that prints in several formats; the first one is the default."""
    return Option(
        ["--format"], type=OneOf(formats), help=f"The format of the result. Default: {formats[0]}. json is --json."
    )


def _positional(argument: Argument) -> Positional:
    return Positional([argument.name], metavar=metavar_of(argument), help=rendered(argument.description, _SPELLING))


_PUBLIC = tuple(setting.name for setting in SETTINGS if not setting.secret)


def connection_options() -> tuple[Option, ...]:
    """Return the options of the connection; secrets are none, because other processes see the command line."""
    settings = (setting for setting in SETTINGS if not setting.secret)
    return (
        *(_option(setting, _SETTING_CHOICES.get(setting.name, ()), section=CONNECTION) for setting in settings),
        Option(
            ["--stack"],
            section=CONNECTION,
            metavar="NAME",
            shell_complete=completions.stack_names,
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


def metavar_of(item: Argument | Setting) -> str:
    """Return what the help calls the value of an argument or a setting."""
    type_ = _type_of(item)
    by_type = "NUMBER" if type_ == "integer" else ""
    last = item.name.rpartition("_")[2].upper()
    return _METAVARS.get(item.name) or by_type or (last.removesuffix("S") if type_ == "list of strings" else last)


def _type_of(item: Argument | Setting) -> str:
    return item.type if isinstance(item, Argument) else _SETTING_TYPES[item.type]


def _option(item: Argument | Setting, choices: tuple[str, ...], *, required: bool = False, section: str = "") -> Option:
    long = long_option(item.name)
    type_ = _type_of(item)
    text = summary(item, _SPELLING) if isinstance(item, Argument) else rendered(item.description, _SPELLING)
    if type_ == "boolean":
        return Option([f"{long}/--no-{long[2:]}", item.name], default=None, help=text, section=section)
    if type_ == "list of strings":
        text = f"{text} Repeat the option for several."
    metavar = None if choices and len("|".join(choices)) <= _LONGEST_METAVAR else metavar_of(item)
    if choices and metavar:
        text = f"{text} One of {', '.join(choices)}."
    return Option(
        [long, item.name],
        type=OneOf(choices) if choices else _TYPES.get(type_, click.STRING),
        metavar=metavar,
        multiple=type_ == "list of strings",
        required=required,
        shell_complete=_COMPLETIONS.get(item.name),
        help=text,
        section=section,
    )


#: How many tasks of each type are listed by default.
MOST_LISTED = 20
