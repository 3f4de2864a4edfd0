"""The requests that create or change something, as the resources send them, and what each must leave on the service."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from pulumi_iotda_ota.lifecycle.completion import Completion
from pulumi_iotda_ota.lifecycle.confirmation import Confirmation
from pulumi_iotda_ota.lifecycle.ota_package.resource import Package
from pulumi_iotda_ota.lifecycle.upgrade_task.resource import UpgradeTask
from tests.support.resource_packages import INPUTS, created_ids

if TYPE_CHECKING:
    from pulumi_iotda_ota.lifecycle.base import Created, Lifecycle, Properties
    from tests.support.fault_steps import Stage


class Post(ABC):
    """One resource, and the request that it sends. In a run, one other request is sent before it.

    Attributes:
        operation: the request.
        resource: the life cycle that sends it.
        loses: what the error of a run contains if the request was lost on its way.
    """

    operation: str
    resource: type[Lifecycle]
    loses = "it is unknown whether"

    @abstractmethod
    def prepare(self, stage: Stage) -> Properties:
        """Bring the service into the state that the request needs, and return the inputs of the resource."""

    @abstractmethod
    def holds(self, stage: Stage) -> bool:
        """Return whether the service has what the resource describes, and has it once."""

    def run(self, stage: Stage, inputs: Properties, created: Created | None) -> Created | None:
        """Run the program once, from the state of the run before; return the new state."""
        if created is None:
            return self.resource.create(stage.context, inputs)
        state = self.resource.read(stage.context, created.id, created.outputs)
        assert not self.resource.diff(stage.context, created.id, state, inputs).changes
        return created


class CreateTask(Post):
    """An upgrade task is created."""

    operation = "CreateBatchTask"
    resource = UpgradeTask
    loses = "it is unknown whether the upgrade task was created"

    def prepare(self, stage: Stage) -> Properties:
        """Check the inputs, as every preview does."""
        return stage.bench.checked()

    def holds(self, stage: Stage) -> bool:
        """Return whether there is one task."""
        return len(stage.bench.emulator.tasks) == 1


class CreatePackage(Post):
    """An OTA package is created."""

    operation = "CreateOtaPackage"
    resource = Package
    loses = "it is unknown whether the OTA package was created"

    def prepare(self, stage: Stage) -> Properties:
        """Check the inputs, as every preview does."""
        return Package.check(stage.context, {}, INPUTS).inputs

    def holds(self, stage: Stage) -> bool:
        """Return whether there is one package."""
        return len(created_ids(stage.bench)) == 1


class Confirm(Post):
    """An upgrade task is confirmed."""

    operation = "ConfirmBatchTask"
    resource = Confirmation

    def prepare(self, stage: Stage) -> Properties:
        """Let a task wait for its confirmation."""
        stage.bench.hang()
        stage.add_task(need_confirm=True)
        stage.bench.time.sleep(2)
        return {"task_id": stage.task_id, "approved_package_ids": ["p1"]}

    def holds(self, stage: Stage) -> bool:
        """Return whether no device waits any more."""
        (task,) = stage.bench.emulator.tasks
        return bool(task["task_progress"]["waitting"] == 0)


class Retry(Post):
    """The failed devices of an upgrade task are tried again."""

    operation = "RetryBatchTask"
    resource = Completion
    loses = "failed: 1 of 2 devices"

    def prepare(self, stage: Stage) -> Properties:
        """Let a task end one of whose devices succeeds at the second try."""
        stage.bench.emulator.set_device("d1", outcome="success", fails_first=1)
        stage.add_task()
        stage.bench.time.sleep(60)
        return {"task_id": stage.task_id, "retry_failed": True, "timeout": "10m"}

    def holds(self, stage: Stage) -> bool:
        """Return whether all devices have succeeded."""
        (task,) = stage.bench.emulator.tasks
        return bool(task["task_progress"]["success"] == 2)


class Stop(Post):
    """A running upgrade task is stopped. Two requests have the same effect as one."""

    operation = "StopBatchTask"
    resource = UpgradeTask

    def prepare(self, stage: Stage) -> Properties:
        """Start a task that does not end by itself."""
        stage.bench.hang()
        stage.add_task()
        stage.bench.time.sleep(2)
        return {}

    def run(self, stage: Stage, inputs: Properties, created: Created | None) -> Created | None:
        """Destroy the resource."""
        UpgradeTask.delete(stage.context, stage.task_id, stage.state("stop"))
        return None

    def holds(self, stage: Stage) -> bool:
        """Return whether the task has stopped."""
        return [task["status"] for task in stage.bench.emulator.tasks] == ["Stopped"]


POSTS: dict[str, Post] = {
    "create task": CreateTask(),
    "create package": CreatePackage(),
    "confirm": Confirm(),
    "retry": Retry(),
    "stop": Stop(),
}
