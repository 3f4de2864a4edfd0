"""What a change of an input does to a resource that exists: the effects that inputs share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.schema.argument import Change

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pulumi_iotda_ota.schema.argument import Argument

NEW_TASK = Change("replaces", "Replaces the task. Refused while the task runs, unless {replace_running} is set.")
ONCE = Change(
    "once",
    "Refused until the task has ended: the service reads it once, when the task is created. After the end: stored, "
    "with a warning that it has no effect on the existing task.",
)
NEXT_CREATION = Change("stored", "Stored: it is used when the next task is created.")
NEXT_REPLACEMENT = Change("stored", "Stored: it is used at the next replacement.")
NEW_PACKAGE = Change("replaces", "Replaces the package.")
ALLOWED = Change("allowed", "Refused, unless {allow_replace} is set. Then it replaces the package.")
SELECTS = Change("again", "Selects the package again, and moves the pin if another one is found.")
NEXT_PREVIEW = Change("stored", "Stored: it is used at each preview and update.")
WAITS = Change("again", "Waits for the task and judges it again.")
JUDGED = Change(
    "noted", "Stored, with a warning: the task was judged already. Change {triggers} too, to judge it again."
)
CONFIRMS = Change("again", "Compares the packages and confirms again.")
#: The change of ``connection``, which is not in the tables of arguments, by resource.
CONNECTION = {
    **dict.fromkeys(
        ("UpgradeTask", "OtaPackage"),
        Change("stored", "Stored if the resource is found with it. Otherwise an error says what differs."),
    ),
    "OtaPackagePin": NEXT_PREVIEW,
    **dict.fromkeys(
        ("UpgradeTaskCompletion", "UpgradeTaskConfirmation"),
        Change("stored", "Stored: it is used when the resource does its work again."),
    ),
}


def named(arguments: Iterable[Argument], *effects: str) -> tuple[str, ...]:
    """Return the names of the inputs whose change has one of the effects, in the table's order."""
    return tuple(argument.name for argument in arguments if argument.change and argument.change.effect in effects)
