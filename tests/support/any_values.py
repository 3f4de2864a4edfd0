"""Anything that a program can give for an argument: what is right, what is nearly right, and what is of no use."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from pulumi_iotda_ota.iotda.limits import Choice, Number, Pattern
from pulumi_iotda_ota.lifecycle.base import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hypothesis.strategies import SearchStrategy

    from pulumi_iotda_ota.schema import Argument

__all__ = ["python_values", "wire_values", "world_values"]

# The longest number that Python writes out. A failing test could not show a longer one.
_HUGE = 10**4000
_TEXTS = {
    "version_constraint": ["^1.4", ">=1.2 <2 || 3.x", "=1.0", "~1", "!=1", "^", "1.2.x.3", ">=1 ||", "^" * 1025],
    "version_regex": [r"V1\..*", "(", "a{1000}{1000}", r"\p{Greek}", "(?P<n>x)", "x" * 1025],
    "created_after": ["2026-01-01T00:00:00Z", "20260101T000000Z", "2026-01-01", "0001-01-01T00:00:00+14:00"],
    "created_before": ["2027-01-01T00:00:00Z", "9999-12-31T23:59:59.9Z", "20261332T000000Z", "now"],
    "schedule_time": ["2026-11-23T00:00:00Z", "99991231T235959Z", "tomorrow"],
}
_DURATIONS = [0, 90, 1.5, "15m", "24h", "999999999d", "-1", "1e9", ""]
_TEXT = st.text(max_size=8) | st.sampled_from(["\ud800", "\x00", "\u202e::error::", "x" * 5000, "", "V1.4.10"])
_NUMBERS = st.integers() | st.sampled_from([_HUGE, -_HUGE, 2**63, 0, 1]) | st.floats()
_PLAIN = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)


def _nested(leaves: SearchStrategy[Any], names: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=5
    )


def _odd() -> SearchStrategy[Any]:
    """Return what is no plain value at all."""
    endless: list[Any] = []
    endless.append(endless)
    things = [endless, object(), b"bytes", Decimal("NaN"), datetime.now(timezone.utc), {1, "a"}, (1,), range(3), _HUGE]
    return st.sampled_from(things)


_ANY_PYTHON = _nested(_PLAIN | _NUMBERS | _TEXT | _odd(), _TEXT | st.integers())
_ANY_WORLD = _nested(_PLAIN | _NUMBERS | _TEXT | st.just(UNKNOWN), _TEXT)
# What a protobuf message can carry: no half of a surrogate, and every number a float.
_WIRE_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_ANY_WIRE = _nested(_PLAIN | _WIRE_TEXT, _WIRE_TEXT)


def _right(argument: Argument, text: SearchStrategy[str]) -> SearchStrategy[Any]:
    """Return values that fit an argument, or look as if they did."""
    if argument.type == "list of strings":
        return st.lists(_of_rule(argument, text), min_size=1, max_size=3)
    if argument.type == "boolean":
        return st.booleans()
    if argument.type == "duration":
        return st.sampled_from(_DURATIONS)
    if argument.type in {"object", "any"}:
        return _nested(_PLAIN, st.sampled_from(["region_name", "bucket_name", "object_key", "sign", "k"]))
    return _of_rule(argument, text)


def _of_rule(argument: Argument, text: SearchStrategy[str]) -> SearchStrategy[Any]:
    rule = argument.rule
    if isinstance(rule, Choice):
        return st.sampled_from(rule.options)
    if isinstance(rule, Number):
        return st.integers(rule.minimum, rule.maximum)
    if isinstance(rule, Pattern):
        return st.sampled_from(["p1", "V1", "meter", "energy", "a1b2c3"]) | st.from_regex(rule.pattern, fullmatch=True)
    return st.sampled_from(_TEXTS.get(argument.name, ["x"])) | text


def _values(
    arguments: Iterable[Argument], junk: SearchStrategy[Any], text: SearchStrategy[str]
) -> SearchStrategy[dict[str, Any]]:
    # Right values are the more frequent ones: one wrong argument hides what the others would do.
    each = {argument.name: st.one_of(_right(argument, text), _right(argument, text), junk) for argument in arguments}
    required = {argument.name: each.pop(argument.name) for argument in arguments if argument.required}
    return st.fixed_dictionaries(required, optional=each)


def python_values(arguments: Iterable[Argument]) -> SearchStrategy[dict[str, Any]]:
    """Return values as a Python program can give them to a function: any object."""
    return _values(list(arguments), _ANY_PYTHON, _TEXT)


def world_values(arguments: Iterable[Argument]) -> SearchStrategy[dict[str, Any]]:
    """Return values as a life cycle meets them: plain ones, and what is not known yet."""
    return _values(list(arguments), _ANY_WORLD, _TEXT)


def wire_values(arguments: Iterable[Argument]) -> SearchStrategy[dict[str, Any]]:
    """Return values as the engine can send them, and maybe one under an unknown name."""
    known = _values(list(arguments), _ANY_WIRE, _WIRE_TEXT)
    return st.builds(
        lambda stray, values: {**stray, **values}, st.dictionaries(_WIRE_TEXT, _ANY_WIRE, max_size=1), known
    )
