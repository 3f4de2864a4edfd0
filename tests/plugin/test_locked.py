"""The lock file through the plugin's process, whose folder is that of the consumer's program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.lock.files import LOCK_FILE
from tests.support.locks import NEWEST, lock
from tests.support.plugin_process import UNKNOWN, Plugin, secret, urn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator

PIN = urn("OtaPackagePin", "meter")


@pytest.fixture
def project(emulator: Emulator, tmp_path: Path) -> Path:
    """Return the folder of a project with one locked lookup; no request is counted yet."""
    (tmp_path / "Pulumi.yaml").touch()
    lock(emulator, tmp_path, "meter", **NEWEST)
    emulator.forget_requests()
    return tmp_path


@pytest.fixture
def alone(project: Path) -> Iterator[Plugin]:
    """Return a plugin that knows no service, in a folder below that of the project."""
    (project / "src").mkdir()
    with Plugin({}, project / "src").configure() as running:
        yield running


def test_a_function(alone: Plugin) -> None:
    """A function returns the package of the lock file, with only the name of the lock set."""
    found = alone.answer("getOtaPackage", lock="meter", includeFileLocation=True)

    assert (found["found"], found["version"]) == (True, "V1.4.11")
    assert len(found["fileLocation"]["obsLocation"]["sign"]) == 64


def test_what_can_not_answer_is_a_failure_of_the_argument(alone: Plugin) -> None:
    """A name that is not locked, or another query, fails at the argument, in the names of the schema."""
    (failure,) = alone.invoke("getOtaPackage", lock="metre").failures
    assert failure.property == "lock"
    assert failure.reason.startswith(f'"metre" is not locked in {LOCK_FILE}')

    (failure,) = alone.invoke("getOtaPackage", lock="meter", packageType="softwarePackage").failures
    assert failure.property == "lock"
    assert 'requested    packageType: "softwarePackage"' in failure.reason
    assert "--package-type softwarePackage" in failure.reason

    (failure,) = alone.invoke("getOtaPackage", packageType="softwarePackage", verify=True).failures
    assert failure.property == "verify"


def test_unknown_and_secret_names(alone: Plugin) -> None:
    """An unknown name has no result, and the result of a secret name is a secret."""
    assert alone.answer("getOtaPackage", lock=UNKNOWN) == {}
    assert alone.answer("getOtaPackage", lock=secret("meter"))["version"] == secret("V1.4.11")


def test_a_pin(alone: Plugin, emulator: Emulator, project: Path) -> None:
    """A pin has the locked package, known at the preview. It moves with the file and sends no request."""
    inputs = alone.checked(PIN, {"lock": "meter"})
    assert (inputs["version"], inputs["revision"]) == ("V1.4.11", 1)
    id_, state = alone.create(PIN, inputs)
    again = alone.checked(PIN, {"lock": "meter"}, inputs)
    assert alone.diff(PIN, id_, state, again).changes == 1
    assert emulator.requests == []

    one = next(found for found in emulator.packages if found["version"] == "V1.4.11")
    emulator.add_package(**{name: one[name] for name in ("package_type", "app_id", "product_id")}, version="V1.4.12")
    lock(emulator, project, "meter", **NEWEST)

    moved = alone.checked(PIN, {"lock": "meter"}, inputs)
    assert (moved["version"], moved["revision"]) == ("V1.4.12", 2)
    assert alone.diff(PIN, id_, state, moved).changes == 2
    assert alone.update(PIN, id_, state, moved)["packageId"] == moved["packageId"]


def test_a_pin_that_is_not_locked(alone: Plugin) -> None:
    """A pin of a name that is not locked is a problem of the argument, at the preview."""
    _, problems = alone.check(PIN, {"lock": "metre"})

    ((name, reason),) = problems
    assert name == "lock"
    assert reason.startswith(f'"metre" is not locked in {LOCK_FILE}')
