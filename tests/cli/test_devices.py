"""`device versions`: what a shell, a person and a program read, and the exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_iotda_ota as iotda_ota

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator
    from tests.support.shell import Shell

METERS = ("device", "versions", "--package-type", "firmwarePackage", "--product-id", "smart-meter")


def test_a_line_for_each_version(shell: Shell, emulator: Emulator) -> None:
    """A shell reads a line for each version, the most devices first, and one for devices without a known version."""
    emulator.set_device("meter-silent", product_id="smart-meter")
    done = shell(*METERS)

    assert (done.code, done.err) == (0, "")
    assert done.rows == [["V1.3.2", "12"], ["V1.4.2", "12"], ["V1.4.8", "12"], ["V1.4.9", "4"], ["-", "1"]]


def test_json_has_what_the_function_returns(shell: Shell, service: Emulator) -> None:
    """`--json` prints the result of the function."""
    assert service
    found = iotda_ota.get_device_versions(package_type="firmwarePackage", product_id="smart-meter")
    done = shell(*METERS, "--json")
    assert (done.code, done.answer) == (0, {"result": found.to_dict()})


def test_a_person_reads_the_cost(shell: Shell) -> None:
    """On a terminal, a line above the table has the total, the requests and the method."""
    done = shell.inside(*METERS, columns=80)
    assert done.err.startswith("40 devices (2 requests, list)")
    assert done.out.splitlines()[0].split() == ["version", "devices"]


def test_errors(shell: Shell) -> None:
    """A missing group is exit code 3, and wrong options are exit code 2, in the words of the command line."""
    firmware = ("device", "versions", "--package-type", "firmwarePackage")
    missing = shell(*firmware, "--group-id", "nobody")
    assert missing.code == 3
    assert missing.err.startswith("error: there is no device group nobody\n")
    wrong = shell(*firmware)
    assert (wrong.code, wrong.err) == (2, "error: set exactly one of --group-id, --product-id and --device-id\n")
