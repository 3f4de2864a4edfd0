"""UpgradeTaskConfirmation: confirms what a person approved, once, and never anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, OutcomeUnknown, ServiceError
from pulumi_iotda_ota.iotda.references import argument, render
from pulumi_iotda_ota.lifecycle.base import UNKNOWN
from pulumi_iotda_ota.lifecycle.confirmation import Confirmation
from tests.support.confirmations import begun, confirm, confirmations, waiting_task

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench


@pytest.mark.parametrize("document", [{"package_ids": ["p1"]}, {"package_id": "p1"}])
def test_an_approved_task_begins(bench: Bench, document: dict[str, Any]) -> None:
    """A task is confirmed once, after it has initialized, whichever document its service knows."""
    outputs = confirm(bench, waiting_task(bench, document=document))

    assert (outputs["task_name"], confirmations(bench), begun(bench)) == ("fleet_1", 1, True)
    assert sum(bench.time.slept) == 1  # it was Initializing


@pytest.mark.parametrize("approved", [["p2"], ["p1", "p2"]])
def test_other_packages_than_approved(bench: Bench, approved: list[str]) -> None:
    """A task that installs anything else is not confirmed; the error shows both sides."""
    with pytest.raises(InputError) as caught:
        confirm(bench, waiting_task(bench), *approved)

    assert "installs other packages than the approved ones; it was not confirmed" in str(caught.value)
    assert "found        p1\n" in str(caught.value)
    assert f"requested    {render(argument('approved_package_ids', sorted(approved)))}\n" in str(caught.value)
    assert confirmations(bench) == 0


def test_a_service_that_does_not_say_what_it_installs(bench: Bench) -> None:
    """If the packages of the task are not known, nothing is confirmed."""
    task_id = waiting_task(bench)
    bench.emulator.faults.add(operation="ShowBatchTask", times=None, merge={"batchtask": {"document": None}})

    with pytest.raises(InputError, match="does not return the packages of the task"):
        confirm(bench, task_id)
    assert confirmations(bench) == 0


def test_the_order_of_packages_says_nothing(bench: Bench) -> None:
    """Packages are a set."""
    confirm(bench, waiting_task(bench, document={"package_ids": ["p1", "p2"]}), "p2", "p1")

    assert begun(bench)


@pytest.mark.parametrize(
    ("task", "reported"),
    [
        ({"need_confirm": False}, "does not wait for a confirmation"),
        ({"stopped": True}, "was stopped, and cannot be confirmed"),
    ],
)
def test_a_task_that_can_not_be_confirmed(bench: Bench, task: dict[str, Any], reported: str) -> None:
    """A task that waits for no confirmation, or was stopped, is an error, because the approval would have no effect."""
    with pytest.raises(IotdaOtaError, match=reported):
        confirm(bench, waiting_task(bench, **task))
    assert confirmations(bench) == 0


def test_a_task_that_was_confirmed_elsewhere(bench: Bench) -> None:
    """A task that was confirmed on the console is not confirmed again."""
    task_id = waiting_task(bench)
    confirm(bench, task_id)
    bench.time.sleep(1)

    confirm(bench, task_id)

    assert confirmations(bench) == 1


@pytest.mark.parametrize("fault", [{"wire": "drop"}, {"error": "gateway_timeout"}, {"wire": "garbage"}])
def test_a_confirmation_whose_answer_is_lost(bench: Bench, fault: dict[str, Any]) -> None:
    """If the response to a confirmation is lost, the task shows it, and it is not sent again."""
    bench.emulator.faults.add(operation="ConfirmBatchTask", accept=True, **fault)

    confirm(bench, waiting_task(bench))

    assert (confirmations(bench), begun(bench)) == (1, True)


def test_a_confirmation_that_was_not_taken(bench: Bench) -> None:
    """A confirmation that shows nowhere fails the run, and the next run confirms."""
    task_id = waiting_task(bench)
    bench.emulator.faults.add(operation="ConfirmBatchTask", wire="drop")

    with pytest.raises(OutcomeUnknown, match="unknown whether the service accepted to confirm an upgrade task"):
        confirm(bench, task_id)

    confirm(bench, task_id)
    assert (confirmations(bench), begun(bench)) == (2, True)


def test_a_confirmation_that_is_refused(bench: Bench) -> None:
    """A refusal of the service is reported, for the whole task or for some of its devices."""
    task_id = waiting_task(bench)
    bench.emulator.faults.add(operation="ConfirmBatchTask", error="denied")
    with pytest.raises(ServiceError, match="refused to confirm an upgrade task"):
        confirm(bench, task_id)

    refused = {"target": "d1", "status": "failure", "error_msg": "busy\n::error::"}
    partly = {"targets": [refused, {"target": "d2", "status": "success"}]}
    bench.emulator.faults.add(operation="ConfirmBatchTask", status=200, body=partly)
    with pytest.raises(IotdaOtaError, match=r"could not be confirmed for 1 devices, d1 first: busy\\n: :error: :"):
        confirm(bench, task_id)


def test_a_task_that_never_gets_ready(bench: Bench) -> None:
    """A task that goes on initializing ends the wait after five minutes."""
    task_id = waiting_task(bench)
    bench.emulator.faults.add(operation="ShowBatchTask", times=None, merge={"batchtask": {"status": "Initializing"}})

    with pytest.raises(IotdaOtaError, match="was not ready to be confirmed within 300 seconds"):
        confirm(bench, task_id)
    assert confirmations(bench) == 0


def test_a_replaced_task_is_confirmed_by_its_own_approval(bench: Bench) -> None:
    """When the task is another one the approval must be for what that one installs."""
    state = confirm(bench, waiting_task(bench))
    other = waiting_task(bench, targets=["d3"], document={"package_ids": ["p2"]})
    news = {**state, "task_id": other}

    assert Confirmation.diff(bench.context, "confirmation", state, news).changes
    with pytest.raises(InputError, match="other packages than the approved ones"):
        Confirmation.update(bench.context, "confirmation", state, news)

    Confirmation.update(bench.context, "confirmation", state, {**news, "approved_package_ids": ["p2"]})
    assert begun(bench)


def test_what_owns_nothing_needs_no_credentials(bench: Bench) -> None:
    """A refresh, a destroy and a new connection send nothing and need no settings."""
    state = confirm(bench, waiting_task(bench))
    bench.emulator.forget_requests()
    silent = bench.silent().context

    assert Confirmation.read(silent, "confirmation", state) == state
    assert not Confirmation.diff(silent, "confirmation", state, state).changes
    moved = {**state, "connection": {"instance_id": "i2"}}
    assert Confirmation.update(silent, "confirmation", state, moved) == moved
    Confirmation.delete(silent, "confirmation", state)
    assert bench.count() == 0


def test_wrong_inputs(bench: Bench) -> None:
    """All wrong inputs are reported at once. An input that is not known yet has no problem."""
    context = bench.silent().context

    problems = Confirmation.check(context, {}, {"task_id": "X", "approved_package_ids": []}).problems
    assert [problem.argument for problem in problems] == ["task_id", "approved_package_ids"]
    assert Confirmation.check(context, {}, {"task_id": UNKNOWN, "approved_package_ids": ["p1"]}).problems == []


# What is no evidence that it has begun -----------------------------------------------------------------------------


def test_what_still_waits_is_confirmed(bench: Bench) -> None:
    """A task some of whose devices were let go by hand is confirmed for the others."""
    task_id = waiting_task(bench)
    bench.time.sleep(5)
    bench.run.client(bench.context.resolve({})).confirm_batch_task(task_id, ["d1"])

    confirm(bench, task_id)

    assert (confirmations(bench), begun(bench)) == (2, True)


@pytest.mark.parametrize(
    "answer",
    [{"need_confirm": None}, {"task_progress": None}, {"need_confirm": None, "task_progress": None}],
)
def test_a_service_that_tells_little(bench: Bench, answer: dict[str, Any]) -> None:
    """If the service does not return that devices wait, they are still confirmed."""
    task_id = waiting_task(bench)
    bench.emulator.faults.add(operation="ShowBatchTask", times=None, merge={"batchtask": answer})

    confirm(bench, task_id)

    assert (confirmations(bench), begun(bench)) == (1, True)


def test_devices_that_show_late(bench: Bench) -> None:
    """A task that counts no device yet is looked at again before it is confirmed."""
    none_yet = {"task_progress": {"total": 0, "waitting": 0}}
    task_id = waiting_task(bench)
    bench.emulator.faults.add(operation="ShowBatchTask", nth=2, times=3, merge={"batchtask": none_yet})

    confirm(bench, task_id)

    assert (confirmations(bench), begun(bench)) == (1, True)


def test_after_a_partial_refusal(bench: Bench) -> None:
    """The next run confirms what was refused in the last one, as its error says."""
    task_id = waiting_task(bench)
    refused = {"targets": [{"target": "d2", "status": "failure", "error_msg": "busy"}]}
    bench.emulator.faults.add(operation="ConfirmBatchTask", status=200, body=refused)
    with pytest.raises(IotdaOtaError, match="run pulumi up again"):
        confirm(bench, task_id)

    confirm(bench, task_id)

    assert begun(bench)
