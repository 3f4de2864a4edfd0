"""References in messages: each interface renders them in its spelling, and foreign text stays unchanged."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, OutcomeUnknown
from pulumi_iotda_ota.iotda.references import (
    argument,
    arguments,
    by_interface,
    field,
    redact_references,
    setting,
    value,
)
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, PLUGIN, PYTHON, render

PAIRS = {"package_type": "firmwarePackage", "source_versions": ["V1.3.2", "V1.4.0"], "highest_version": True}


def rendered(text: str) -> tuple[str, str, str]:
    """Return a text as Python, the plugin and the command line render it."""
    return render(text, PYTHON), render(text, PLUGIN), render(text, COMMAND_LINE)


@pytest.mark.parametrize(
    ("reference", "spellings"),
    [
        (argument("package_id"), ("package_id", "packageId", "--package-id")),
        (argument("highest_version", True), ("highest_version=True", "highestVersion: true", "--highest-version")),
        (argument("verify", False), ("verify=False", "verify: false", "--no-verify")),
        (argument("timeout", 0), ("timeout=0", "timeout: 0", "--timeout 0")),
        (argument("version", "V1 2"), ('version="V1 2"', 'version: "V1 2"', "--version 'V1 2'")),
        (argument("version", "-1"), ('version="-1"', 'version: "-1"', "--version=-1")),
        (argument("app_id", None), ("app_id=None", "no appId", "no --app-id")),
        (argument("obs_location.sign"), ("obs_location.sign", "obsLocation.sign", "obs_location.sign")),
        (argument("triggers"), ("triggers", "triggers", "triggers")),
        (argument("source_versions"), ("source_versions", "sourceVersions", "--source-version")),
        (setting("iam_endpoint"), ("iam_endpoint", "iamEndpoint", "--iam-endpoint")),
        (setting("secret_key"), ("secret_key", "secretKey", "HW_SECRET_KEY")),
        (
            field("support_source_versions"),
            ("support_source_versions", "supportSourceVersions", "support_source_versions"),
        ),
        (value(True), ("True", "true", "true")),
        (value(None), ("None", "nothing", "nothing")),
        (value("app_id"), ('"app_id"', '"app_id"', '"app_id"')),
        (
            arguments(PAIRS),
            (
                'package_type="firmwarePackage", source_versions=["V1.3.2", "V1.4.0"], highest_version=True',
                'packageType: "firmwarePackage", sourceVersions: ["V1.3.2", "V1.4.0"], highestVersion: true',
                "--package-type firmwarePackage --source-version V1.3.2 --source-version V1.4.0 --highest-version",
            ),
        ),
        (by_interface("pulumi up", command_line="run it again"), ("pulumi up", "pulumi up", "run it again")),
        (
            by_interface(f"set {argument('retry_failed', True)}", command_line="task retry"),
            ("set retry_failed=True", "set retryFailed: true", "task retry"),
        ),
    ],
)
def test_each_interface_has_its_spelling(reference: str, spellings: tuple[str, str, str]) -> None:
    """A reference to an argument, setting, field, value or step is rendered as the interface spells it."""
    assert rendered(f"before {reference}, after") == tuple(f"before {spelt}, after" for spelt in spellings)


def test_what_python_renders_can_be_copied() -> None:
    """The arguments of a message are Python keyword arguments with the same values."""
    copied = eval(f"dict({render(arguments(PAIRS))})")

    assert copied == PAIRS


def test_what_the_command_line_renders_can_be_copied() -> None:
    """The arguments of a message are words of a shell with the same values."""
    given: dict[str, Any] = {"version_constraint": ">=1.4 <2 || '3'", "version_regex": "-V$HOME|x", "app_id": "a b"}

    words = shlex.split(render(arguments(given), COMMAND_LINE))

    assert words == ["--version-constraint", ">=1.4 <2 || '3'", "--version-regex=-V$HOME|x", "--app-id", "a b"]


@pytest.mark.parametrize(
    "foreign",
    [
        "task_name is True-ish, app_id None",
        "idp_id",
        "set retry_failed=True, or package_id",
        "timeout=0",
        "HW_ACCESS_KEY (environment)",
    ],
)
def test_foreign_text_is_never_a_reference(foreign: str) -> None:
    """Text of the service, of a file or of a device stays unchanged in every interface."""
    assert rendered(f"{sanitize(foreign)}: {argument('app_id')}") == tuple(
        f"{foreign}: {spelt}" for spelt in ("app_id", "appId", "--app-id")
    )


def test_foreign_text_cannot_forge_a_reference() -> None:
    """A foreign text with a whole reference in it is escaped, also if it comes as a value."""
    forged = argument("app_id", True)

    assert rendered(sanitize(forged)) == (sanitize(forged),) * 3
    assert "\ufdd0" not in "".join(rendered(argument("version", forged)))
    assert render(argument("version", forged), PLUGIN).startswith('version: "\\\\ufdd0')


@pytest.mark.parametrize("odd", ["\ufdd0\ufdd1", "\ufdd0x\ufdd1", "\ufdd0{}\ufdd1", "\ufdd0", "\ufdd1\ufdd0"])
def test_a_text_that_nothing_sanitized_ends_no_message(odd: str) -> None:
    """Noncharacters that are no reference are printed escaped, or stay; no other error takes the message's place."""
    assert render(f"file {odd}", PLUGIN).startswith("file ")
    assert redact_references(f"file {odd} secret-1", ["secret-1"]).endswith("****")


def test_a_secret_in_a_reference_is_redacted() -> None:
    """A secret that a user passed as an argument is in no rendering, whatever its characters are."""
    secret = "pä'ss\"word"
    error = IotdaOtaError(
        f"{argument('version', secret)} {secret}",
        facts=[
            ("requested", arguments({"app_id": secret, "source_versions": [secret]})),
            ("fix", by_interface(f"set {argument('version', secret)}", command_line=secret)),
        ],
    )
    error.redact([secret])

    for spelling in (PYTHON, PLUGIN, COMMAND_LINE):
        assert "****" in error.rendered(spelling)
        assert "word" not in error.rendered(spelling)


def test_an_error_is_rendered_by_the_interface_that_prints_it() -> None:
    """An error keeps its references; headline, facts and text are Python's spelling, for programs."""
    error = InputError(
        f"{argument('package_id')} is required",
        argument="package_id",
        facts=[(setting("iam_endpoint"), value(True)), ("not started", by_interface("all", command_line=""))],
    )

    assert (error.headline, *error.args) == ("package_id is required",) * 2
    assert error.facts == (("iam_endpoint", "True"), ("not started", "all"))
    assert str(error) == "package_id is required\n  iam_endpoint True\n  not started  all"
    assert error.rendered(PLUGIN) == "packageId is required\n  iamEndpoint  true\n  not started  all"
    assert error.rendered(COMMAND_LINE) == "--package-id is required\n  --iam-endpoint true"


def test_the_cause_of_an_unknown_outcome_is_in_python_spelling() -> None:
    """What an OutcomeUnknown carries for programs has no references."""
    assert OutcomeUnknown("x", cause=f"{argument('app_id')} y").cause == "app_id y"


def test_lines_break_between_arguments() -> None:
    """A line is broken before an argument, never between its name and its value, so that it can be copied."""
    given = {"version_constraint": ">=1.4 <2", "product_id": "p" * 30, "version_regex": "V1 x"}

    for spelling in (PYTHON, PLUGIN, COMMAND_LINE):
        lines = IotdaOtaError("x", facts=[("requested", arguments(given))]).rendered(spelling).splitlines()
        assert len(lines) > 2
        assert all(line.count('"') % 2 == 0 and line.count("'") % 2 == 0 for line in lines)


def test_a_cause_and_a_fix_are_the_last_lines() -> None:
    """What a caller adds comes before the cause and the fix, and its own cause or fix before those that are there."""
    error = IotdaOtaError("x", facts=[("found", "a"), ("cause", "b"), ("fix", "c")])
    for label in ("fix", "endpoint", "cause"):
        error.note(label, "new")

    assert [label for label, _ in error.facts] == ["found", "endpoint", "cause", "cause", "fix", "fix"]
    assert error.facts[2] == ("cause", "new")
    assert error.facts[4] == ("fix", "new")
