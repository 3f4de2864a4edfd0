"""The errors of the service: of requests, settings and credentials. ``pulumi_iotda_ota.errors`` has all errors.

A message is a headline that says what failed, then a few labelled lines: ``requested``, ``found``, ``nearest``,
``cause``, ``fix``, and others if none of these matches. It refers to arguments (``references.py``), so that each
interface renders it in its own spelling. docs/errors.md is made from ``when`` and ``remedy`` of each class.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar

from pulumi_iotda_ota.iotda.references import (
    PYTHON,
    Spelling,
    loosened,
    redact_references,
    render,
    render_fixed,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


_LABEL_WIDTH = 13
#: Characters of a labelled line beside its label: lines are at most 80 wide where words allow it.
TEXT_WIDTH = 65
FIX = "fix"
CAUSE = "cause"
_RANKS = {CAUSE: 1, FIX: 2}
# A value can be longer than a line, so the requested arguments have a bounded number of lines.
_REQUESTED, _MOST_REQUESTED_LINES = "requested", 8
_NO_SUCH_URI = "IOTDA.000029"


@dataclass(frozen=True)
class Message:
    """The text of an error with its references, which no interface has rendered yet.

    Attributes:
        headline: what failed, in one line.
        facts: labelled lines.
    """

    headline: str
    facts: tuple[tuple[str, str], ...] = ()


class IotdaOtaError(Exception):
    """The base of all errors of this library.

    ``headline``, ``facts`` and ``str(error)`` are in Python's spelling.

    Args:
        headline: what failed, in one line, without a full stop.
        facts: labelled lines, such as ``("found", "37 packages, 0 match")``.
    """

    #: When an error of this class is raised, and how to fix it, for docs/errors.md.
    when: ClassVar[str] = "Never raised itself. Catch it to catch every error of this library."
    remedy: ClassVar[str] = "Apply the `fix` that the message names."

    def __init__(self, headline: str, *, facts: Sequence[tuple[str, str]] = ()) -> None:
        self.message = Message(headline, tuple(facts))
        super().__init__(self.headline)

    @property
    def headline(self) -> str:
        """Return what failed, in one line."""
        return render(self.message.headline)

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Return the labelled lines."""
        return self.facts_in(PYTHON)

    def facts_in(self, spelling: Spelling) -> tuple[tuple[str, str], ...]:
        """Return the labelled lines in the spelling of an interface."""
        return tuple((label, loosened(text)) for label, text in self._facts_in(spelling))

    def _facts_in(self, spelling: Spelling) -> Iterator[tuple[str, str]]:
        facts = self.message.facts
        if self.advice and not any(label in (FIX, CAUSE) for label, _ in facts):
            facts = (*facts, (FIX, self.advice))
        for label, text in facts:
            rendered = render_fixed(text, spelling)
            if rendered:  # a line can be empty in some interfaces
                yield render(label, spelling), rendered

    def note(self, label: str, text: str) -> None:
        """Add a labelled line of a caller. ``cause`` and then ``fix`` stay the last lines.

        A caller knows more, so its cause or fix comes before the one that is last. A fix that is first stays first.
        """
        facts = list(self.message.facts)
        place, rank = len(facts), _RANKS.get(label, 1)
        while place and _RANKS.get(facts[place - 1][0], 0) >= rank:
            place -= 1
        facts.insert(place, (label, text))
        self.message = Message(self.message.headline, tuple(facts))

    def redact(self, secrets: Iterable[str]) -> None:
        """Replace texts that must not be printed, wherever the message repeats them."""
        known = tuple(secrets)
        facts = tuple((label, redact_references(text, known)) for label, text in self.message.facts)
        self.message = Message(redact_references(self.message.headline, known), facts)
        self.args = (self.headline,)

    @property
    def advice(self) -> str:
        """Return the fix if nothing more specific is known of this error, or empty."""
        return ""

    def rendered(self, spelling: Spelling) -> str:
        """Return the whole message in the spelling of an interface."""
        lines = (_labelled(label, text) for label, text in self._facts_in(spelling))
        return "\n".join([render(self.message.headline, spelling), *lines])

    def __str__(self) -> str:
        return self.rendered(PYTHON)


class InputError(IotdaOtaError):
    """An argument is wrong; nothing was sent.

    Args:
        headline: what failed, in one line.
        argument: the name of the argument as the Python functions spell it, or empty.
        facts: labelled lines.
    """

    when: ClassVar[str] = "An argument has a wrong type, breaks its documented limit, or contradicts another argument."
    remedy: ClassVar[str] = "Correct the argument that the message names. Nothing was sent."

    def __init__(self, headline: str, *, argument: str = "", facts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(headline, facts=facts)
        self.argument = argument


class ConfigurationError(IotdaOtaError):
    """A connection setting is missing or wrong.

    Args:
        headline: what failed, in one line.
        setting: the field of ``Connection`` that is wrong, or empty if several are wrong.
        facts: labelled lines.
    """

    when: ClassVar[str] = (
        "A setting of the connection is missing, misspelt or wrong, or a file that it names cannot be read."
    )
    remedy: ClassVar[str] = "Set what the message names, in one of the sources that docs/credentials.md lists."

    def __init__(self, headline: str, *, setting: str = "", facts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(headline, facts=facts)
        self.setting = setting


class CredentialsError(IotdaOtaError):
    """There are no credentials, a set is incomplete, or the service refused them.

    Args:
        headline: what failed, in one line.
        status: the HTTP status of the refusal, or 0 when nothing was sent.
        error_code: the code of the refusal, or empty.
        request_id: the id that the vendor's support needs, or empty.
        facts: labelled lines.
    """

    when: ClassVar[str] = (
        "No source has credentials, the first source with credentials has an incomplete set, or the service refused "
        "a set with 401."
    )
    remedy: ClassVar[str] = (
        "Set one complete set in one source. If the service refused a set, read `cause` and correct the set before "
        "the next run: IAM locks an account after more than five failures."
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
    """The service returned an error.

    Args:
        headline: what failed, in one line.
        status: the HTTP status.
        error_code: the service's or the gateway's code such as ``IOTDA.000006``, or empty.
        error_msg: its message, escaped, or empty.
        request_id: the id that the vendor's support needs, or empty.
        retry_after: the seconds to wait, if the service says so, or None.
        facts: labelled lines.
    """

    when: ClassVar[str] = (
        "The service, its gateway or IAM refused the request, or failed, and the allowed retries did not succeed."
    )
    remedy: ClassVar[str] = "Apply the `fix`, or check the `cause`. The table of known codes below lists all of them."

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
        """Return the fix of a refusal, or of a failure, whose code is not known."""
        if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return "run it again later; if it fails again, send the request id to the vendor's support"
        return "correct what the response says; if it is unclear, send the request id to the vendor's support"

    @property
    def by_service(self) -> bool:
        """Return whether the service itself refused the request.

        A gateway, the page of a proxy, or an address that the service does not know prove nothing.
        """
        return self.error_code.startswith("IOTDA.") and self.error_code != _NO_SUCH_URI

    @property
    def is_not_found(self) -> bool:
        """Return whether the service itself says that the requested thing does not exist."""
        return self.status == HTTPStatus.NOT_FOUND and self.by_service


class TransportError(IotdaOtaError):
    """No response: the connection, TLS or a proxy failed.

    Args:
        headline: what failed, in one line.
        sent: whether the request may have reached the service.
        temporary: whether the same request may succeed when it is sent again.
        facts: labelled lines.
    """

    when: ClassVar[str] = (
        "There was no response: the host has no address, the connection was refused or cut, or TLS or a proxy failed."
    )
    remedy: ClassVar[str] = "check the endpoint, the network, the proxy and the firewall, then run it again"

    def __init__(
        self, headline: str, *, sent: bool = True, temporary: bool = True, facts: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(headline, facts=facts)
        self.sent = sent
        self.temporary = temporary

    @property
    def advice(self) -> str:
        """Return the fix of a failed connection."""
        return self.remedy


class ProtocolError(IotdaOtaError):
    """A response does not have the documented form.

    Args:
        headline: what failed, in one line.
        garbled: whether it could not be decoded at all, for example because it was damaged on the way.
        oversized: whether it is larger than the limit.
        facts: labelled lines.
    """

    when: ClassVar[str] = (
        "A response does not have the form that the service documents: a field is missing or has a wrong type, it is "
        "not JSON, or it is too large."
    )
    remedy: ClassVar[str] = (
        "check that the endpoint is an IoTDA endpoint; if it is, report this error with the request id"
    )

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
        """Return the fix of an unexpected response."""
        return self.remedy


class DeadlineExceeded(IotdaOtaError):
    """The time for the whole operation ran out."""

    when: ClassVar[str] = (
        "The whole operation, with its pages, retries and waits, took longer than the setting `deadline`. Or an "
        "upgrade task did not end within the `timeout` of its completion."
    )
    remedy: ClassVar[str] = (
        "Run it again. If it takes that long, raise `deadline` or `timeout`. An upgrade task continues without a "
        "program."
    )


class OutcomeUnknown(IotdaOtaError):
    """It is unknown whether the service accepted a request that changes something.

    Args:
        headline: what failed, in one line.
        cause: what happened to the request, in one line, or empty.
        facts: labelled lines.
    """

    when: ClassVar[str] = (
        "A request that creates or changes something was sent. No response says whether the service accepted it, and "
        "the task or package was not found by its name."
    )
    remedy: ClassVar[str] = "Run `pulumi up` again: it searches for the task or package by its name, and adopts it."

    def __init__(self, headline: str, *, cause: str = "", facts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(headline, facts=facts)
        #: The cause with its references.
        self.reason = cause

    @property
    def cause(self) -> str:
        """Return what happened to the request."""
        return render(self.reason)

    def redact(self, secrets: Iterable[str]) -> None:
        """Replace texts that must not be printed; see :meth:`IotdaOtaError.redact`."""
        known = tuple(secrets)
        super().redact(known)
        self.reason = redact_references(self.reason, known)


def _labelled(label: str, text: str) -> str:
    """Return one labelled line, its continuations aligned below the text."""
    indent = " " * (_LABEL_WIDTH + 2)
    first, *rest = text.split("\n")
    is_requested = label == _REQUESTED
    lines = textwrap.wrap(
        first,
        TEXT_WIDTH,
        break_long_words=label in (_REQUESTED, FIX),
        break_on_hyphens=False,
        max_lines=_MOST_REQUESTED_LINES if is_requested else None,
        placeholder=" …",
    ) or [""]
    return loosened(f"\n{indent}".join([f"  {label:<{_LABEL_WIDTH - 1}} {lines[0]}", *lines[1:], *rest]))
