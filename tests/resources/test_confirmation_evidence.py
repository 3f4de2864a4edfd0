"""UpgradeTaskConfirmation: what counts as evidence that a task has begun, for every response of the service."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pulumi_iotda_ota.emulator.behavior import Switches
from pulumi_iotda_ota.iotda.errors import IotdaOtaError, ServiceError
from tests.support.confirmations import begun, confirm, confirmations, waiting_task

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench

ENDED = ("Success", "Fail", "PartialSuccess")
STATUSES = (*ENDED, "Stopped", "Stopping", "Initializing", "Waitting", "Waiting", "Processing")
BEGUN = ("processing", "success", "fail", "fail_wait_retry", "stopped", "removed")
COUNTS = st.fixed_dictionaries(
    {"total": st.integers(0, 3)}, optional=dict.fromkeys((*BEGUN, "waitting"), st.none() | st.integers(0, 3))
)


def is_evidence(status: str, progress: dict[str, int | None] | None) -> bool:
    """Return whether this says that no device waits any more."""
    if progress is None:
        return status in ENDED
    if not progress["total"] or progress.get("waitting"):
        return False
    return status in ENDED or sum(progress.get(name) or 0 for name in BEGUN) >= progress["total"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(STATUSES), st.none() | COUNTS)
@example("Waitting", {"total": 2})
@example("Processing", {"total": 2, "processing": 1})
@example("Success", {"total": 2, "waitting": 1})
@example("Waitting", {"total": 0, "waitting": 0})
@example("Processing", {"total": 0, "processing": 2})
def test_nothing_is_done_without_evidence(bench: Bench, status: str, progress: dict[str, int | None] | None) -> None:
    """Each response proves that all devices have begun, or the task is confirmed once, or there is an error."""
    bench.emulator.reset()
    task_id = waiting_task(bench)

    def answered(content: Any) -> Any:
        content["batchtask"] |= {"status": status, "task_progress": progress}
        return content

    bench.emulator.faults.add(operation="ShowBatchTask", times=None, edit=answered)
    done = False
    with suppress(IotdaOtaError):
        confirm(bench, task_id)
        done = True

    evident = is_evidence(status, progress)
    is_ready = status != "Initializing" and (progress is None or bool(progress["total"]))
    if status in ("Stopped", "Stopping") or not is_ready:
        assert (done, confirmations(bench)) == (False, 0)
    else:
        assert (done, confirmations(bench)) == (True, 0 if evident else 1)


def test_a_service_that_counts_no_waiting_devices(bench: Bench) -> None:
    """If a task counts only its total, it is confirmed and its devices start."""
    bench.emulator.switches = Switches(waiting_counts=False)
    task_id = waiting_task(bench)

    confirm(bench, task_id)

    assert confirmations(bench) == 1
    bench.time.sleep(60)
    assert bench.emulator.tasks[0]["status"] == "Success"


def test_nothing_is_confirmed_while_no_device_is_known(bench: Bench) -> None:
    """The request goes out only after the service has counted devices."""
    task_id = waiting_task(bench)
    none_yet = {"status": "Waitting", "task_progress": {"total": 0, "waitting": 0}}
    early = bench.emulator.faults.add(operation="ShowBatchTask", times=5, merge={"batchtask": none_yet})

    confirm(bench, task_id)

    operations = [request.operation for request in bench.emulator.requests]
    assert early.hits == 5
    assert operations.index("ConfirmBatchTask") > 5


@pytest.mark.parametrize("refusal", ["error", "targets"])
def test_a_refusal_because_it_has_meanwhile_begun(bench: Bench, refusal: str) -> None:
    """If another client confirms at the same moment, the refusal of our request is not a failure."""
    task_id = waiting_task(bench)
    client = bench.run.client(bench.context.resolve({}))
    refused = [{"target": target, "status": "failure", "error_msg": "not waiting"} for target in ("d1", "d2")]
    answer: dict[str, Any] = {"error": "task_state"} if refusal == "error" else {"body": {"targets": refused}}

    def somebody_confirms() -> None:
        bench.time.sleep(5)
        bench.emulator.faults.clear()
        client.confirm_batch_task(task_id)

    bench.emulator.faults.add(operation="ConfirmBatchTask", before=somebody_confirms, **answer)

    confirm(bench, task_id)

    assert begun(bench)


def test_a_refusal_that_stays_is_told(bench: Bench) -> None:
    """A refusal of a task whose devices still wait is an error, however often the task is read."""
    bench.emulator.switches = Switches(waiting_counts=False)
    task_id = waiting_task(bench)
    bench.emulator.faults.add(operation="ConfirmBatchTask", error="denied")

    with pytest.raises(ServiceError, match="refused to confirm an upgrade task"):
        confirm(bench, task_id)
    assert confirmations(bench) == 1
