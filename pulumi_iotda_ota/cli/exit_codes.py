"""The exit codes, and which error ends with which. The reference and the tests are made from this table."""

from __future__ import annotations

from dataclasses import dataclass

from pulumi_iotda_ota.errors import LockError, MultiplePackages, PackageNotFound, UpgradeTaskFailed
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, ServiceError


class NoSuchTask(IotdaOtaError):
    """No task has the name that a command was given."""


class SeveralTasks(IotdaOtaError):
    """Several tasks have the name that a command was given."""


@dataclass(frozen=True)
class ExitCode:
    """One exit code.

    Attributes:
        number: the code.
        meaning: a sentence.
    """

    number: int
    meaning: str


DONE = ExitCode(0, "Done. An empty list is a result.")
ERROR = ExitCode(1, "An error: settings, credentials, the service, the lock file, or time that ran out.")
USAGE = ExitCode(2, "The arguments are wrong. Nothing was changed.")
NOT_FOUND = ExitCode(3, "Nothing was found: no package matches, or there is no such package or task.")
SEVERAL = ExitCode(4, "Several packages match, or several tasks have the name. None was chosen.")
FAILED = ExitCode(5, "The upgrade task failed: more devices failed than allowed, or it was stopped.")
INCAPABLE = ExitCode(6, "`package path`: not every version can reach the target.")
NEWER = ExitCode(7, "`lock check` found another package, or a locked package is gone or has changed.")
INTERRUPTED = ExitCode(130, "Ctrl-C. A task on the service goes on by itself.")
CLOSED_PIPE = ExitCode(141, "The reader of the output closed it, as `head` does.")

#: All of them.
CODES = (DONE, ERROR, USAGE, NOT_FOUND, SEVERAL, FAILED, INCAPABLE, NEWER, INTERRUPTED, CLOSED_PIPE)

# The first that an error is of counts.
_BY_KIND = {
    LockError: ERROR,
    InputError: USAGE,
    PackageNotFound: NOT_FOUND,
    MultiplePackages: SEVERAL,
    NoSuchTask: NOT_FOUND,
    SeveralTasks: SEVERAL,
    UpgradeTaskFailed: FAILED,
}


def exit_code(error: Exception) -> int:
    """Return the code that a command ends with after an error of ours, or any other."""
    if isinstance(error, ServiceError) and error.is_not_found:
        return NOT_FOUND.number
    return next((code.number for kind, code in _BY_KIND.items() if isinstance(error, kind)), ERROR.number)
