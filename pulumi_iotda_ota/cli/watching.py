"""What `task watch` does: waits as an UpgradeTaskCompletion does, by the same rules, and shows how it goes on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.answers import task_values
from pulumi_iotda_ota.cli.asking import service, world
from pulumi_iotda_ota.cli.failures import Interrupted
from pulumi_iotda_ota.cli.tasks import found_task, print_failing
from pulumi_iotda_ota.iotda.errors import CampaignFailed, InputError
from pulumi_iotda_ota.iotda.text import printable
from pulumi_iotda_ota.lifecycle.completion import Completion
from pulumi_iotda_ota.lifecycle.watching import stands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pulumi_iotda_ota.cli.asking import Service
    from pulumi_iotda_ota.cli.options import Asked
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.gate import Gate

    Progress = tuple[Callable[[str], None], Callable[[BatchTask], None]]

__all__ = ["inputs_of", "progress", "watch_task"]


def watch_task(asked: Asked) -> None:
    """Wait for the end of a task, and tell how it ended.

    Raises:
        CampaignFailed: it ended with more failures than may be.
        DeadlineExceeded: it did not end in time.
        Interrupted: Ctrl-C; the task goes on.
    """
    inputs = inputs_of(asked, Completion)
    with service(asked) as asking:
        try:
            with progress(asked) as (tell, seen):
                Completion.passed(world(asked, asking, tell=tell, seen=seen), inputs)
        except CampaignFailed:
            if asked.as_json:
                _tell(asked, asking)
            raise
        except KeyboardInterrupt:
            again = f"iotda-ota task watch {inputs['task_id']}"
            raise Interrupted(f"no longer watched; the task goes on by itself, watch it again: {again}") from None
        _tell(asked, asking)


def inputs_of(asked: Asked, gate: type[Gate]) -> dict[str, Any]:
    """Return what a command was asked as the inputs of the resource that does the same.

    Raises:
        InputError: something is wrong with them.
    """
    given: Mapping[str, Any] = {name: value for name, value in asked.values.items() if value is not None}
    for problem in gate.problems(dict(given)):
        raise InputError(str(problem), argument=problem.argument)
    return {**given, "connection": asked.settings}


@contextmanager
def progress(asked: Asked) -> Iterator[Progress]:
    """Give what shows how a task goes on: a bar on a terminal, lines elsewhere, nothing where a program reads."""
    if asked.as_json:
        yield lambda _: None, lambda _: None
    elif not asked.session.is_terminal(asked.session.err):
        yield asked.session.note, lambda _: None
    else:
        from pulumi_iotda_ota.cli.bars import bar  # noqa: PLC0415  rich is loaded for a terminal alone

        with bar(asked.session) as shown:
            yield shown


def _tell(asked: Asked, asking: Service) -> None:
    """Tell how the task stands now, with the devices that failed: also of one that ended well enough."""
    found = found_task(asked, asking)
    values = task_values(found)
    if asked.as_json:
        asked.session.json({"result": values})
    else:
        asked.session.line(f"upgrade task {printable(found.task.task_name)}: {stands(found.task)}")
        print_failing(asked.session, values["failing"])
