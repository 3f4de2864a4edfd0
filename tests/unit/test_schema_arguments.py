"""The tables of arguments: their content, and how values are checked against them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.limits import Choice
from pulumi_iotda_ota.schema.argument import DescriptionStyle, explained
from pulumi_iotda_ota.schema.registry import SERVED
from pulumi_iotda_ota.schema.validation import problems, require_valid, without_defaults

TABLES = {name: served.arguments for name, served in SERVED.items()}
ALL = [(name, argument) for name, table in TABLES.items() for argument in table]
EVERY = pytest.mark.parametrize(("name", "argument"), ALL, ids=[f"{name}-{item.name}" for name, item in ALL])
PLAIN = DescriptionStyle(name=str)


@EVERY
def test_an_argument_is_described_in_full(name: str, argument: schema.Argument) -> None:
    """An argument has full sentences, an example, and what happens if it is not set."""
    text = explained(argument, PLAIN)

    assert argument.description[0].isupper()
    assert argument.description.endswith(".")
    assert argument.example is not None
    assert "Example: " in text
    optional = not argument.required and argument.default is None and argument.type != "any"
    assert not optional or re.search(r"(not|is) set|Required|Set either|It needs", text)


@EVERY
def test_sentences_are_short(name: str, argument: schema.Argument) -> None:
    """No sentence of a description has more than 20 words."""
    sentences = re.split(r"(?<=[.:])\s", argument.description)

    assert [sentence for sentence in sentences if len(sentence.split()) > 20] == []


@pytest.mark.parametrize("name", SERVED)
def test_what_it_does_is_said_in_short_sentences(name: str) -> None:
    """A function or resource is described in full sentences of at most 20 words, and names only arguments."""
    served = SERVED[name]
    sentences = re.split(r"(?<=[.:])\s", served.description)

    assert served.description.endswith(".")
    assert [sentence for sentence in sentences if len(sentence.split()) > 20] == []
    assert set(re.findall(r"\{(\w+)\}", served.description)) <= {item.name for _, item in ALL}


@EVERY
def test_references_lead_to_arguments(name: str, argument: schema.Argument) -> None:
    """What a description refers to is another argument of the same function or resource, or one of its outputs."""
    served = SERVED[name]
    known = {item.name for item in served.arguments} | {item.name for item in served.outputs}
    texts = [argument.description, argument.change.description if argument.change else ""]

    assert set(re.findall(r"\{(\w+)\}", " ".join(texts))) <= known - {argument.name}


@EVERY
def test_default_and_example_are_allowed(name: str, argument: schema.Argument) -> None:
    """The default and the example of an argument obey its rule."""
    for value in (argument.default, argument.example):
        if value is not None:
            assert problems([argument], {argument.name: value}) == []


@EVERY
def test_a_choice_explains_each_value(name: str, argument: schema.Argument) -> None:
    """Each allowed value of a choice has its meaning, and nothing else has."""
    options = argument.rule.options if isinstance(argument.rule, Choice) else ()

    assert tuple(argument.allowed) == options
    assert all(meaning.endswith(".") for meaning in argument.allowed.values())


def test_values_that_equal_their_default_mean_nothing() -> None:
    """A default is dropped, and every other value stays; 1 is not the default True."""
    values = {"version_scheme": "loose", "highest_version": False, "most_recent": True, "version": "1", "other": False}

    assert without_defaults(schema.GET_OTA_PACKAGE, values) == {"most_recent": True, "version": "1", "other": False}
    assert without_defaults(schema.UPGRADE_TASK_COMPLETION, {"min_devices": 1}) == {}
    assert without_defaults(schema.UPGRADE_TASK_COMPLETION, {"min_devices": True}) == {"min_devices": True}
    assert without_defaults(schema.OTA_PACKAGE, {"allow_replace": 0}) == {"allow_replace": 0}


@pytest.mark.parametrize(
    ("values", "reported"),
    [
        ({"package_type": "firmware"}, 'package_type must be one of .*did you mean firmwarePackage.*not "firmware"'),
        ({"package_type": "firmwarePackage", "version": "1 0"}, 'version must be 1 to 256 .* not "1 0"'),
        ({"package_type": "firmwarePackage", "version": 1.0}, "version must be a string, not 1.0"),
        ({"package_type": "firmwarePackage", "highest_version": "yes"}, "highest_version must be True or False"),
        ({"package_type": "firmwarePackage", "version": "1\n::error::x"}, r"not \"1\\n: :error: :x\""),
        (
            {"package_type": "firmwarePackage", "created_after": "2026-10-02"},
            "created_after must be a time with its zone",
        ),
    ],
)
def test_each_wrong_value_is_told(values: dict[str, Any], reported: str) -> None:
    """A value that breaks its rule is reported with the argument, the rule and the value, escaped."""
    with pytest.raises(InputError, match=reported):
        require_valid(schema.GET_OTA_PACKAGE, values)


def test_all_wrong_values_are_told_at_once() -> None:
    """Several wrong values are one error that names them all."""
    with pytest.raises(InputError) as caught:
        require_valid(schema.GET_OTA_PACKAGES, {"package_type": "x", "version": " ", "app_id": "ü", "max_items": 0})

    assert [line for line in ("package_type", "version", "app_id", "max_items") if line not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("targets", "reported"),
    [
        ("device-1", "must be a list"),
        ([], "must not be empty"),
        (["ok", "no spaces"], "has an item that must be"),
        ([f"d{number}" for number in range(30_001)], "30,001 items; at most 30,000"),
    ],
)
def test_lists_are_checked_item_by_item(targets: Any, reported: str) -> None:
    """A list is checked for its length and each of its items."""
    values = {"package_ids": ["p1"], "targets": targets}

    assert [problem for problem in problems(schema.UPGRADE_TASK, values) if reported in problem.rendered()]
