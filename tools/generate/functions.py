"""Generate the functions that programs call: ``_generated/functions.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.case import snake
from pulumi_iotda_ota.schema.argument import rendered
from pulumi_iotda_ota.schema.registry import FUNCTIONS
from tools.generate.python_code import (
    CONNECTION,
    HEADER,
    PYTHON,
    TYPE_IMPORTS,
    arguments_section,
    docstring,
    input_type,
    value,
)

if TYPE_CHECKING:
    from pulumi_iotda_ota.schema.argument import Argument
    from pulumi_iotda_ota.schema.registry import Function

_OPTS = "The options of the call. ``provider`` is refused, because a function runs in the program itself."
_OUTPUT = (
    "If an argument is unknown, or a resource of ``depends_on`` is not created yet, the result is unknown. Then no "
    "request is sent. If an argument is a secret, the result is a secret. If an Output resolves to None, it is an "
    "error."
)
_ANY = ("IotdaOtaError", "The request failed. See ``pulumi_iotda_ota.errors`` for all errors.")
_RETURNS = {
    "getOtaPackage": 'The package. If none matches and ``on_missing`` is ``"none"``, None.',
    "getOtaPackages": "The packages, in ``packages``. If none matches, the list is empty.",
    "getDeviceVersions": "The counts of devices by version.",
    "getUpgradePath": "The target in ``package``, and a path for each version in ``paths``.",
    "getUpgradeTask": "The task.",
}
_RAISES = {
    "getOtaPackage": [
        ("InputError", "An argument is wrong."),
        ("PackageNotFound", "No package matches. The error lists the nearest. With ``verify``: the package is gone."),
        ("MultiplePackages", "Several packages match. The error lists them."),
        ("LockError", "The lock file has no fitting entry. The error has the command that adds one."),
        _ANY,
    ],
    "getOtaPackages": [("InputError", "An argument is wrong."), _ANY],
    "getDeviceVersions": [
        ("InputError", "An argument is wrong, a device does not exist, or the devices are of several products."),
        ("ServiceError", "A group does not exist (``status`` 404), or the service refused a request."),
        ("DeadlineExceeded", "It takes longer than ``devices_deadline``."),
        _ANY,
    ],
    "getUpgradePath": [
        ("InputError", "An argument is wrong."),
        ("PackageNotFound", "No package matches the selection of the target."),
        ("MultiplePackages", "Several packages match it."),
        _ANY,
    ],
    "getUpgradeTask": [
        ("InputError", "The id is wrong."),
        ("ServiceError", "There is no such task (``status`` 404), or the service refused the request."),
        _ANY,
    ],
}
# The argument that decides whether the result may be None, and the value that keeps it from that.
_MAY_BE_NONE = {"getOtaPackage": ("on_missing", '"error"')}


def text() -> str:
    """Return the module."""
    results = sorted(_result(name) for name in FUNCTIONS)
    parts = [
        HEADER.format(
            "The functions of a Pulumi program. They run inside the program, without a provider process. The plain\n"
            "forms take plain values, and work outside a Pulumi program too. The ``_output`` forms take Inputs, and\n"
            "return an Output."
        ),
        "from __future__ import annotations\n",
        "from typing import TYPE_CHECKING, Any, Literal, overload\n",
        f"from pulumi_iotda_ota._generated.results import {', '.join(results)}",
        "from pulumi_iotda_ota.functions.invoke import Function, given\n",
        TYPE_IMPORTS.format("Sequence"),
        *(_shared(name) for name in FUNCTIONS),
        "",
    ]
    for name, function in FUNCTIONS.items():
        parts += [_form(name, function, output=False), _form(name, function, output=True)]
    return "\n".join(parts)


def _result(name: str) -> str:
    return f"{name[0].upper()}{name[1:]}Result"


def _variable(name: str) -> str:
    return f"_{snake(name).upper()}"


def _shared(name: str) -> str:
    read = "from_found" if name in _MAY_BE_NONE else "from_values"
    return f'{_variable(name)} = Function("{name}", {_result(name)}.{read})'


def _form(name: str, function: Function, *, output: bool) -> str:
    """Return the plain form or the output form of a function, with its overloads."""
    result, none = _result(name), name in _MAY_BE_NONE
    overloads = []
    if none:
        decides, never = _MAY_BE_NONE[name]
        sure = _signature(name, function, result, output=output, fixed={decides: f"Literal[{never}] = {never}"})
        maybe = {decides: _type_of(function, decides, output=output)}
        overloads = [
            f"@overload\n{sure} ...",
            f"@overload\n{_signature(name, function, f'{result} | None', output=output, fixed=maybe)} ...",
        ]
    # Of an Output, whose type is invariant, no overload is a part of the other.
    returned = "Any" if none and output else f"{result} | None" if none else result
    form = "output" if output else "plain"
    return "\n".join(
        [
            *overloads,
            _signature(name, function, returned, output=output),
            _documentation(name, function, output=output),
            f"    return {_variable(name)}.{form}(given(locals()), connection, opts)\n\n",
        ]
    )


def _type_of(function: Function, name: str, *, output: bool) -> str:
    (argument,) = (argument for argument in function.arguments if argument.name == name)
    return input_type(argument, optional=False) if output else argument.python


def _signature(name: str, function: Function, result: str, *, output: bool, fixed: dict[str, str] | None = None) -> str:
    parameters = [_parameter(argument, fixed or {}, output=output) for argument in function.arguments]
    options = "pulumi.InvokeOptions | pulumi.InvokeOutputOptions" if output else "pulumi.InvokeOptions"
    parameters += ["connection: Connection | None = None", f"opts: {options} | None = None"]
    called = f"{snake(name)}_output" if output else snake(name)
    returned = f"pulumi.Output[{result}]" if output and result != "Any" else result
    return f"def {called}(*, {', '.join(parameters)},) -> {returned}:"


def _parameter(argument: Argument, fixed: dict[str, str], *, output: bool) -> str:
    if argument.name in fixed:
        return f"{argument.name}: {fixed[argument.name]}"
    optional = not argument.required and argument.default is None
    type_ = input_type(argument, optional=optional) if output else argument.python + (" | None" * optional)
    default = "" if argument.required else f" = {value(argument.default).strip('`')}" if not optional else " = None"
    return f"{argument.name}: {type_}{default}"


def _documentation(name: str, function: Function, *, output: bool) -> str:
    description = rendered(function.description, PYTHON)
    returned = _RETURNS[name]
    if output:
        first, _, rest = description.partition(". ")
        description = f"{first.rstrip('.')}, as an Output. {rest} {_OUTPUT}".replace("  ", " ")
        returned = f"An Output. {returned}" + (
            " If the result can be None, read it with ``.apply``." if name in _MAY_BE_NONE else ""
        )
    given = [*arguments_section(function.arguments), ("connection", CONNECTION), ("opts", _OPTS)]
    return docstring(description, [("Args", given), ("Returns", [("", returned)]), ("Raises", _RAISES[name])])
