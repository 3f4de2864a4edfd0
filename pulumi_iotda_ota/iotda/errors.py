"""The errors of the service: of requests, settings and credentials. ``pulumi_iotda_ota.errors`` has all errors.

A message is a headline that says what failed, then a few labelled lines. This module renders messages; it makes no
decision. Each class also says when it is raised and what to do then; docs/errors.md is made from that.
"""

from __future__ import annotations

import textwrap
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar

from pulumi_iotda_ota.iotda.sanitize import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


__all__ = [
    "ConfigurationError",
    "CredentialsError",
    "DeadlineExceeded",
    "InputError",
    "IotdaOtaError",
    "OutcomeUnknown",
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

    #: When an error of this class is raised, and what to do about it: full sentences, for the reference.
    when: ClassVar[str] = "Never by itself: it is what to catch where any error of this library is meant."
    remedy: ClassVar[str] = "Do what the message says below its headline."

    def __init__(self, headline: str, *, facts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(headline)
        self.headline = headline
        self.facts = tuple(facts)

    def note(self, label: str, text: str) -> None:
        """Add a labelled line that only a caller further out knows; if ``what to do`` is last, it stays last."""
        end = len(self.facts) - (bool(self.facts) and self.facts[-1][0] == _ADVICE)
        self.facts = (*self.facts[:end], (label, text), *self.facts[end:])

    def redact(self, secrets: Iterable[str]) -> None:
        """Replace texts that must not be printed, wherever the message repeats them."""
        known = tuple(secrets)
        self.headline = redact(self.headline, known)
        self.facts = tuple((label, redact(text, known)) for label, text in self.facts)
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

    when: ClassVar[str] = "An argument has a wrong type, breaks its documented limit, or contradicts another one."
    remedy: ClassVar[str] = "Correct the argument that the message names; nothing was sent."

    def __init__(self, headline: str, *, argument: str = "", facts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(headline, facts=facts)
        self.argument = argument


class ConfigurationError(IotdaOtaError):
    """A connection setting is missing or wrong.

    Args:
        headline: the whole story in one line.
        setting: the field of ``Connection`` that is wrong, or empty where several are.
        facts: labelled lines.
    """

    when: ClassVar[str] = (
        "A setting of the connection is missing, misspelt or wrong, or a file that it names can not be read."
    )
    remedy: ClassVar[str] = "Set what the message names, in one of the places that docs/credentials.md lists."

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

    when: ClassVar[str] = (
        "No place holds credentials, the first that holds any holds half a set, or a set was refused with 401."
    )
    remedy: ClassVar[str] = (
        "Give one whole set in one place. One that was refused: read the line `likely`, and correct it before "
        "another run, because an account is locked after more than five failures."
    )

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

    when: ClassVar[str] = (
        "The service, its gateway or IAM refused the request, or failed, and trying again as often as may be did "
        "not help."
    )
    remedy: ClassVar[str] = (
        "Do what the line `what to do` or `likely` says; the table of known codes below has them all."
    )

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
    def is_not_found(self) -> bool:
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

    when: ClassVar[str] = (
        "No answer came: the name has no address, the connection was refused or cut, TLS or a proxy failed."
    )
    remedy: ClassVar[str] = "check the endpoint and the way to it (network, proxy, firewall), and run it again"

    def __init__(
        self, headline: str, *, sent: bool = True, temporary: bool = True, facts: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(headline, facts=facts)
        self.sent = sent
        self.temporary = temporary

    @property
    def advice(self) -> str:
        """Return what to do about a failed connection."""
        return self.remedy


class ProtocolError(IotdaOtaError):
    """An answer came that is not of the documented shape.

    Args:
        headline: the whole story in one line.
        garbled: whether it could not be decoded at all, as when it was damaged on the way.
        oversized: whether it is larger than what is read.
        facts: labelled lines.
    """

    when: ClassVar[str] = (
        "An answer came that can not be read as what the service documents: a missing field, a wrong type, no "
        "JSON, too large."
    )
    remedy: ClassVar[str] = "check that the endpoint is one of IoTDA; if it is, report this with the request id"

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
        return self.remedy


class DeadlineExceeded(IotdaOtaError):
    """The time for the whole operation ran out."""

    when: ClassVar[str] = (
        "The whole operation, with its pages, retries and waits, took longer than the setting `deadline`; or an "
        "upgrade task did not end within the `timeout` of its completion."
    )
    remedy: ClassVar[str] = (
        "Run it again. Raise `deadline`, or `timeout`, where that is how long it takes; a task that was waited "
        "for goes on by itself."
    )


class OutcomeUnknown(IotdaOtaError):
    """A request that changes something may or may not have been accepted by the service.

    Args:
        headline: the whole story in one line.
        cause: what happened to the request, in one line, or empty.
        facts: labelled lines.
    """

    when: ClassVar[str] = (
        "A request that creates or changes something was sent, no answer tells whether it was accepted, and looking "
        "for what it made did not find it."
    )
    remedy: ClassVar[str] = "Run `pulumi up` again: it looks for what this run left, and takes it over."

    def __init__(self, headline: str, *, cause: str = "", facts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(headline, facts=facts)
        self.cause = cause


def _labelled(label: str, text: str) -> str:
    """Return one labelled line, its continuations aligned below the text."""
    indent = " " * (_LABEL_WIDTH + 2)
    first, *rest = text.split("\n")
    lines = textwrap.wrap(first, TEXT_WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
    return f"\n{indent}".join([f"  {label:<{_LABEL_WIDTH - 1}} {lines[0]}", *lines[1:], *rest])
