"""Every error this library raises for a reason that a user can act on.

IotdaOtaError
├── InputError            an argument is wrong; nothing was sent
│   └── OutputGiven       a plain function was given a Pulumi Output (also a TypeError)
├── ConfigurationError    a connection setting is missing or wrong
├── CredentialsError      no credentials, half a set, or refused ones
├── ServiceError          the service answered with an error
├── TransportError        no answer: connection, TLS, proxy
├── ProtocolError         an answer that is not of the documented shape
├── DeadlineExceeded      the time for the whole operation ran out
├── PackageNotFound       nothing fits what was asked for
├── MultiplePackages      more than one package fits
├── CampaignFailed        an upgrade task ended with too many failures
└── OutcomeUnknown        a request that changes something may or may not have been accepted

A message is a headline that tells the whole story, then a few labelled lines: what was asked, what was seen, what came
near, what to do. This module renders messages; it makes no decision.
"""

from __future__ import annotations

import textwrap
from http import HTTPStatus
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.text import masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pulumi_iotda_ota.iotda.models import OtaPackage

__all__ = [
    "CampaignFailed",
    "ConfigurationError",
    "CredentialsError",
    "DeadlineExceeded",
    "InputError",
    "IotdaOtaError",
    "MultiplePackages",
    "OutcomeUnknown",
    "OutputGiven",
    "PackageNotFound",
    "ProtocolError",
    "ServiceError",
    "TransportError",
]

_LABEL_WIDTH = 13
#: Characters of a labelled line beside its label: lines are at most 80 wide where words allow it.
TEXT_WIDTH = 65
_ADVICE = "what to do"
_CAUSE = "likely"
_NO_SUCH_URI = "IOTDA.000029"


class IotdaOtaError(Exception):
    """The base of all errors of this library.

    Args:
        headline: the whole story in one line, without a full stop.
        facts: labelled lines, such as ``("asked for", "firmwarePackage, product p1")``.
    """

    def __init__(self, headline: str, *, facts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(headline)
        self.headline = headline
        self.facts = tuple(facts)

    def note(self, label: str, text: str) -> None:
        """Add a labelled line that only a caller further out knows; ``what to do`` stays the last one."""
        known = [fact for fact in self.facts if fact[0] != _ADVICE]
        advice = [fact for fact in self.facts if fact[0] == _ADVICE]
        self.facts = (*known, (label, text), *advice)

    def mask(self, secrets: Iterable[str]) -> None:
        """Replace texts that must not be printed, wherever the message repeats them."""
        known = tuple(secrets)
        self.headline = masked(self.headline, known)
        self.facts = tuple((label, masked(text, known)) for label, text in self.facts)
        self.args = (self.headline,)

    @property
    def advice(self) -> str:
        """Return what to do where nothing better is known of this very error, or empty."""
        return ""

    def __str__(self) -> str:
        helped = any(label in (_ADVICE, _CAUSE) for label, _ in self.facts)
        facts = self.facts if helped or not self.advice else (*self.facts, (_ADVICE, self.advice))
        return "\n".join([self.headline, *(_labelled(label, text) for label, text in facts)])


class InputError(IotdaOtaError):
    """An argument is wrong; nothing was sent.

    Args:
        headline: the whole story in one line.
        argument: the name of the argument as the Python functions spell it, or empty.
        facts: labelled lines.
    """

    def __init__(self, headline: str, *, argument: str = "", facts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(headline, facts=facts)
        self.argument = argument


class OutputGiven(InputError, TypeError):
    """A plain function was given a Pulumi Output, whose value is not known yet."""


class ConfigurationError(IotdaOtaError):
    """A connection setting is missing or wrong.

    Args:
        headline: the whole story in one line.
        setting: the field of ``Connection`` that is wrong, or empty where several are.
        facts: labelled lines.
    """

    def __init__(self, headline: str, *, setting: str = "", facts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(headline, facts=facts)
        self.setting = setting


class CredentialsError(IotdaOtaError):
    """There are no credentials, half a set of them, or the service refused them.

    Args:
        headline: the whole story in one line.
        status: the HTTP status of the refusal, or 0 when nothing was sent.
        error_code: the code of the refusal, or empty.
        request_id: the id that the vendor's support asks for, or empty.
        facts: labelled lines.
    """

    def __init__(
        self,
        headline: str,
        *,
        status: int = 0,
        error_code: str = "",
        request_id: str = "",
        facts: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(headline, facts=facts)
        self.status = status
        self.error_code = error_code
        self.request_id = request_id


class ServiceError(IotdaOtaError):
    """The service answered with an error.

    Args:
        headline: the whole story in one line.
        status: the HTTP status.
        error_code: the service's or the gateway's code such as ``IOTDA.000006``, or empty.
        error_msg: its message, escaped, or empty.
        request_id: the id that the vendor's support asks for, or empty.
        retry_after: the seconds that the service asks to wait, or None.
        facts: labelled lines.
    """

    def __init__(
        self,
        headline: str,
        *,
        status: int = 0,
        error_code: str = "",
        error_msg: str = "",
        request_id: str = "",
        retry_after: float | None = None,
        facts: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(headline, facts=facts)
        self.status = status
        self.error_code = error_code
        self.error_msg = error_msg
        self.request_id = request_id
        self.retry_after = retry_after

    @property
    def advice(self) -> str:
        """Return what to do about a refusal, or a failure, that is not known."""
        if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return "run it again later; if it goes on, give the request id to the vendor's support"
        return "correct what it says is wrong; where that is not clear, the vendor's support asks for the request id"

    @property
    def by_service(self) -> bool:
        """Return whether the service itself refused the thing asked for.

        The gateway, a proxy's page, or an address that the service does not know say nothing of it.
        """
        return self.error_code.startswith("IOTDA.") and self.error_code != _NO_SUCH_URI

    @property
    def says_missing(self) -> bool:
        """Return whether the service itself says that the thing asked for is not there."""
        return self.status == HTTPStatus.NOT_FOUND and self.by_service


class TransportError(IotdaOtaError):
    """No answer came: the connection, TLS or a proxy failed.

    Args:
        headline: the whole story in one line.
        sent: whether the request may have reached the service.
        temporary: whether the same request may succeed when it is sent again.
        facts: labelled lines.
    """

    def __init__(
        self, headline: str, *, sent: bool = True, temporary: bool = True, facts: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(headline, facts=facts)
        self.sent = sent
        self.temporary = temporary

    @property
    def advice(self) -> str:
        """Return what to do about a failed connection."""
        return "check the endpoint and the way to it (network, proxy, firewall), and run it again"


class ProtocolError(IotdaOtaError):
    """An answer came that is not of the documented shape.

    Args:
        headline: the whole story in one line.
        garbled: whether it could not be decoded at all, as when it was damaged on the way.
        oversized: whether it is larger than what is read.
        facts: labelled lines.
    """

    def __init__(
        self,
        headline: str,
        *,
        garbled: bool = False,
        oversized: bool = False,
        facts: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(headline, facts=facts)
        self.garbled = garbled
        self.oversized = oversized

    @property
    def advice(self) -> str:
        """Return what to do about an answer that was not to be expected."""
        return "check that the endpoint is one of IoTDA; if it is, report this with the request id"


class DeadlineExceeded(IotdaOtaError):
    """The time for the whole operation ran out."""


class PackageNotFound(IotdaOtaError):
    """No package fits what was asked for."""


class MultiplePackages(IotdaOtaError):
    """More than one package fits.

    Args:
        headline: the whole story in one line.
        packages: those that fit, in the order of ``order_by``.
        facts: labelled lines.
    """

    def __init__(
        self, headline: str, *, packages: Sequence[OtaPackage] = (), facts: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(headline, facts=facts)
        self.packages = tuple(packages)


class CampaignFailed(IotdaOtaError):
    """An upgrade task ended with more failures than were allowed."""


class OutcomeUnknown(IotdaOtaError):
    """A request that changes something may or may not have been accepted by the service.

    Args:
        headline: the whole story in one line.
        cause: what happened to the request, in one line, or empty.
        facts: labelled lines.
    """

    def __init__(self, headline: str, *, cause: str = "", facts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(headline, facts=facts)
        self.cause = cause


def _labelled(label: str, text: str) -> str:
    """Return one labelled line, its continuations aligned below the text."""
    indent = " " * (_LABEL_WIDTH + 2)
    first, *rest = text.split("\n")
    lines = textwrap.wrap(first, TEXT_WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
    return f"\n{indent}".join([f"  {label:<{_LABEL_WIDTH - 1}} {lines[0]}", *lines[1:], *rest])
