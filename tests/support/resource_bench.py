"""What the tests of the life cycles share: a small service, a time that only they move, and the world between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.references import render
from pulumi_iotda_ota.iotda.retry import Clock
from pulumi_iotda_ota.lifecycle.base import ResourceContext
from pulumi_iotda_ota.lifecycle.upgrade_task.resource import UpgradeTask
from pulumi_iotda_ota.lookup.session import Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from pulumi_iotda_ota.lifecycle.base import Created, Diff, Properties

START = datetime(2026, 11, 22, 12, 0, 0, tzinfo=timezone.utc)
SCOPE = {"organization": "acme", "project": "meters", "stack": "prod", "name": "canary"}


def package(package_id: str, version: str, kind: str = "firmwarePackage", **more: Any) -> dict[str, Any]:
    """Return a package of the seed."""
    fields = {"app_id": "energy", "product_id": "meter", "create_time": "20260101T000000Z"}
    return {"package_id": package_id, "package_type": kind, "version": version, **fields, **more}


SEED: dict[str, Any] = {
    "packages": [
        package(
            "p1", "V1", file_location={"obs_location": {"region_name": "r", "bucket_name": "b-1", "object_key": "k"}}
        ),
        package("p2", "V2", create_time="20260201T000000Z"),
        package("s1", "S1", "softwarePackage"),
        package("m1", "M1", "modulePackage", module_name="radio"),
    ],
    "groups": {"few": ["d1", "d2"], "more": ["d3"]},
}


class FakeTime:
    """Time that moves only by sleeping, for our code and for the service; what is due happens on the way."""

    def __init__(self) -> None:
        self.now = START
        self.slept: list[float] = []
        self._due: list[tuple[datetime, Callable[[], object]]] = []

    def __call__(self) -> float:
        """Return the time as the service reads it."""
        return self.now.timestamp()

    @property
    def clock(self) -> Clock:
        """Return the time as our code reads it."""
        return Clock(now=lambda: self.now, monotonic=self, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        due = [(at, work) for at, work in self._due if at <= self.now]
        self._due = [item for item in self._due if item not in due]
        for _, work in due:
            work()

    def after(self, seconds: float, work: Callable[[], object]) -> None:
        """Do something once so much time has passed."""
        self._due.append((self.now + timedelta(seconds=seconds), work))


@dataclass
class Bench:
    """A running service, and the world as the life cycles meet it."""

    emulator: Emulator
    time: FakeTime
    environ: dict[str, str]
    warnings: list[str] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)
    run: Run = field(init=False)

    def __post_init__(self) -> None:
        self.run = Run(memo=False, clock=self.time.clock)

    @property
    def context(self) -> ResourceContext:
        """Return the world with the settings as they are now."""
        return ResourceContext(
            run=self.run,
            config={},
            environ=self.environ,
            warn=lambda line: self.warnings.append(render(line)),
            report=lambda line: self.reported.append(render(line)),
        )

    def inputs(self, **changes: Any) -> Properties:
        """Return the inputs of a task from a program. None removes an input."""
        given = {"package_ids": ["p1"], "targets": ["d1", "d2"], "scope": SCOPE, **changes}
        return {name: value for name, value in given.items() if value is not None}

    def checked(self, olds: Properties | None = None, **changes: Any) -> Properties:
        """Return the checked inputs of a task that has no problem."""
        checked = UpgradeTask.check(self.context, olds or {}, self.inputs(**changes))
        assert checked.problems == []
        return checked.inputs

    def created(self, **changes: Any) -> Created:
        """Check and create a task."""
        return UpgradeTask.create(self.context, self.checked(**changes))

    def problems(self, olds: Properties | None = None, **changes: Any) -> str:
        """Return what is wrong with the inputs of a task, one line each."""
        checked = UpgradeTask.check(self.context, olds or {}, self.inputs(**changes))
        return "\n".join(f"{problem.argument}: {problem.rendered()}" for problem in checked.problems)

    def compared(self, created: Created, **changes: Any) -> Diff:
        """Check and compare other inputs of an existing task, as a preview does."""
        context = self.context
        checked = UpgradeTask.check(context, created.outputs, self.inputs(**changes))
        assert checked.problems == []
        return UpgradeTask.diff(context, created.id, created.outputs, checked.inputs)

    def refused(self, created: Created, **changes: Any) -> str:
        """Return the error with which a preview refuses other inputs of an existing task."""
        try:
            self.compared(created, **changes)
        except InputError as error:
            return str(error)
        raise AssertionError("it was not refused")

    def hang(self) -> None:
        """Let no device ever end, so that tasks run on."""
        for device in ("d1", "d2", "d3"):
            self.emulator.set_device(device, outcome="hang")

    def count(self, operation: str = "") -> int:
        """Return how many requests came, of an operation or at all."""
        return sum(1 for request in self.emulator.requests if operation in ("", request.operation))

    @property
    def posts(self) -> int:
        """Return how many tasks were requested."""
        return self.count("CreateBatchTask")

    def silent(self) -> Bench:
        """Return a bench that has no credentials and knows no service; what works in it sends nothing."""
        return Bench(self.emulator, self.time, {}, self.warnings)
