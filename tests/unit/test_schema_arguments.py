"""The table of arguments against the functions and resources that are written by hand."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota import schema
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.schema.validation import problems, require_valid

if TYPE_CHECKING:
    from collections.abc import Callable

DOORS: list[tuple[Callable[..., Any], tuple[schema.Argument, ...]]] = [
    (iotda_ota.get_ota_package, schema.GET_OTA_PACKAGE),
    (iotda_ota.get_ota_package_output, schema.GET_OTA_PACKAGE),
    (iotda_ota.get_ota_packages, schema.GET_OTA_PACKAGES),
    (iotda_ota.get_ota_packages_output, schema.GET_OTA_PACKAGES),
    (iotda_ota.get_upgrade_task, schema.GET_UPGRADE_TASK),
    (iotda_ota.get_upgrade_task_output, schema.GET_UPGRADE_TASK),
    (iotda_ota.OtaPackage, schema.OTA_PACKAGE),
    (iotda_ota.OtaPackagePin, schema.OTA_PACKAGE_PIN),
    (iotda_ota.UpgradeTask, schema.UPGRADE_TASK),
    (iotda_ota.UpgradeTaskCompletion, schema.UPGRADE_TASK_COMPLETION),
    (iotda_ota.UpgradeTaskConfirmation, schema.UPGRADE_TASK_CONFIRMATION),
]
NOT_OF_THE_TABLE = {"resource_name", "connection", "opts"}
ALL = {argument.name: argument for _, table in DOORS for argument in table}


@pytest.mark.parametrize(("door", "table"), DOORS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_door_has_the_arguments_of_the_table(
    door: Callable[..., Any], table: tuple[schema.Argument, ...]
) -> None:
    """A function or resource takes exactly the arguments of the table, with their defaults, by keyword."""
    parameters = inspect.signature(door).parameters
    own = {name: parameter for name, parameter in parameters.items() if name not in NOT_OF_THE_TABLE}

    assert sorted(own) == sorted(argument.name for argument in table)
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in own.values())
    for argument in table:
        default = own[argument.name].default
        required = default is inspect.Parameter.empty
        assert required == argument.required
        assert required or default in (argument.default, None)


@pytest.mark.parametrize(("door", "table"), DOORS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_argument_is_documented(door: Callable[..., Any], table: tuple[schema.Argument, ...]) -> None:
    """The docstring of a door, of an output form that of its plain form, names each argument."""
    plain = getattr(iotda_ota, door.__name__.removesuffix("_output"))
    documentation = f"{plain.__doc__}\n{plain.__init__.__doc__}"
    assert plain is door or f"see :func:`{plain.__name__}`" in str(door.__doc__)

    for argument in table:
        assert f"{argument.name}:" in documentation


@pytest.mark.parametrize("argument", ALL.values(), ids=lambda argument: argument.name)
def test_descriptions_are_sentences(argument: schema.Argument) -> None:
    """What the table says of an argument is a full sentence."""
    assert argument.description[0].isupper() or argument.description.startswith(("softwareUpgrade",))
    assert argument.description.endswith(".")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"package_type": "firmware"}, 'package_type must be one of .*did you mean firmwarePackage.*not "firmware"'),
        ({"package_type": "firmwarePackage", "version": "1 0"}, 'version must be 1 to 256 .* not "1 0"'),
        ({"package_type": "firmwarePackage", "version": 1.0}, "version must be a string, not 1.0"),
        ({"package_type": "firmwarePackage", "highest_version": "yes"}, "highest_version must be True or False"),
        ({"package_type": "firmwarePackage", "version": "1\n::error::x"}, r"not \"1\\n: :error: :x\""),
    ],
)
def test_each_wrong_value_is_told(values: dict[str, Any], told: str) -> None:
    """A value that breaks its rule is told with the argument, the rule and what was given, escaped."""
    with pytest.raises(InputError, match=told):
        require_valid(schema.GET_OTA_PACKAGE, values)


def test_all_wrong_values_are_told_at_once() -> None:
    """Several wrong values are one error that names them all."""
    with pytest.raises(InputError) as caught:
        require_valid(schema.GET_OTA_PACKAGES, {"package_type": "x", "version": " ", "app_id": "ü", "max_items": 0})

    assert [line for line in ("package_type", "version", "app_id", "max_items") if line not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("targets", "told"),
    [
        ("device-1", "must be a list"),
        ([], "must not be empty"),
        (["ok", "no spaces"], "has an item that must be"),
        ([f"d{number}" for number in range(30_001)], "30,001 items; at most 30,000"),
    ],
)
def test_lists_are_checked_item_by_item(targets: Any, told: str) -> None:
    """A list is checked for its length and each of its items."""
    values = {"package_ids": ["p1"], "targets": targets}

    assert [problem for problem in problems(schema.UPGRADE_TASK, values) if told in problem.rendered()]
