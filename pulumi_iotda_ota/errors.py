"""Every error this library raises for a reason that a user can act on.

IotdaOtaError
├── InputError            an argument is wrong; nothing was sent
│   ├── LockError         the lock file can not answer; without verify nothing was sent
│   └── OutputGiven       a plain function was given a Pulumi Output (also a TypeError)
├── ConfigurationError    a connection setting is missing or wrong
├── CredentialsError      no credentials, half a set, or refused ones
├── ServiceError          the service answered with an error
├── TransportError        no answer: connection, TLS, proxy
├── ProtocolError         an answer that is not of the documented shape
├── DeadlineExceeded      the time for the whole operation ran out
├── PackageNotFound       nothing fits what was asked for
├── MultiplePackages      more than one package fits
├── UpgradeTaskFailed        an upgrade task ended with too many failures
└── OutcomeUnknown        a request that changes something may or may not have been accepted

A message is a headline that tells the whole story, then a few labelled lines: what was asked, what was seen, what came
near, what to do. This module renders messages; it makes no decision. Each class also says when it is raised and what to
do then; docs/errors.md is made from that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pulumi_iotda_ota.iotda.errors import (
    ConfigurationError,
    CredentialsError,
    DeadlineExceeded,
    InputError,
    IotdaOtaError,
    OutcomeUnknown,
    ProtocolError,
    ServiceError,
    TransportError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_iotda_ota.iotda.models import OtaPackage

__all__ = [
    "ConfigurationError",
    "CredentialsError",
    "DeadlineExceeded",
    "InputError",
    "IotdaOtaError",
    "LockError",
    "MultiplePackages",
    "OutcomeUnknown",
    "OutputGiven",
    "PackageNotFound",
    "ProtocolError",
    "ServiceError",
    "TransportError",
    "UpgradeTaskFailed",
]


class LockError(InputError):
    """The lock file can not answer: it is missing or damaged, or what is locked is not what was asked for."""

    when: ClassVar[str] = (
        "The lock file is missing or damaged, does not hold the name that was asked for, or holds it for another query "
        "or another place, or with a package that its query does not give or that has changed since."
    )
    remedy: ClassVar[str] = (
        "Run the command that the message gives, and commit the file; nothing was asked without verify."
    )

    def __init__(self, headline: str, *, argument: str = "lock", facts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(headline, argument=argument, facts=facts)


class OutputGiven(InputError, TypeError):
    """A plain function was given a Pulumi Output, whose value is not known yet."""

    when: ClassVar[str] = "A plain function was given an Output, whose value is not known while the program runs."
    remedy: ClassVar[str] = "Use the function's `_output` form, which takes Outputs and returns one."


class PackageNotFound(IotdaOtaError):
    """No package fits what was asked for."""

    when: ClassVar[str] = "No package fits the selection."
    remedy: ClassVar[str] = (
        "Ask for one of the nearest versions, widen the rule that passed over the most, or upload a package; "
        'check product, project and instance. `on_missing="none"` makes it a value instead of an error.'
    )


class MultiplePackages(IotdaOtaError):
    """More than one package fits.

    Args:
        headline: the whole story in one line.
        packages: those that fit, the highest version or newest upload first.
        facts: labelled lines.
    """

    when: ClassVar[str] = (
        "More than one package fits: without `highest_version` or `most_recent`, or in several resource spaces, "
        "products or modules."
    )
    remedy: ClassVar[str] = (
        "Give what tells them apart, or set `highest_version=True` or `most_recent=True`. If they are in several "
        "spaces, `allow_multiple_scopes=True` allows a choice across them."
    )

    def __init__(
        self, headline: str, *, packages: Sequence[OtaPackage] = (), facts: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(headline, facts=facts)
        self.packages = tuple(packages)


class UpgradeTaskFailed(IotdaOtaError):
    """An upgrade task ended with more failures than were allowed."""

    when: ClassVar[str] = (
        "An upgrade task ended with more failed devices than its completion allows, or with fewer devices than it"
        " must have, or was stopped."
    )
    remedy: ClassVar[str] = (
        "Take one of the ways that the message names: a higher limit, `retry_failed=True`, or new `triggers` of "
        "the task."
    )
