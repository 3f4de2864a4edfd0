"""`device versions`: what a shell, a person and a program read, and the exit codes."""

from __future__ import annotations

import dataclasses
import io
from typing import TYPE_CHECKING

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota.cli import device_output
from pulumi_iotda_ota.cli.session import Session
from pulumi_iotda_ota.iotda.retry import SYSTEM_CLOCK

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
    missing = shell(*firmware, "--group-id", "no-such-group")
    assert missing.code == 3
    assert missing.err.startswith("error: there is no device group no-such-group\n")
    wrong = shell(*firmware)
    assert (wrong.code, wrong.err) == (2, "error: set exactly one of --group-id, --product-id and --device-id\n")


class Stream(io.StringIO):
    """An output that is a terminal or not."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return self._terminal


@pytest.mark.parametrize(
    ("terminal", "printed"),
    [
        (True, "\rread 50 of 200 devices\x1b[K\rread 100 of 200 devices\x1b[K\r\x1b[K"),
        (False, "read 100 of 200 devices\n"),
    ],
)
def test_progress_of_long_work(monkeypatch: pytest.MonkeyPatch, terminal: bool, printed: str) -> None:
    """A terminal shows a line that is rewritten and removed. A log has a line each half minute, and none before."""
    now = [0.0]
    monkeypatch.setattr(device_output, "SYSTEM_CLOCK", dataclasses.replace(SYSTEM_CLOCK, monotonic=lambda: now[0]))
    err = Stream(terminal=terminal)
    progress = device_output._Progress(Session({"TERM": "xterm"}, Stream(terminal=terminal), err))

    for seconds, done in ((0.1, 25), (5.0, 50), (31.0, 100)):
        now[0] = seconds
        progress(done, 200)
    progress.end()

    assert err.getvalue() == printed
