"""The error tree and its texts."""

from __future__ import annotations

import copy
import pickle

import pytest

from pulumi_iotda_ota import errors

KINDS = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_is_of_one_tree(kind: type[errors.IotdaOtaError]) -> None:
    """A program that catches the base catches them all, and reads the headline first."""
    error = kind("it failed", facts=[("requested", "x")])

    assert isinstance(error, errors.IotdaOtaError)
    assert str(error).startswith("it failed\n  requested    x")
    assert error.headline == "it failed"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_errors_survive_copies_and_pickles(kind: type[errors.IotdaOtaError]) -> None:
    """Errors that cross threads and processes keep their text and their attributes."""
    error = kind("it failed", facts=[("requested", "x")])
    error.note("attempts", "5")

    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(other) is kind
        assert vars(other) == vars(error)
        assert str(other) == str(error)


def test_the_tree_in_the_documentation_is_the_tree() -> None:
    """The module's own text names every error."""
    assert all(kind.__name__ in str(errors.__doc__) for kind in KINDS)


def test_long_facts_are_wrapped_below_themselves() -> None:
    """A long text goes on below its own beginning, and lines of it stay lines."""
    error = errors.IotdaOtaError("headline", facts=[("found", "word " * 30), ("list", "one\ntwo")])

    lines = str(error).split("\n")
    assert all(len(line) <= 120 for line in lines)
    assert lines[2].startswith(" " * 15 + "word")
    assert lines[-1] == " " * 15 + "two"


def test_advice_stays_last() -> None:
    """What a caller adds comes after what was known before, and before the fix."""
    error = errors.ServiceError("it failed", status=503, facts=[("requested", "x"), ("fix", "wait")])
    error.note("attempts", "5")

    assert error.facts == (("requested", "x"), ("attempts", "5"), ("fix", "wait"))


def test_a_long_label_does_not_run_into_its_text() -> None:
    """Label and text are always apart."""
    assert "a label of many words text" in str(errors.IotdaOtaError("x", facts=[("a label of many words", "text")]))


@pytest.mark.parametrize(
    ("status", "code", "missing"),
    [
        (404, "IOTDA.014044", True),
        (404, "IOTDA.000029", False),
        (404, "APIGW.0101", False),
        (404, "", False),
        (403, "IOTDA.014044", False),
    ],
)
def test_only_the_service_itself_says_that_a_thing_is_missing(status: int, code: str, missing: bool) -> None:
    """A 404 of a gateway, of a page, or of an address that the service does not know says nothing of the thing."""
    assert errors.ServiceError("it failed", status=status, error_code=code).is_not_found is missing


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (errors.TransportError("it failed"), "check the endpoint"),
        (errors.ServiceError("it failed", status=400), "correct what the response says"),
        (errors.ServiceError("it failed", status=502), "run it again later"),
        (errors.ProtocolError("it failed"), "check that the endpoint is an IoTDA endpoint"),
    ],
)
def test_an_error_that_nothing_better_is_known_of_has_advice(error: errors.IotdaOtaError, advice: str) -> None:
    """An error without its cause and fix has the fix of its class, as the last line."""
    assert str(error).rpartition("\n  fix          ")[2].startswith(advice)

    error.note("cause", "the moon")
    assert "fix" not in str(error)
    error.note("fix", "wait")
    assert str(error).count("fix") == 1
