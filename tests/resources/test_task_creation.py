"""UpgradeTask: one task, whatever happens to the request that creates it. Every POST is counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulumi_iotda_ota.emulator.behavior import Switches
from pulumi_iotda_ota.iotda.errors import CredentialsError, IotdaOtaError, OutcomeUnknown, ServiceError
from pulumi_iotda_ota.lifecycle.upgrade_task.resource import UpgradeTask
from tests.support.resource_bench import SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.support.resource_bench import Bench


def add_task(bench: Bench, **changes: Any) -> str:
    """Add a task with the bench's inputs to the service, as an interrupted run creates it, and return its id."""
    name = bench.checked()["task_name"]
    body = {"task_name": name, "task_type": "firmwareUpgrade", "document": {"package_ids": ["p1"]}}
    targets = {} if "targets_filter" in changes else {"targets": ["d1", "d2"]}
    return bench.emulator.add_task(**{**body, **targets, **changes})


def test_create_sends_one_request_and_returns_at_once(bench: Bench) -> None:
    """A task is searched for, requested once and not waited for. Its id and state are the outputs."""
    inputs = bench.checked(retry_count=2, retry_interval=5, need_confirm=True, task_ext_info={"k": 1})
    bench.emulator.forget_requests()

    created = UpgradeTask.create(bench.context, inputs)

    assert [request.operation for request in bench.emulator.requests] == ["ListBatchTasks", "CreateBatchTask"]
    assert bench.time.slept == []
    (task,) = bench.emulator.tasks
    assert (created.id, created.outputs["task_id"], created.outputs["status"]) == (
        *[task["task_id"]] * 2,
        "Initializing",
    )
    assert created.outputs["identity"]["endpoint"] == bench.emulator.endpoint
    assert task["task_policy"] == {"retry_count": 2, "retry_interval": 5}
    assert (task["need_confirm"], task["task_ext_info"]) == (True, {"k": 1})
    assert not UpgradeTask.diff(bench.context, created.id, created.outputs, inputs).changes


def test_devices_are_a_set(bench: Bench) -> None:
    """A device that is named twice is sent once."""
    bench.created(targets=["d2", "d1", "d2"])

    assert bench.emulator.tasks[0]["targets"] == ["d2", "d1"]


def test_groups(bench: Bench) -> None:
    """Groups are sent as a filter, and no devices beside them."""
    bench.created(targets=None, group_ids=["few", "more"])

    (task,) = bench.emulator.tasks
    assert task["targets_filter"] == {"group_ids": ["few", "more"]}
    assert "targets" not in task


def test_older_instances_get_their_document(bench: Bench) -> None:
    """document_key="package_id" sends the packages as instances of 2025 want them."""
    bench.created(document_key="package_id")

    assert bench.emulator.tasks[0]["document"] == {"package_id": "p1"}


# Adoption ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, 3, 60])
@pytest.mark.parametrize("echo", ["package_ids", "package_id"])
def test_what_an_interrupted_run_left_is_taken_over(bench: Bench, seconds: float, echo: Any) -> None:
    """An equal task that runs, or ended recently, is adopted with a warning, and nothing is created."""
    bench.emulator.switches = Switches(document_echo=echo)
    task_id = add_task(bench)
    bench.time.sleep(seconds)

    created = bench.created()

    assert created.id == task_id
    assert bench.posts == 0
    status = bench.emulator.tasks[0]["status"]
    (warning,) = bench.warnings
    assert f"exists already and is adopted: task_id {task_id}, status {status}" in warning


def test_a_service_that_echoes_little_is_believed(bench: Bench) -> None:
    """A field that the service does not echo is no disagreement."""
    bench.emulator.switches = Switches(echo_targets=False)

    assert bench.created().id == bench.created().id
    assert bench.posts == 1


def test_the_newest_of_several_counts(bench: Bench) -> None:
    """Of two tasks with one name, the newest is adopted."""
    add_task(bench)
    newest = add_task(bench)

    assert bench.created().id == newest


def test_the_look_goes_on_over_pages(bench: Bench) -> None:
    """A task is found behind more than a page of newer ones."""
    task_id = add_task(bench)
    for number in range(60):
        add_task(bench, task_name=f"other_{number}")

    assert bench.created().id == task_id


@pytest.mark.parametrize(
    ("hours", "within", "taken"),
    [
        (23, None, True),
        (25, None, False),
        (1, "30m", False),
        (0.4, "30m", True),
        (0.01, 0, False),
        (48, "999999999d", True),
    ],
)
def test_a_finished_task_is_taken_over_for_a_while(bench: Bench, hours: float, within: Any, taken: bool) -> None:
    """A finished task is adopted within adopt_within of its creation. An older one is an error."""
    add_task(bench)
    bench.time.sleep(hours * 3600)

    if taken:
        bench.created(adopt_within=within)
    else:
        with pytest.raises(
            IotdaOtaError, match=r"is older than adopt_within[\s\S]*status Success[\s\S]*change triggers"
        ):
            bench.created(adopt_within=within)
    assert bench.posts == 0


@pytest.mark.parametrize("hours", [23, 25])
@pytest.mark.parametrize(
    "form",
    [lambda time: time.isoformat(), lambda time: int(time.timestamp() * 1000)],
    ids=["RFC 3339", "milliseconds"],
)
def test_the_age_of_a_task_is_read_in_every_form(bench: Bench, form: Callable[[datetime], Any], hours: float) -> None:
    """However the service writes the creation time of a finished task, adopt_within is counted from it."""
    created = form(bench.context.clock.now())
    add_task(bench)
    bench.emulator.faults.add(operation="ShowBatchTask", times=None, merge={"batchtask": {"create_time": created}})
    bench.time.sleep(hours * 3600)

    if hours < 24:
        bench.created()
    else:
        with pytest.raises(IotdaOtaError, match="is older than adopt_within"):
            bench.created()
    assert bench.posts == 0


@pytest.mark.parametrize("seconds", [0, 10])
def test_a_stopped_task_is_not_taken_over(bench: Bench, seconds: float) -> None:
    """A task that was stopped is not started again, and not reported as running."""
    add_task(bench, stopped=True)
    bench.time.sleep(seconds)

    with pytest.raises(IotdaOtaError, match=r"exists already and was stopped[\s\S]*change triggers"):
        bench.created()
    assert bench.posts == 0


@pytest.mark.parametrize(
    ("found", "reported"),
    [
        ({"document": {"package_ids": ["p2"]}}, r'package_ids is \["p2"\], not \["p1"\]'),
        ({"targets": ["d1"]}, r'targets is \["d1"\], not \["d1", "d2"\]'),
        ({"need_confirm": True}, "need_confirm is True, not False"),
    ],
)
def test_another_campaign_of_that_name_is_an_error(bench: Bench, found: dict[str, Any], reported: str) -> None:
    """A task whose returned fields differ is another task, and is not changed."""
    add_task(bench, **found)

    with pytest.raises(IotdaOtaError, match=f"with other inputs: {reported}"):
        bench.created()
    assert bench.posts == 0


def test_a_schedule_that_an_interrupted_run_asked_for(bench: Bench) -> None:
    """A task with a schedule is adopted after the scheduled time. Without such a task, a past schedule is an error."""
    schedule = "2026-11-22T13:00:00Z"
    name = bench.checked(schedule_time=schedule)["task_name"]
    bench.time.sleep(2 * 3600)
    assert "schedule_time: must be in the next 7 days" in bench.problems(schedule_time=schedule)

    task_id = add_task(bench, task_name=name)
    assert bench.created(schedule_time=schedule).id == task_id
    assert bench.posts == 0


@pytest.mark.parametrize("part", SCOPE)
def test_stacks_do_not_share_a_task(bench: Bench, part: str) -> None:
    """An equal task of another organization, project, stack or resource is another task."""
    bench.created()
    bench.time.sleep(60)  # while it runs, no other task gets its devices
    bench.created(scope={**SCOPE, part: "other"})

    assert len(bench.emulator.tasks) == 2


# Lost answers --------------------------------------------------------------------------------------------------------

LOST = {
    "dropped": {"accept": True, "wire": "drop"},
    "reset": {"accept": True, "wire": "reset"},
    "cut": {"accept": True, "wire": "cut"},
    "garbage": {"accept": True, "wire": "garbage"},
    "no JSON": {"accept": True, "status": 201, "body": "<html>created</html>"},
    "of another shape": {"merge": {"task_id": None}},
    "500": {"accept": True, "error": "internal"},
    "502": {"accept": True, "error": "bad_gateway"},
    "504": {"accept": True, "error": "gateway_timeout"},
}


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_an_accepted_request_whose_answer_is_lost(bench: Bench, fault: dict[str, Any]) -> None:
    """If the response is lost, the task is found by its name in the same run, and the request is not repeated."""
    bench.emulator.faults.add(operation="CreateBatchTask", **fault)

    created = bench.created()

    assert bench.posts == 1
    assert [task["task_id"] for task in bench.emulator.tasks] == [created.id]


def test_an_answer_that_does_not_come_in_time(bench: Bench) -> None:
    """A request that is accepted without a response within the deadline is searched for like any other."""
    bench.emulator.faults.add(operation="CreateBatchTask", wire="drip", interval=0.3)

    created = bench.created(connection={"deadline": 1})

    assert bench.posts == 1
    assert [task["task_id"] for task in bench.emulator.tasks] == [created.id]


@pytest.mark.parametrize("seconds", [1, 28, 110])
def test_a_request_that_is_accepted_late(bench: Bench, seconds: float) -> None:
    """A task that appears within two minutes after its response was lost is adopted."""

    def accept_later(request: Any) -> bool:
        bench.time.after(seconds, lambda: bench.emulator.add_task(**json.loads(request.body)))
        return True

    bench.emulator.faults.add(operation="CreateBatchTask", match=accept_later, wire="drop")

    created = bench.created()

    assert bench.posts == 1
    assert [task["task_id"] for task in bench.emulator.tasks] == [created.id]


UNKNOWN_OUTCOMES = {
    "dropped": {"wire": "drop"},
    "500": {"error": "internal"},
    "503": {"error": "iam_down"},
    "504": {"error": "gateway_timeout"},
}


@pytest.mark.parametrize("fault", UNKNOWN_OUTCOMES.values(), ids=UNKNOWN_OUTCOMES)
def test_an_unknown_outcome_ends_after_two_minutes(bench: Bench, fault: dict[str, Any]) -> None:
    """A request that may have been accepted is not repeated: after two minutes the run fails."""
    bench.emulator.faults.add(operation="CreateBatchTask", **fault)

    with pytest.raises(
        OutcomeUnknown, match=r"unknown whether the upgrade task was created[\s\S]*run pulumi up again"
    ) as caught:
        bench.created()

    assert ("cause", caught.value.cause) in caught.value.facts
    assert ("could not" if "wire" in fault else "Huawei Cloud failed to") in caught.value.cause

    assert bench.posts == 1
    assert sum(bench.time.slept) == pytest.approx(120)
    created = bench.created()
    assert bench.posts == 2
    assert [task["task_id"] for task in bench.emulator.tasks] == [created.id]


def test_a_service_that_is_down_while_it_is_looked_for(bench: Bench) -> None:
    """If the search for the task fails, the error says why, and the request is still not repeated."""
    bench.emulator.faults.add(operation="CreateBatchTask", wire="drop", accept=True)
    bench.emulator.faults.add(operation="ListBatchTasks", nth=2, times=None, error="iam_down")

    with pytest.raises(OutcomeUnknown, match="120 seconds; the search failed: Huawei Cloud failed"):
        bench.created(connection={"max_attempts": 1})

    assert bench.posts == 1
    bench.emulator.faults.clear()
    assert bench.created().id == bench.emulator.tasks[0]["task_id"]
    assert bench.posts == 1


@pytest.mark.parametrize("error", ["invalid", "denied", "group_missing", "space_missing"])
def test_a_refused_request_creates_nothing(bench: Bench, error: str) -> None:
    """A request that the service refuses is an error at once, sent once."""
    inputs = bench.checked()
    bench.emulator.faults.add(operation="CreateBatchTask", error=error)

    with pytest.raises(ServiceError, match="Huawei Cloud refused to create an upgrade task"):
        UpgradeTask.create(bench.context, inputs)
    assert (bench.posts, bench.emulator.tasks, bench.time.slept) == (1, [], [])


def test_throttling_is_no_acceptance(bench: Bench) -> None:
    """A request that was throttled was not accepted, and is sent again."""
    bench.emulator.faults.add(operation="CreateBatchTask", error="throttled")

    bench.created()

    assert bench.posts == 2
    assert len(bench.emulator.tasks) == 1


def test_refused_credentials_create_nothing(bench: Bench) -> None:
    """Credentials that are refused end the create at once."""
    inputs = bench.checked()
    bench.environ["HW_SECRET_KEY"] = "another"

    with pytest.raises(CredentialsError):
        UpgradeTask.create(bench.context, inputs)
    assert bench.posts == 0


FAULTS = [*LOST.values(), *UNKNOWN_OUTCOMES.values(), {"error": "throttled"}, {"error": "invalid"}, {"delay": 0.0}]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(FAULTS), max_size=3))
def test_runs_that_fail_in_any_way_end_with_one_task(bench: Bench, faults: list[dict[str, Any]]) -> None:
    """However the requests of several runs fail, a run that succeeds leaves exactly one task, which it knows."""
    bench.emulator.reset()
    bench.time.slept.clear()
    for fault in faults:
        bench.emulator.faults.add(operation="CreateBatchTask", **fault)
        try:
            bench.created(connection={"max_attempts": 1})
        except IotdaOtaError:
            pass
        else:
            break

    bench.emulator.faults.clear()
    created = bench.created()
    assert [task["task_id"] for task in bench.emulator.tasks] == [created.id]


# Others' tasks in the list -------------------------------------------------------------------------------------------


def test_large_tasks_of_others(bench: Bench) -> None:
    """Tasks that repeat so many targets that a page of them is too large are read in smaller pages."""
    targets = [f"{number:0108}" for number in range(30_000)]
    for number in range(6):
        add_task(bench, task_name=f"large_{number}", targets=targets)

    assert bench.created().id == bench.emulator.tasks[0]["task_id"]
    limits = [
        int(request.query["limit"]) for request in bench.emulator.requests if request.operation == "ListBatchTasks"
    ]
    assert min(limits) < 50


def test_odd_tasks_of_others(bench: Bench) -> None:
    """An odd task of another owner prevents no creation."""
    add_task(bench, task_name="other")
    odd = {"batchtasks": [{"task_id": "1", "task_name": "n", "status": "x", "targets": 7, "task_progress": "none"}]}
    bench.emulator.faults.add(operation="ListBatchTasks", merge=odd)

    bench.created()

    assert bench.posts == 1
