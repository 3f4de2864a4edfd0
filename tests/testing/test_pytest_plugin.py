"""The fixtures for users' tests, in a project of a user. This project's own pytest finds them too."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota import testing

if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator

METER: dict[str, Any] = {"package_type": "firmwarePackage", "product_id": "smart-meter"}


def test_the_environment_leads_to_the_emulator(iotda_ota_emulator: Emulator) -> None:
    """A lookup of a test that uses the fixture finds what the emulator holds, with nothing else to be set."""
    iotda_ota_emulator.add_package(product_id="smart-meter", version="V7.0.0")

    assert iotda_ota.get_ota_package(**METER, highest_version=True).version == "V7.0.0"
    assert [request.operation for request in iotda_ota_emulator.requests] == ["ListOtaPackageInfo"]


def test_each_test_has_a_new_one(iotda_ota_emulator: Emulator) -> None:
    """What one test put in is not there in the next."""
    versions = {package["version"] for package in iotda_ota_emulator.packages}

    assert "V7.0.0" not in versions


class TestOverride:
    """A module or a class can set another seed."""

    @pytest.fixture
    def iotda_ota_seed(self) -> dict[str, object]:
        """Return one package."""
        package = {"package_id": "p1", "app_id": "a", "version": "V1", "create_time": "20260101T000000Z"}
        return {"packages": [{**package, **METER}], "groups": {"canary": ["m1"]}}

    def test_the_seed_is_the_test_s_own(self, iotda_ota_emulator: Emulator) -> None:
        """The emulator holds what the overridden fixture says, and nothing else."""
        assert [package["package_id"] for package in iotda_ota_emulator.packages] == ["p1"]


def test_no_setting_of_the_machine_reaches_a_test(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of the user are removed, no proxy is used for the emulator, and everything is restored."""
    monkeypatch.setenv("HW_AUTH_TOKEN", "of-somebody")
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", "of-somebody")
    monkeypatch.setenv("PULUMI_IOTDA_OTA_LOCK", "/of/somebody.json")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    pytester.makepyfile(
        """
        import os
        import pulumi_iotda_ota as iotda_ota

        def test_it(iotda_ota_emulator):
            settings = {"HW_AUTH_TOKEN", "HUAWEICLOUD_SDK_AK", "PULUMI_IOTDA_OTA_LOCK"}
            assert not settings & set(os.environ)
            found = iotda_ota.get_ota_packages(package_type="firmwarePackage", product_id="smart-meter")
            assert len(found.packages) == 41

        def test_afterwards():
            assert os.environ["HW_AUTH_TOKEN"] == "of-somebody"
            assert "HW_IOTDA_ENDPOINT" not in os.environ
        """
    )

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error")

    result.assert_outcomes(passed=2)


def test_nothing_is_loaded_before_a_test_uses_a_fixture(pytester: pytest.Pytester) -> None:
    """That pytest finds the fixtures costs a test run that needs none next to nothing."""
    pytester.makepyfile(
        """
        import sys

        def test_it():
            heavy = {"pulumi", "pydantic", "requests", "werkzeug", "pulumi_iotda_ota.emulator"}
            assert "pulumi_iotda_ota.pytest_plugin" in sys.modules
            assert not heavy & set(sys.modules)
        """
    )

    # Other plugins that are installed here load some of these.
    others = [f"-pno:{name}" for name in ("hypothesispytest", "schemathesis", "cacheprovider")]
    pytester.runpytest_subprocess(*others).assert_outcomes(passed=1)


def test_names_are_prefixed() -> None:
    """The names of the fixtures are those of this library, so that they hide no fixture of a project."""
    from pulumi_iotda_ota import pytest_plugin

    assert all(name.startswith("iotda_ota_") for name in pytest_plugin.__all__)


def test_a_program_on_the_emulator(iotda_ota_emulator: Emulator, tmp_path: Path) -> None:
    """A whole program runs in the test's process against the emulator, which lists what it did."""
    iotda_ota_emulator.set_group("three", ["m1", "m2", "m3"])
    program = tmp_path / "__main__.py"
    program.write_text(
        """
import pulumi
import pulumi_iotda_ota as iotda_ota
pin = iotda_ota.OtaPackagePin("meter", package_type="firmwarePackage", product_id="smart-meter", highest_version=True)
task = iotda_ota.UpgradeTask("three", package_ids=[pin.package_id], group_ids=["three"])
pulumi.export("package_id", pin.package_id)
"""
    )

    reported = testing.run_program(program)

    (task,) = iotda_ota_emulator.tasks
    assert task["document"] == {"package_ids": [reported.outputs["package_id"]]}


def test_two_runs_on_the_emulator(iotda_ota_emulator: Emulator, tmp_path: Path) -> None:
    """A second run of a program in one process sends its requests again, as a second update does."""
    program = tmp_path / "__main__.py"
    program.write_text(
        """
import pulumi
import pulumi_iotda_ota as iotda_ota
found = iotda_ota.get_ota_package(package_type="firmwarePackage", product_id="smart-meter", highest_version=True)
pulumi.export("version", found.version)
"""
    )
    before = testing.run_program(program).outputs["version"]
    iotda_ota_emulator.add_package(product_id="smart-meter", version="V7.0.0")

    assert (before, testing.run_program(program).outputs["version"]) == ("V1.4.11", "V7.0.0")


def test_an_emulator_that_is_not_installed_is_told(tmp_path: Path) -> None:
    """Without the extra, a test that uses the emulator fails with the command to install it, and others pass."""
    (tmp_path / "werkzeug.py").write_text("raise ModuleNotFoundError('no werkzeug', name='werkzeug')\n")
    (tmp_path / "test_it.py").write_text("def test_a(iotda_ota_emulator): pass\ndef test_b(): pass\n")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:schemathesis", "test_it.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "1 passed, 1 error" in done.stdout
    assert "pip install 'FILE.whl[emulator]'" in done.stdout
