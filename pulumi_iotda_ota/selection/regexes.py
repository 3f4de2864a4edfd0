"""Matches whole versions against a user's pattern, in linear time: no pattern can hang a preview.

The engine is that of Rust's regex crate, which pydantic brings. It has no look-around and no back-references; a pattern
that needs them is refused as one that cannot be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda import references
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST = 1024
_TOLD = 60


def whole_match(argument: str, pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a whole text matches a pattern.

    Args:
        argument: the name that an error shows.
        pattern: at most 1,024 characters in the syntax of Rust's regex crate.

    Raises:
        InputError: the pattern cannot be read.
    """
    if len(pattern) > _LONGEST:
        raise InputError(f"{references.argument(argument)} is longer than {_LONGEST:,} characters", argument=argument)
    # Alone first: with a stray parenthesis it could read well only inside the anchors.
    _compiled(argument, pattern, pattern)
    matches = _compiled(argument, f"^(?:{pattern})$", pattern)
    return lambda text: bool(matches(text))


def _compiled(argument: str, pattern: str, given: str) -> Callable[[str], bool]:
    from pydantic_core import SchemaError, SchemaValidator, core_schema  # noqa: PLC0415  only where a pattern is given

    schema = core_schema.str_schema(pattern=pattern, regex_engine="rust-regex")
    try:
        return SchemaValidator(schema).isinstance_python
    except SchemaError as error:
        said = str(error).strip().splitlines()[-1].strip().removeprefix("SchemaError: ").removeprefix("error: ")
        facts = [
            ("pattern", sanitize(given, limit=_TOLD)),
            ("cause", sanitize(said)),
            ("syntax", "that of Rust's regex crate: linear time"),
        ]
        raise InputError(
            f"{references.argument(argument)} is not a valid pattern", argument=argument, facts=facts
        ) from error
