"""Reads version constraints: one grammar for every scheme. Reads no package, chooses none and sends nothing.

::

    constraint  = all ("||" all)*             any of them must hold
    all         = term (("," | space) term)*  all of them must hold
    term        = ("=" | "!=")? version       none is =; any version that the scheme reads
                | (">" | ">=" | "<" | "<=") version   it begins with a digit, v in front allowed
                | ("~" | "^") number          a dotted number, v in front allowed
                | "="? number ".x"            x, X or *; alone: any version

A constraint decides by the order of the scheme alone, with one exception: ``loose`` compares a version with an unknown
word by its release, except with ``=`` and ``!=``. By the order, ``1.5.0-arm64`` is below ``1.5.0``; ``>=1.5.0`` admits
it and ``<1.5.0`` does not. If the constraint itself names an unknown word, as ``>=1.5.0-arm64`` does, the order
decides. Whether prereleases are in the running at all is for another rule (``include_prereleases``). What a term does
with them, with builds and with unknown words:

========= ========================= =================================== ==================== ==================
term      stands for                prereleases                         builds (loose)       unknown (loose)
========= ========================= =================================== ==================== ==================
``=1.2``  all that ties: V1.2.0     not 1.2-rc1                         not 1.2_B1           not 1.2-arm
``!=1.2`` all that does not tie     1.2-rc1 too                         1.2_B1 too           1.2-arm too
``>1.2``  above                     not 1.2-rc1, but 1.3-rc1            1.2_B1 too           not 1.2-arm
``>=1.2`` ties or above             not 1.2-rc1, but 1.3-rc1            1.2_B1 too           1.2-arm too
``<2``    below                     1.9-rc1, but never one of 2         1.9_B1, but not 2_B1 1.9-arm, not 2-arm
``<=2``   ties or below             2-rc1 too                           1.9_B1, but not 2_B1 2-arm too
``~1.2``  ``>=1.2 <1.3``            not 1.2-rc1, not 1.3-rc1            1.2_B1, not 1.3_B1   1.2-arm, not 1.3-arm
``~1``    ``>=1 <2``                as above                            as above             as above
``^1.2``  ``>=1.2 <2``              as above                            as above             as above
``^0.2``  ``>=0.2 <0.3``            as above                            as above             as above
``1.2.x`` ``>=1.2 <1.3``            as above                            as above             as above
``*``     any version               all                                 all                  all
========= ========================= =================================== ==================== ==================

``~`` keeps the first two numbers, or the one there is; ``^`` all up to the first that is not 0, or all if all are 0; an
x those before it. Missing numbers are 0 under every scheme: ``>=1.2`` is ``>=1.2.0`` and ``1.2`` is ``=1.2.0``, not
``1.2.x``. ``<2-rc1`` names a prerelease of 2, so it admits ``2-beta``. A comparison with a version that has a suffix is
one of the whole version, by the order: ``>=1.2_B12``.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.sanitize import REDACTED, redact
from pulumi_iotda_ota.selection.versions import (
    Unreadable,
    about_unknown_word,
    is_prerelease,
    is_prerelease_of,
    release_of,
    unknown_word,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_iotda_ota.selection.versions import Key, Scheme

MAX_LENGTH = 1024

_ARGUMENT = "version_constraint"
_WINDOW = 60  # characters of a constraint that an error shows, so that it fits a narrow log
_SHOWN = 40  # characters of a version that an error repeats

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)|(?P<or>\|\|)|(?P<comma>,)|(?P<operator>[=!<>~^&]+|\|)|(?P<version>[A-Za-z0-9_.*-]+)|."
)
_DOTTED = re.compile(r"[vV]?([0-9]+(?:\.[0-9]+)*)")
_WILDCARD = re.compile(r"[vV]?([0-9]+(?:\.[0-9]+)*)(?:\.[xX*])+|[xX*]")
_TILDE_OR_CARET = "~1.2 is >=1.2 <1.3, ^1.2 is >=1.2 <2"
_INSTEAD = {
    "==": "write =",
    "===": "write =",
    "<>": "write !=",
    "!": "write !=",
    "=>": "write >=",
    "=<": "write <=",
    "~>": _TILDE_OR_CARET,
    "~=": _TILDE_OR_CARET,
    "|": "or is ||",
    "&": "and is a comma or a space",
    "&&": "and is a comma or a space",
}


def _below(key: Key, bound: Key) -> bool:
    return key < bound and not is_prerelease_of(key, bound)


_HOLDS: dict[str, Callable[[Key, Key], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": _below,
    "<=": operator.le,
}
_OPERATORS = (*_HOLDS, "~", "^")
_EXACT = ("", "=", "!=")  # these compare whole versions, and take any
_BEGINS_WITH_DIGIT = re.compile("[vV]?[0-9]")
# What other tools take for the newest; a version of that name is still found by =latest.
_WISHES = ("latest", "newest")


class _Comparison(NamedTuple):
    """A comparison with one version: of whole versions, or of their releases if they have unknown words."""

    operator: str
    bound: Key
    whole: bool


@dataclass(frozen=True)
class _Term:
    """One term: its text, and the comparisons it stands for, all of which must hold."""

    text: str
    comparisons: tuple[_Comparison, ...]

    def admits(self, key: Key, release: Key) -> bool:
        # Loops, here and below: generators cost more than the comparisons, and every version comes through.
        for name, bound, whole in self.comparisons:  # noqa: SIM110
            if not _HOLDS[name](key if whole else release, bound):
                return False
        return True


@dataclass(frozen=True)
class Constraint:
    """What a version must fulfil; made by :func:`parse`.

    ``str()`` gives it in one spelling, which reads as the same constraint.

    Attributes:
        text: the constraint as it was written.
        scheme: how its versions, and those it is asked about, are read.
        alternatives: the terms of each side of ``||``.
    """

    text: str = field(compare=False)
    scheme: Scheme
    alternatives: tuple[tuple[_Term, ...], ...]

    def admits(self, version: str) -> bool:
        """Return whether a version fulfils the constraint.

        Args:
            version: the version as the service gives it.

        Raises:
            Unreadable: the scheme cannot read the version.
        """
        return self.admits_key(self.scheme.key(version))

    def admits_key(self, key: Key) -> bool:
        """Return whether the version of a key of this scheme fulfils the constraint."""
        return self._admits(key, release_of(key))

    def reason(self, key: Key) -> str | None:
        """Return why a version does not fulfil the constraint, or None if it does.

        The reason names an unknown word if the version would fulfil it without the word, or by the order alone.
        """
        release = release_of(key)
        if self._admits(key, release):
            return None
        mattered = release is not key and (self._admits(release, release) or self._admits(key, key))
        return f"outside {self.text}{about_unknown_word(key) if mattered else ''}"

    def _admits(self, key: Key, release: Key) -> bool:
        for terms in self.alternatives:
            for term in terms:
                if not term.admits(key, release):
                    break
            else:
                return True
        return False

    @property
    def names_prerelease(self) -> bool:
        """Return whether any version written in the constraint, also after ``!=``, is itself a prerelease."""
        return any(is_prerelease(bound) for bound in self.bounds)

    @property
    def bounds(self) -> list[Key]:
        """Return the versions that it compares with, in the order in which they are written."""
        terms = [term for terms in self.alternatives for term in terms]
        return [comparison.bound for term in terms for comparison in term.comparisons]

    def __str__(self) -> str:
        return " || ".join(", ".join(term.text for term in terms) for terms in self.alternatives)


def parse(text: str, scheme: Scheme) -> Constraint:
    """Return the constraint that a text stands for.

    Args:
        text: the constraint, at most :data:`MAX_LENGTH` characters.
        scheme: how its versions, and those it is asked about, are read.

    Raises:
        InputError: the text is not a constraint; the error points at the place.
    """
    if len(text) > MAX_LENGTH:
        raise InputError(
            f"{argument(_ARGUMENT)} must be at most {MAX_LENGTH:,} characters, not {len(text):,}", argument=_ARGUMENT
        )
    if not text.strip():
        raise InputError(f"{argument(_ARGUMENT)} is empty: remove it, or write * for any version", argument=_ARGUMENT)
    try:
        return Constraint(text, scheme, _Parser(text, scheme).alternatives())
    except _Fault as fault:
        raise _error(text, fault) from None


class _Fault(Exception):
    """What is wrong, and at which character."""

    def __init__(self, reason: str, place: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def shown(self) -> str:
        return self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}…"


def _tokens(text: str) -> Iterator[_Token]:
    """Yield the tokens but for spaces, then one that marks the end."""
    for found in _TOKEN.finditer(text):
        token = _Token(found.lastgroup or "unknown", found[0], found.start())
        if token.kind == "unknown":
            raise _Fault(f"{token.text!r} has no meaning here", token.start)
        if token.kind == "operator" and token.text not in _OPERATORS:
            instead = _INSTEAD.get(token.text, f"there are {' '.join(_OPERATORS)}")
            raise _Fault(f"{token.shown} is no operator: {instead}", token.start)
        if token.kind != "space":
            yield token
    yield _Token("end", "", len(text))


class _Parser:
    """Reads the tokens of one constraint from left to right, each once."""

    def __init__(self, text: str, scheme: Scheme) -> None:
        self._scheme = scheme
        self._tokens = _tokens(text)
        self._last = _Token("start", "", 0)
        self._next = next(self._tokens)

    def alternatives(self) -> tuple[tuple[_Term, ...], ...]:
        found = [self._all()]
        while self._next.kind == "or":
            self._take()
            found.append(self._all())
        return tuple(found)

    def _all(self) -> tuple[_Term, ...]:
        terms = [self._term()]
        while self._next.kind not in ("or", "end"):
            if self._next.kind == "comma":
                self._take()
            elif self._next.start == self._last.end:
                raise _Fault(f"a comma or a space goes before {self._next.shown}", self._next.start)
            terms.append(self._term())
        return tuple(terms)

    def _term(self) -> _Term:
        sign = self._take() if self._next.kind == "operator" else _Token("operator", "", self._next.start)
        if self._next.kind != "version":
            raise _missing(self._last, self._next)
        version = self._take()
        try:
            comparisons = [
                _Comparison(name, bound, name in _EXACT or bool(unknown_word(bound)))
                for name, bound in _comparisons(sign, version, self._scheme)
            ]
            return _Term(f"{sign.text}{version.text}", tuple(comparisons))
        except Unreadable as error:
            raise _Fault(f"{version.shown} is {error.reason}", version.start) from None

    def _take(self) -> _Token:
        self._last, self._next = self._next, next(self._tokens)
        return self._last


def _missing(last: _Token, following: _Token) -> _Fault:
    """Return the fault of a place where a version should be."""
    if last.kind == "start":
        return _Fault(f"a version goes before {following.text}", following.start)
    return _Fault(f"a version goes after {last.text}", last.end if following.kind == "end" else following.start)


def _comparisons(sign: _Token, version: _Token, scheme: Scheme) -> Iterator[tuple[str, Key]]:
    """Yield the comparisons that one term stands for; ``sign`` is its operator, or empty."""
    wildcard = _WILDCARD.fullmatch(version.text)
    if wildcard:
        yield from _wildcard(sign, wildcard, scheme)
    elif "*" in version.text:
        raise _Fault("* stands alone, or ends a dotted number as in 1.2.*", version.start)
    elif sign.text in ("~", "^"):
        yield from _compatible(sign, version, scheme)
    elif sign.text not in ("=", "!=") and version.text.lower() in _WISHES:
        raise _Fault(
            f"{version.text} is no version: remove {argument(_ARGUMENT)}, and set {argument('highest_version', True)}",
            version.start,
        )
    elif not sign.text and not re.search("[A-Za-z0-9]", version.text):
        raise _Fault(f"{version.shown} is no version here; a range is written >=1.0 <=2.0", version.start)
    elif sign.text not in _EXACT and not _BEGINS_WITH_DIGIT.match(version.text):
        raise _Fault(_needs_digit(sign, version), version.start)
    else:
        yield sign.text or "=", scheme.key(scheme.completed(version.text))


def _needs_digit(sign: _Token, version: _Token) -> str:
    """Return what is wrong with a version that has no number to compare at its start, and what to write instead."""
    needs = f"after {sign.text} a version begins with a digit, as in 1.2 or v1.2"
    return f"{needs}: write ={version.shown}, or use {argument('version_regex')}"


def _wildcard(sign: _Token, found: re.Match[str], scheme: Scheme) -> Iterator[tuple[str, Key]]:
    if sign.text not in ("", "="):
        raise _Fault(f"{sign.text} does not go with {found[0][-1]}: leave one of them out", sign.start)
    if found[1]:
        yield from _between(found[1], found[1].count("."), scheme)


def _compatible(sign: _Token, version: _Token, scheme: Scheme) -> Iterator[tuple[str, Key]]:
    dotted = _DOTTED.fullmatch(version.text)
    if not dotted:
        raise _Fault(f"{sign.text} goes with a dotted number such as 1.2 or v1.2.3", version.start)
    numbers = dotted[1].split(".")
    last = len(numbers) - 1
    first_above_zero = next((place for place, digits in enumerate(numbers) if digits.strip("0")), last)
    yield from _between(dotted[1], min(last, 1) if sign.text == "~" else first_above_zero, scheme)


def _between(dotted: str, place: int, scheme: Scheme) -> Iterator[tuple[str, Key]]:
    """Yield the bounds of all versions from a number up to where the number at a place goes up by one."""
    # First what the scheme refuses, numbers of absurd length too.
    yield ">=", scheme.key(scheme.completed(dotted))
    *kept, raised = [int(digits) for digits in dotted.split(".")[: place + 1]]
    yield "<", scheme.release([*kept, raised + 1])


def _error(text: str, fault: _Fault) -> InputError:
    """Return the error that shows the constraint, or the piece around the place, with a caret below the place."""
    context = f"{argument(_ARGUMENT)} is wrong at character {fault.place + 1}"
    if redact(text) != text:
        # A piece of a secret could no longer be told for one.
        return InputError(context, argument=_ARGUMENT, facts=[("constraint", REDACTED)])
    first = max(0, min(fault.place - _WINDOW // 2, len(text) - _WINDOW))
    piece = re.sub(r"[^ -~]", "?", re.sub(r"[\t\r\n]", " ", text[first : first + _WINDOW]))
    before, after = "…" * (first > 0), "…" * (first + _WINDOW < len(text))
    caret = " " * (len(before) + fault.place - first) + "^"
    return InputError(
        f"{context}: {fault.reason}",
        argument=_ARGUMENT,
        facts=[("constraint", f"{before}{piece}{after}\n{caret}")],
    )
