"""What a program does with the service, step by step: which request the matrix spoils, and what the right end is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.lifecycle.completion import Completion
from pulumi_iotda_ota.lifecycle.upgrade_task.resource import UpgradeTask
from pulumi_iotda_ota.lookup.find import find_packages
from pulumi_iotda_ota.lookup.query import PackagesLookup
from tests.support.resource_bench import SEED, Bench, package

if TYPE_CHECKING:
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext

#: Three pages of one product beside what the bench holds.
MANY: dict[str, Any] = {
    **SEED,
    "packages": [
        *SEED["packages"],
        *(package(f"many-{number}", f"V{number}", "softwarePackage", product_id="many") for number in range(120)),
    ],
}
LOOKUP = PackagesLookup.from_arguments({"package_type": "softwarePackage", "product_id": "many"})
# The devices of the bench need six.
_WAIT_SECONDS = 10


@dataclass
class Stage:
    """A service with a task or two, and a program that is about to take one step."""

    bench: Bench
    settings: dict[str, Any] = field(default_factory=dict)
    inputs: Properties = field(default_factory=dict)
    task_id: str = ""
    patient: bool = True

    @property
    def context(self) -> ResourceContext:
        """Return the world with the settings as they are now."""
        return replace(self.bench.context, config=self.settings)

    def state(self, on_destroy: str) -> Properties:
        """Return what a stack stores of the task."""
        return {"on_destroy": on_destroy, "identity": dict(self.context.resolve({}).identity)}

    def add_task(self, **fields: Any) -> None:
        """Put a task onto the service."""
        body = {"task_name": "canary", "task_type": "firmwareUpgrade", "document": {"package_ids": ["p1"]}}
        self.task_id = self.bench.emulator.add_task(**body, targets=["d1", "d2"], **fields)


class Step(ABC):
    """One step.

    Attributes:
        operation: which operation is requested.
        nth: which of these requests is spoilt.
        after: how many requests of any kind go before it.
        beside: how many requests are sent together with it, once each.
        seconds: within how many seconds the step ends, whatever happens.
        vital: where the response has a field that it cannot do without, with the name of the field.
        unspoilt: the faults that a response of this operation cannot have.
    """

    operation: str
    nth = 1
    after = 1
    beside = 0
    seconds = 60.0
    vital: tuple[tuple[str | int, ...], str] | None = None
    unspoilt: frozenset[str] = frozenset()

    def prepare(self, stage: Stage) -> None:  # noqa: B027  most steps need nothing
        """Bring the service into the state in which the step is taken."""

    @abstractmethod
    def act(self, stage: Stage) -> Any:
        """Take the step, and return what it answers."""

    @abstractmethod
    def hold(self, stage: Stage, answer: Any) -> None:
        """Hold the answer, and the service after it, to what is right."""


class Page(Step):
    """A lookup of three pages, one of which is spoilt."""

    operation = "ListOtaPackageInfo"
    vital = ((), "packages")

    def __init__(self, number: int) -> None:
        self.nth = number
        # The second and the third are requested together: what comes before one comes before both.
        self.after, self.beside = (1, 1) if number > 1 else (0, 0)

    def act(self, stage: Stage) -> Any:
        """Look all packages up."""
        found = find_packages(stage.bench.run, stage.context.resolve({}), LOOKUP)
        return [package.package_id for package in found.packages]

    def hold(self, stage: Stage, answer: Any) -> None:
        """Every package is there once, newest record first."""
        held = [found for found in stage.bench.emulator.packages if found["product_id"] == "many"]
        assert answer == [found["package_id"] for found in held]


class Create(Step):
    """An upgrade task is created."""

    operation = "CreateBatchTask"
    # Two operations: the search for the task of a lost response, and the lookup within that search.
    seconds = 60 + 60 + 30 + 60.0
    vital = ((), "task_id")

    def prepare(self, stage: Stage) -> None:
        """Check the inputs, as every preview does."""
        stage.inputs = stage.bench.checked()

    def act(self, stage: Stage) -> Any:
        """Create the task."""
        return UpgradeTask.create(stage.context, stage.inputs).id

    def hold(self, stage: Stage, answer: Any) -> None:
        """There is one task, and it is known."""
        assert [task["task_id"] for task in stage.bench.emulator.tasks] == [answer]


class Poll(Step):
    """An upgrade task is waited for."""

    operation = "ShowBatchTask"
    nth = 2
    # The wait, and its last look.
    seconds = _WAIT_SECONDS + 10.0
    vital = (("batchtask",), "status")

    def prepare(self, stage: Stage) -> None:
        """Start the upgrade task."""
        stage.add_task()

    def act(self, stage: Stage) -> Any:
        """Wait for its end."""
        # Where each look takes its time there are only a few of them.
        seconds = _WAIT_SECONDS if "deadline" not in stage.settings or stage.patient else 1
        return Completion.create(stage.context, {"task_id": stage.task_id, "timeout": seconds}).outputs

    def hold(self, stage: Stage, answer: Any) -> None:
        """Both devices are done."""
        assert (answer["status"], answer["progress"]["success"], answer["failed_count"]) == ("Success", 2, 0)


class Stop(Step):
    """A running upgrade task is stopped."""

    operation = "StopBatchTask"
    seconds = 60 + 60 + 300.0
    vital = ((), "targets")
    # What it did to each device is not needed: the task is read until it has stopped.
    unspoilt = frozenset({"missing field"})

    def prepare(self, stage: Stage) -> None:
        """Start an upgrade task that does not end by itself."""
        stage.bench.hang()
        stage.add_task()
        stage.bench.time.sleep(2)

    def act(self, stage: Stage) -> Any:
        """Destroy the resource."""
        UpgradeTask.delete(stage.context, stage.task_id, stage.state("stop"))

    def hold(self, stage: Stage, answer: Any) -> None:
        """It has stopped."""
        assert [task["status"] for task in stage.bench.emulator.tasks] == ["Stopped"]


class Delete(Step):
    """An ended upgrade task is deleted."""

    operation = "DeleteBatchTask"
    seconds = 60 + 60.0
    # The answer has no body: nothing of it is late, cut or of another shape, and an empty one is as it should be.
    unspoilt = frozenset(
        {
            "empty body",
            "cut body",
            "dropped after the headers",
            "slow drip",
            "wrong type",
            "missing field",
            "another shape",
        }
    )

    def prepare(self, stage: Stage) -> None:
        """Let an upgrade task end."""
        stage.add_task()
        stage.bench.time.sleep(_WAIT_SECONDS)

    def act(self, stage: Stage) -> Any:
        """Destroy the resource."""
        UpgradeTask.delete(stage.context, stage.task_id, stage.state("delete"))

    def hold(self, stage: Stage, answer: Any) -> None:
        """It is gone."""
        assert stage.bench.emulator.tasks == []


STEPS: dict[str, Step] = {
    "first page": Page(1),
    "middle page": Page(2),
    "last page": Page(3),
    "create": Create(),
    "poll": Poll(),
    "stop": Stop(),
    "delete": Delete(),
}
