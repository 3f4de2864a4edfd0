"""The errors of this library that a user can act on.

IotdaOtaError
├── InputError            an argument is wrong; nothing was sent
│   ├── LockError         the lock file cannot be used, or does not match; without verify nothing was sent
│   └── OutputGiven       a plain function was given a Pulumi Output (also a TypeError)
├── ConfigurationError    a connection setting is missing or wrong
├── CredentialsError      no credentials, an incomplete set, or a refused one
├── ServiceError          the service returned an error
├── TransportError        no response: connection, TLS, proxy
├── ProtocolError         a response does not have the documented form
├── DeadlineExceeded      the time for the whole operation ran out
├── PackageNotFound       no package matches
├── MultiplePackages      more than one package matches
├── UpgradeTaskFailed     an upgrade task ended with too many failures
└── OutcomeUnknown        it is unknown whether a request that changes something was accepted

A message is a headline, then a few labelled lines: ``requested``, ``found``, ``nearest``, ``cause``, ``fix``.
docs/errors.md is made from ``when`` and ``remedy`` of each class.
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
    """The lock file is missing or damaged, or the entry does not match the request."""

    when: ClassVar[str] = (
        "The lock file is missing or damaged, or has no entry of the name. Or the entry is for another query or "
        "another place, or its package does not match its query or has changed."
    )
    remedy: ClassVar[str] = "Run the command that the message names, and commit the file."

    def __init__(self, headline: str, *, argument: str = "lock", facts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(headline, argument=argument, facts=facts)


class OutputGiven(InputError, TypeError):
    """A plain function was given a Pulumi Output, whose value is not known yet."""

    when: ClassVar[str] = "A plain function was given an Output, whose value is not known while the program runs."
    remedy: ClassVar[str] = "Use the function's `_output` form, which takes Outputs and returns one."


class PackageNotFound(IotdaOtaError):
    """No package matches."""

    when: ClassVar[str] = "No package matches the selection."
    remedy: ClassVar[str] = (
        'Apply the `fix`: it is for the nearest version. If no package is a valid result, set `on_missing="none"`.'
    )


class MultiplePackages(IotdaOtaError):
    """More than one package matches.

    Args:
        headline: what failed, in one line.
        packages: the packages that match, the highest version or newest upload first.
        facts: labelled lines.
    """

    when: ClassVar[str] = (
        "More than one package matches, and neither `highest_version` nor `most_recent` is set. Or they are in several "
        "resource spaces, products or modules."
    )
    remedy: ClassVar[str] = (
        "Set the argument that distinguishes them, or `highest_version=True` or `most_recent=True`. To choose across "
        "several spaces, set `allow_multiple_scopes=True`."
    )

    def __init__(
        self, headline: str, *, packages: Sequence[OtaPackage] = (), facts: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(headline, facts=facts)
        self.packages = tuple(packages)


class UpgradeTaskFailed(IotdaOtaError):
    """An upgrade task ended with more failures than were allowed."""

    when: ClassVar[str] = (
        "An upgrade task ended with more failed devices than its completion allows, or with fewer devices than it "
        "requires, or was stopped."
    )
    remedy: ClassVar[str] = (
        "Inspect the devices that the message names. Retry them with `retry_failed=True`, or change the `triggers` of "
        "the task to start a new one. A higher limit accepts the failures."
    )
