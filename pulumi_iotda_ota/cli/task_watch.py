"""What `task watch` does: waits as an UpgradeTaskCompletion does, by the same rules, and shows how it goes on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.cli.connect import resource_context, service
from pulumi_iotda_ota.cli.error_output import Interrupted
from pulumi_iotda_ota.cli.task_queries import found_task, print_failing
from pulumi_iotda_ota.iotda.errors import CampaignFailed, InputError, IotdaOtaError
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.completion import Completion
from pulumi_iotda_ota.lifecycle.polling import stands
from pulumi_iotda_ota.serialization import task_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pulumi_iotda_ota.cli.connect import Service
    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.one_shot import OneShot

    Progress = tuple[Callable[[str], None], Callable[[BatchTask], None]]


def watch_task(asked: CommandInput) -> None:
    """Wait for the end of a task, and tell how it ended.

    Raises:
        CampaignFailed: it ended with more failures than may be.
        DeadlineExceeded: it did not end in time.
        Interrupted: Ctrl-C; the task goes on.
    """
    inputs = inputs_of(asked, Completion)
    looks = LastSeenTask()
    with service(asked) as asking:
        try:
            with progress(asked, looks) as (tell, seen):
                Completion.run(resource_context(asked, asking, tell=tell, seen=seen), inputs)
        except CampaignFailed:
            if asked.as_json:
                _tell(asked, asking, looks)
            raise
        except KeyboardInterrupt:
            again = f"iotda-ota task watch {inputs['task_id']}"
            raise Interrupted(f"no longer watched; the task goes on by itself, watch it again: {again}") from None
        _tell(asked, asking, looks)


class LastSeenTask:
    """What a task was when it was looked at last: all that is known of it where it can not be read once more."""

    def __init__(self) -> None:
        self.task: BatchTask | None = None

    def take(self, task: BatchTask) -> None:
        """Keep a task."""
        self.task = task


def inputs_of(asked: CommandInput, gate: type[OneShot]) -> dict[str, Any]:
    """Return what a command was asked as the inputs of the resource that does the same.

    Raises:
        InputError: something is wrong with them.
    """
    given: Mapping[str, Any] = {name: value for name, value in asked.values.items() if value is not None}
    for problem in gate.problems(dict(given)):
        raise InputError(str(problem), argument=problem.argument)
    return {**given, "connection": asked.settings}


@contextmanager
def progress(asked: CommandInput, looks: LastSeenTask) -> Iterator[Progress]:
    """Give what shows how a task goes on: a bar on a terminal, lines elsewhere, nothing where a program reads."""
    if asked.as_json:
        yield lambda _: None, looks.take
    elif not asked.session.is_terminal(asked.session.err):
        yield asked.session.note, looks.take
    else:
        from pulumi_iotda_ota.cli.progress import bar  # noqa: PLC0415  rich is loaded for a terminal alone

        with bar(asked.session) as (tell, seen):

            def taken(task: BatchTask) -> None:
                looks.take(task)
                seen(task)

            yield tell, taken


def _tell(asked: CommandInput, asking: Service, looks: LastSeenTask) -> None:
    """Tell how the task stands now, with the devices that failed: also of one that ended well enough."""
    try:
        found = found_task(asked, asking)
    except IotdaOtaError as error:
        # What became of the campaign is known; an outage that comes after that is no other end of it.
        if looks.task is None:
            raise
        print_task(asked, looks.task)
        if not asked.as_json:
            error.redact(asked.session.secrets)
            asked.session.note(f"its devices could not be read: {error.headline}")
        return
    values = task_values(found)
    if asked.as_json:
        asked.session.json({"result": values})
    else:
        print_task(asked, found.task)
        print_failing(asked.session, values["failing"], found.task)


def print_task(asked: CommandInput, task: BatchTask, **more: Any) -> None:
    """Tell how a task stands, without its devices."""
    if asked.as_json:
        values = {"task_id": task.task_id, "task_name": task.task_name, "status": task.status, **more}
        asked.session.json({"result": values})
    else:
        asked.session.line(f"upgrade task {sanitize(task.task_name)}: {stands(task)}")
