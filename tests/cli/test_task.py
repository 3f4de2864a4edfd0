"""`task`: the status of a task, its end as an exit code, and the commands that change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota.emulator import Emulator, Fault
from tests.conftest import settings_for
from tests.support.shell import Shell, plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pulumi_iotda_ota.emulator.messages import Request

PACKAGE = {"package_id": "p1", "app_id": "a", "package_type": "firmwarePackage", "product_id": "meter", "version": "V1"}
STORAGE = "Not enough storage for the new firmware package"


@pytest.fixture
def quick() -> Iterator[Emulator]:
    """Return a service with one package, whose devices are quick."""
    seed = {"packages": [{**PACKAGE, "create_time": "20260101T000000Z"}]}
    with Emulator(seed, device_seconds=0.1, initializing_seconds=0.05) as running:
        yield running


@pytest.fixture
def shell(quick: Emulator, tmp_path: Path) -> Shell:
    """Return a shell with the environment of that service."""
    return Shell(quick, tmp_path)


def start(emulator: Emulator, *targets: str, **fields: Any) -> str:
    """Start a task; return its id."""
    document = {"package_ids": ["p1"]}
    task = {"task_name": "canary_1", "task_type": "firmwareUpgrade", "document": document, "targets": list(targets)}
    return emulator.add_task(**{**task, **fields})


def posts(emulator: Emulator) -> list[str]:
    """Return the operations that changed something."""
    return [request.operation for request in emulator.requests if request.method == "POST"]


def status_of(emulator: Emulator) -> str:
    """Return the status of the newest task."""
    status: str = emulator.tasks[0]["status"]
    return status


def test_get(shell: Shell, quick: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task is printed with its failed devices and their causes; `--json` has the result of get_upgrade_task."""
    quick.set_device("d2", outcome="fail", error_code="IOTDA.014112", error_msg=STORAGE)
    task_id = start(quick, "d1", "d2")
    shell.inside("task", "watch", task_id)

    output, printed = shell.inside("task", "get", task_id), shell.inside("task", "get", task_id, "--json")

    assert (output.code, printed.code) == (0, 0)
    assert ["progress", "1 of 2 done, 1 failed, 0 running, 0 waiting, PartialSuccess"] in output.rows
    assert ["Fail", "d2", "IOTDA.014112", STORAGE] in output.rows
    for name, value in settings_for(quick).items():
        monkeypatch.setenv(name, value)
    assert printed.answer["result"] == iotda_ota.get_upgrade_task(task_id=task_id).to_dict()
    assert shell.inside("task", "get", task_id, "--field", "status").out == "PartialSuccess\n"


def test_a_task_that_is_not_there(shell: Shell) -> None:
    """A missing task is exit code 3 for every command of `task`, and nothing is sent that changes anything."""
    for words in (("get",), ("watch",), ("stop", "--yes"), ("retry", "--yes")):
        done = shell.inside("task", *words, "abc")

        assert (done.code, done.out) == (3, "")
        assert done.err.startswith("error: there is no upgrade task abc\n")


def test_list(shell: Shell, quick: Emulator) -> None:
    """Tasks are listed, the newest first, by type and status."""
    ids = [start(quick, "d1"), start(quick, "d1")]

    assert [row[5] for row in shell.inside("task", "list").rows] == ids[::-1]
    none = shell.inside("task", "list", "--task-type", "softwareUpgrade")
    assert (none.code, none.out, none.err) == (0, "", "no upgrade task matches; list more without --task-type\n")
    assert len(shell.inside("task", "list", "--max-items", "1", "--json").answer["result"]) == 1
    assert shell.inside("task", "list", "--max-items", "0").code == 2


def test_a_task_that_succeeds(shell: Shell, quick: Emulator) -> None:
    """A task that ends well is exit code 0; how it went on is on the standard error."""
    done = shell("task", "watch", start(quick, "d1", "d2"))

    assert done.code == 0
    assert done.out == "2 of 2 done, 0 failed, 0 running, 0 waiting, Success: upgrade task canary_1\n"
    assert done.err.endswith(done.out)


def test_a_partly_failed_task(shell: Shell, quick: Emulator) -> None:
    """More failures than allowed are exit code 5, with the devices, their causes, and commands as the fix."""
    quick.set_device("d2", outcome="fail", error_msg=STORAGE)
    task_id = start(quick, "d1", "d2")
    done = shell("task", "watch", task_id)

    assert done.code == 5
    assert "error: upgrade task canary_1 failed: 1 of 2 devices (limit 0)\n" in done.err
    assert f"d2           {STORAGE}" in done.err
    printed = " ".join(done.err.split())
    assert f"fix inspect this device; retry it: iotda-ota task retry {task_id}; start a new upgrade task" in printed
    assert printed.endswith("to accept the failures: --max-failed-devices 1")
    assert "pulumi" not in done.err
    assert shell("task", "watch", task_id, "--max-failed-percent", "50").code == 0


def test_text_of_a_device_does_not_change(shell: Shell, quick: Emulator) -> None:
    """The text of a failed device does not change, also if it has the name of an argument."""
    devices = ("d1", "product_id")
    for device in devices:
        quick.set_device(device, outcome="fail", error_msg="app_id is not mine, set retry_failed=True")
    done = shell.inside("task", "watch", start(quick, *devices, task_name="app_id"), "--json")

    printed = {fact["label"]: fact["text"] for fact in done.error["facts"]}
    for device in devices:
        assert printed[device] == "app_id is not mine, set retry_failed=True (IOTDA.014290)"
    assert "--max-failed-devices" in printed["fix"]
    assert done.error["message"].startswith("upgrade task app_id failed: 2 of 2 devices")


def test_a_failed_task_for_a_program(shell: Shell, quick: Emulator) -> None:
    """With `--json` the task is on the standard output, also if it failed, and the error is on the standard error."""
    quick.set_device("d1", outcome="fail", error_msg=STORAGE)
    done = shell("task", "watch", start(quick, "d1"), "--json")

    assert done.code == done.error["exit_code"] == 5
    assert (
        done.answer["result"]["failed_devices"]
        == [{"target": "d1", "status": "Fail", "error_code": "IOTDA.014001", "error_msg": STORAGE}]
        or done.answer["result"]["failed_devices"][0]["error_msg"] == STORAGE
    )
    assert done.error["kind"] == "UpgradeTaskFailed"


@pytest.mark.parametrize(("outcome", "code"), [("success", 0), ("fail", 5)])
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_an_outage_after_the_end_is_no_other_end(
    shell: Shell, quick: Emulator, outcome: str, code: int, as_json: tuple[str, ...]
) -> None:
    """A task that has been judged keeps its exit code if no more request succeeds."""
    quick.set_device("d1", outcome=outcome)
    task_id = start(quick, "d1")
    shell.inside("task", "watch", task_id)
    quick.faults.add(Fault(operation="ShowBatchTask", nth=2, times=None, status=503))
    done = shell.inside("task", "watch", task_id, "--max-attempts", "1", *as_json)

    assert done.code == code
    if as_json:
        assert done.answer["result"]["status"] == status_of(quick)
    else:
        assert "could not be read: Huawei Cloud failed to read an upgrade task (503)" in " ".join(done.err.split())


def test_an_outage_after_a_confirmation(shell: Shell, quick: Emulator) -> None:
    """A confirmation is reported also if the task cannot be read after it."""
    task_id = start(quick, "d1", need_confirm=True)

    def confirmed(_: Request) -> bool:
        return "ConfirmBatchTask" in posts(quick)

    quick.faults.add(Fault(operation="ShowBatchTask", match=confirmed, times=None, status=503))
    done = shell.inside("task", "confirm", task_id, "--approved-package-id", "p1", "--yes", "--max-attempts", "1")

    assert (done.code, posts(quick)) == (0, ["ConfirmBatchTask"])
    assert "it was confirmed, but could not be read after that" in done.err


def test_a_watch_that_runs_out_of_time(shell: Shell, quick: Emulator) -> None:
    """A timeout is exit code 1, and the task continues."""
    quick.set_device("d1", outcome="hang")
    done = shell("task", "watch", start(quick, "d1"), "--timeout", "1")

    assert done.code == 1
    assert "upgrade task canary_1 did not end within 1 seconds" in done.err
    assert "wait again" in done.err
    assert posts(quick) == []


def test_limits_that_do_not_go_together(shell: Shell, quick: Emulator) -> None:
    """A watch with two limits is exit code 2, and nothing is sent."""
    done = shell.inside("task", "watch", "abc", "--max-failed-devices", "1", "--max-failed-percent", "1")

    assert (done.code, quick.requests) == (2, [])
    assert done.err == "error: --max-failed-devices and --max-failed-percent: set one of them\n"


def test_ctrl_c_leaves_the_task_alone(shell: Shell, quick: Emulator) -> None:
    """Ctrl-C ends a watch at once with exit code 130. The task continues, and the message has the command for it."""
    quick.set_device("d2", outcome="hang")
    task_id = start(quick, "d1", "d2")
    done = shell.on_terminal("task", "watch", task_id, interrupt_at="1/2")

    assert done.code == 130
    assert f"iotda-ota task watch {task_id}" in " ".join(plain(done.out).split())
    assert "Traceback" not in done.out
    assert (posts(quick), status_of(quick)) == ([], "Processing")


def test_a_live_bar(tmp_path: Path) -> None:
    """A terminal displays a bar while the task runs, and its end after that."""
    seed = {"packages": [{**PACKAGE, "create_time": "20260101T000000Z"}]}
    now = [1_800_000_000.0]
    with Emulator(seed, clock=lambda: now[0], device_seconds=1) as emulator:
        emulator.set_device("d2", seconds=100)
        task_id = start(emulator, "d1", "d2")
        now[0] += 50
        # The second poll finds that the other device has ended too.
        emulator.faults.add(Fault(operation="ShowBatchTask", nth=2, before=lambda: now.append(now.pop() + 100)))
        done = Shell(emulator, tmp_path).on_terminal("task", "watch", task_id)
    output = plain(done.out)

    assert done.code == 0
    assert "━" in output
    assert "1/2" in output
    assert output.rstrip().endswith("2 of 2 done, 0 failed, 0 running, 0 waiting, Success: upgrade task canary_1")
    assert done.out.count("\x1b[?25l") == done.out.count("\x1b[?25h") == 1  # the cursor is back


def test_retry(shell: Shell, quick: Emulator) -> None:
    """Failed devices are retried once, after a confirmation on a terminal or with --yes."""
    quick.set_device("d2", fails_first=1, error_msg=STORAGE)
    task_id = start(quick, "d1", "d2")
    shell("task", "watch", task_id)

    refused = shell("task", "retry", task_id)
    declined = shell.on_terminal("task", "retry", task_id, keys="n\n")
    assert (refused.code, declined.code, posts(quick)) == (2, 1, [])
    assert "add --yes" in refused.err
    assert "cancelled; nothing changed" in declined.out

    agreed = shell.on_terminal("task", "retry", task_id, keys="y\n")
    assert (agreed.code, posts(quick)) == (0, ["RetryBatchTask"])
    assert "1 of 2 done, 1 failed, 0 running, 0 waiting, PartialSuccess" in " ".join(plain(agreed.out).split())
    assert shell("task", "watch", task_id).code == 0


def test_retry_of_some_devices(shell: Shell, quick: Emulator) -> None:
    """`--target` retries the named devices, and a refusal for one of them is an error with the cause."""
    quick.set_device("d2", outcome="fail", error_msg=STORAGE)
    task_id = start(quick, "d1", "d2")
    shell.inside("task", "watch", task_id)
    done = shell.inside("task", "retry", task_id, "--target", "d1", "--target", "d2", "--yes", "--json")

    assert done.code == 1
    assert {one["target"]: one["status"] for one in done.answer["result"]["targets"]} == {
        "d1": "failure",
        "d2": "success",
    }
    assert {"label": "retried", "text": "1 device"} in done.error["facts"]


def test_an_unknown_outcome_is_reported_and_not_repeated(shell: Shell, quick: Emulator) -> None:
    """A retry whose response is lost is sent once, and the error says that it may have been accepted."""
    quick.set_device("d1", outcome="fail", error_msg=STORAGE)
    task_id = start(quick, "d1")
    shell("task", "watch", task_id)
    quick.faults.add(Fault(operation="RetryBatchTask", accept=True, wire="drop"))
    done = shell("task", "retry", task_id, "--yes")

    assert (done.code, posts(quick)) == (1, ["RetryBatchTask"])
    assert done.err.startswith("error: it is unknown whether the service accepted to ")
    assert "iotda-ota task list" in done.err


def test_stop(shell: Shell, quick: Emulator) -> None:
    """A running task is stopped and waited for; one that has ended another resource of the stack owns it now."""
    quick.set_device("d1", outcome="hang")
    task_id = start(quick, "d1")
    first, again = shell.inside("task", "stop", task_id, "--yes"), shell.inside("task", "stop", task_id, "--yes")

    assert (first.code, again.code) == (0, 0)
    assert first.out == again.out
    assert first.out.endswith("Stopped: upgrade task canary_1\n")
    assert posts(quick) == ["StopBatchTask"]
    assert shell.inside("task", "watch", task_id).code == 5


def test_confirm(shell: Shell, quick: Emulator) -> None:
    """A waiting task is confirmed only if it installs the approved packages and no others."""
    task_id = start(quick, "d1", need_confirm=True)
    other = shell.inside("task", "confirm", task_id, "--approved-package-id", "p2", "--yes")
    assert (other.code, posts(quick)) == (2, [])
    assert "installs other packages than the approved ones; it was not confirmed" in other.err
    assert "write that into --approved-package-id" in " ".join(other.err.split())

    done = shell.inside("task", "confirm", task_id, "--approved-package-id", "p1", "--yes")
    assert (done.code, posts(quick)) == (0, ["ConfirmBatchTask"])
    assert shell.inside("task", "watch", task_id).code == 0


def test_text_of_a_device_cannot_move_the_terminal(shell: Shell, quick: Emulator) -> None:
    """Text from devices is escaped on the terminal. In the JSON it is exact."""
    quick.set_device("d1", outcome="fail", error_msg="\x1b[2Jgone\u202e")
    task_id = start(quick, "d1")
    failed = shell.inside("task", "watch", task_id)
    output, printed = shell.inside("task", "get", task_id), shell.inside("task", "get", task_id, "--json")

    assert "\x1b" not in failed.err + output.out + printed.out
    assert "\\x1b[2Jgone" in output.out
    assert printed.answer["result"]["failed_devices"][0]["error_msg"] == "\x1b[2Jgone\u202e"


def test_a_list_that_is_not_complete(shell: Shell, quick: Emulator) -> None:
    """A note says that a list of tasks or of failed devices is not complete."""
    many = [f"d{number}" for number in range(120)]
    for device in many:
        quick.set_device(device, outcome="fail", error_msg=STORAGE)
    start(quick, "ok")
    task_id = start(quick, *many)
    shell.inside("task", "watch", task_id, "--timeout", "20s")

    assert "the first 100 of 120 failed devices" in shell.inside("task", "get", task_id).err
    assert "the newest 1 of each type: --max-items lists more" in shell.inside("task", "list", "--max-items", "1").err
    assert shell.inside("task", "list", "--max-items", "2").err == ""


def test_refused_for_all(shell: Shell, quick: Emulator) -> None:
    """A retry that is refused for every device is an error. A wrong device is an error that names the option."""
    quick.set_device("d1", outcome="fail", error_msg=STORAGE)
    task_id = start(quick, "d1", "d2")
    shell.inside("task", "watch", task_id)

    done = shell.inside("task", "retry", task_id, "--target", "d2", "--yes")
    assert (done.code, "error: the service refused to retry all devices of upgrade task canary_1" in done.err) == (
        1,
        True,
    )
    assert shell.inside("task", "retry", task_id, "--target", "", "--yes").err.startswith("error: --target has an item")
