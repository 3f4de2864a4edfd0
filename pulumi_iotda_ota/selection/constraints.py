"""Reads version constraints: one grammar for every scheme.

::

    constraint  = all ("||" all)*             any of them must be true
    all         = term (("," | space) term)*  all of them must be true
    term        = ("=" | "!=") version        any version that the scheme reads
                | version                     as with =; it has a digit, and looks like no range
                | (">" | ">=" | "<" | "<=") version   it begins with a digit, v in front allowed
                | ("~" | "^") number          a dotted number, v in front allowed
                | "="? number ".x"            x, X or *; alone: any version

A constraint decides by the order of the scheme. ``loose`` has two exceptions, neither for ``=``, ``!=`` and ``*``:

- A version that begins with no number, such as ``latest`` or ``gateway_9.9``, cannot be compared: no term admits it.
- A version with an unknown word is compared by its release. By the order, ``1.5.0-arm64`` is below ``1.5.0``;
  ``>=1.5.0`` admits it and ``<1.5.0`` does not. If the constraint itself names an unknown word, as ``>=1.5.0-arm64``
  does, the order decides.

``include_prereleases`` is another rule. What a term does with prereleases, with builds and with unknown words:

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

``~`` keeps the first two numbers, or the only one. ``^`` keeps all up to the first that is not 0, or all zeros. An x
keeps the numbers before it. Missing numbers are 0: ``>=1.2`` is ``>=1.2.0`` and ``1.2`` is ``=1.2.0``, not ``1.2.x``.
``<2-rc1`` names a prerelease of 2, so it admits ``2-beta``. A version with a suffix is compared as a whole:
``>=1.2_B12``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.sanitize import REDACTED, redact
from pulumi_iotda_ota.selection.comparisons import COMPARE, EXACT, Comparison, Constraint, Term
from pulumi_iotda_ota.selection.versions import Unreadable, begins_with_number, unknown_word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_iotda_ota.selection.versions import Key, Scheme

MAX_LENGTH = 1024

_ARGUMENT = "version_constraint"
_WINDOW = 60  # characters of a constraint in an error
_LONGEST = 40  # characters of a version in an error

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)|(?P<or>\|\|)|(?P<comma>,)|(?P<operator>[=!<>~^&]+|\|)|(?P<version>[A-Za-z0-9_.*-]+)|."
)
_DOTTED = re.compile(r"[vV]?([0-9]+(?:\.[0-9]+)*)")
_WILDCARD = re.compile(r"[vV]?([0-9]+(?:\.[0-9]+)*)(?:\.[xX*])+|[xX*]")
# A number with an x that does not end it.
_INNER_X = re.compile(r"([vV]?[0-9]+(?:\.[0-9]+)*\.)([xX])(?![A-Za-z0-9])")
_LIKE_A_RANGE = re.compile(r"([vV]?[0-9]+(?:\.[0-9]+)*)(-|\.{2,3})([vV]?[0-9]+(?:\.[0-9]+)*)")
_TILDE_OR_CARET = "~1.2 is >=1.2 <1.3, ^1.2 is >=1.2 <2"
_RANGE, _AND, _OR = "a range is >=1.0 <=2.0", "and is a comma or a space", "or is ||"
_ANY = "any version is *"
_INSTEAD = {
    "==": "write =",
    "===": "write =",
    "<>": "write !=",
    "!": "write !=",
    "=>": "write >=",
    "=<": "write <=",
    "~>": _TILDE_OR_CARET,
    "~=": _TILDE_OR_CARET,
    "|": _OR,
    "&": _AND,
    "&&": _AND,
}
# Words of other languages of ranges.
_WORDS_INSTEAD = {
    "and": _AND,
    "or": _OR,
    "not": "write !=",
    "any": _ANY,
    "all": _ANY,
    **dict.fromkeys(("to", "between", "from", "through", "until"), _RANGE),
}


_OPERATORS = (*COMPARE, "~", "^")
_BEGINS_WITH_DIGIT = re.compile("[vV]?[0-9]")
# Other tools read these as the newest version. A version of that name is found by =latest.
_WISHES = ("latest", "newest")


def parse(text: str, scheme: Scheme) -> Constraint:
    """Return the constraint of a text of at most :data:`MAX_LENGTH` characters.

    Raises:
        InputError: the text is not a constraint. The error points at the place.
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
    """A problem, and the index of its character."""

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
    def short(self) -> str:
        return self.text if len(self.text) <= _LONGEST else f"{self.text[:_LONGEST]}…"


def _tokens(text: str) -> Iterator[_Token]:
    """Yield the tokens without spaces, then one that marks the end."""
    for found in _TOKEN.finditer(text):
        token = _Token(found.lastgroup or "unknown", found[0], found.start())
        if token.kind == "unknown":
            instead = f": {_RANGE}" if token.text in "[]()" else ""
            raise _Fault(f"{token.text!r} has no meaning here{instead}", token.start)
        if token.kind == "operator" and token.text not in _OPERATORS:
            instead = _INSTEAD.get(token.text, f"there are {' '.join(_OPERATORS)}")
            raise _Fault(f"{token.short} is no operator: {instead}", token.start)
        if token.kind != "space":
            yield token
    yield _Token("end", "", len(text))


class _Parser:
    """A parser of the tokens of one constraint."""

    def __init__(self, text: str, scheme: Scheme) -> None:
        self._scheme = scheme
        self._tokens = _tokens(text)
        self._last = _Token("start", "", 0)
        self._next = next(self._tokens)

    def alternatives(self) -> tuple[tuple[Term, ...], ...]:
        found = [self._all()]
        while self._next.kind == "or":
            self._take()
            found.append(self._all())
        return tuple(found)

    def _all(self) -> tuple[Term, ...]:
        terms = [self._term()]
        while self._next.kind not in ("or", "end"):
            if self._next.kind == "comma":
                self._take()
            elif self._next.start == self._last.end:
                raise _Fault(f"a comma or a space goes before {self._next.short}", self._next.start)
            terms.append(self._term())
        return tuple(terms)

    def _term(self) -> Term:
        sign = self._take() if self._next.kind == "operator" else _Token("operator", "", self._next.start)
        if self._next.kind != "version":
            raise _missing(self._last, self._next)
        version = self._take()
        try:
            comparisons = [
                Comparison(name, bound, name in EXACT or bool(unknown_word(bound)))
                for name, bound in _comparisons(sign, version, self._scheme)
            ]
            return Term(f"{sign.text}{version.text}", tuple(comparisons))
        except Unreadable as error:
            raise _Fault(f"{version.short} is {error.reason}", version.start) from None

    def _take(self) -> _Token:
        self._last, self._next = self._next, next(self._tokens)
        return self._last


def _missing(last: _Token, following: _Token) -> _Fault:
    """Return the fault of a missing version."""
    if last.kind == "start":
        return _Fault(f"a version goes before {following.text}", following.start)
    return _Fault(f"a version goes after {last.text}", last.end if following.kind == "end" else following.start)


def _comparisons(sign: _Token, version: _Token, scheme: Scheme) -> Iterator[tuple[str, Key]]:
    """Yield the comparisons of one term; ``sign`` is its operator, or empty."""
    wildcard = _WILDCARD.fullmatch(version.text)
    if wildcard:
        yield from _wildcard(sign, wildcard, scheme)
    elif "*" in version.text:
        raise _Fault("* stands alone, or ends a dotted number as in 1.2.*", version.start)
    elif sign.text in ("~", "^"):
        yield from _compatible(sign, version, scheme)
    else:
        if sign.text not in ("=", "!="):
            _refuse_wish(version)
        if not sign.text:
            _refuse_unclear(version)
        elif sign.text not in EXACT:
            _refuse_unordered(sign, version)
        bound = scheme.key(scheme.completed(version.text))
        if sign.text not in EXACT and not begins_with_number(bound):
            raise _Fault(f"{version.short} begins with no version number: write ={version.short}", version.start)
        yield sign.text or "=", bound


def _refuse_wish(version: _Token) -> None:
    """Refuse what other tools take for the newest version."""
    if version.text.lower() in _WISHES:
        remedy = f"remove {argument(_ARGUMENT)}, and set {argument('highest_version', True)}"
        raise _Fault(f"{version.text} is no version: {remedy}", version.start)


def _refuse_unclear(version: _Token) -> None:
    """Refuse a version without an operator that is a word, or looks like a range."""
    exactly = f"={version.short} for the version of that name"
    if not re.search("[0-9]", version.text):
        instead = _WORDS_INSTEAD.get(version.text.lower(), "" if re.search("[A-Za-z]", version.text) else _RANGE)
        raise _Fault(
            f"{version.short} is no version: {instead}"
            if instead
            else f"{version.short} has no number: write {exactly}",
            version.start,
        )
    if inner := _INNER_X.match(version.text):
        x = inner[2]
        raise _Fault(
            f"{x} ends a dotted number, as in 1.x: write {inner[0]}, or {exactly}", version.start + inner.start(2)
        )
    found = _LIKE_A_RANGE.fullmatch(version.text)
    if found and _rises(*found.groups()):
        raise _Fault(f"{version.short} is no range: write >={found[1]} <={found[3]}, or {exactly}", version.start)


def _rises(low: str, between: str, high: str) -> bool:
    """Return whether two numbers look like the ends of a range: 1.24.0-2 is a build, and 2.1-1.0 is none."""
    if between != "-":
        return True
    first, last = ([int(digits) for digits in end.lstrip("vV").split(".")] for end in (low, high))
    return ("." in low) == ("." in high) and first < last


def _refuse_unordered(sign: _Token, version: _Token) -> None:
    """Refuse a version that no operator of the order goes with."""
    if inner := _INNER_X.match(version.text):
        raise _Fault(f"{sign.text} does not go with {inner[2]}: leave one of them out", sign.start)
    if not _BEGINS_WITH_DIGIT.match(version.text):
        raise _Fault(_needs_digit(sign, version), version.start)


def _needs_digit(sign: _Token, version: _Token) -> str:
    """Return the problem of a version that does not begin with a digit, and what to write instead."""
    needs = f"after {sign.text} a version begins with a digit, as in 1.2 or v1.2"
    return f"{needs}: write ={version.short}, or use {argument('version_regex')}"


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
    """Yield the bounds of the versions from a number up to that with the next number at a place."""
    # First, because the scheme refuses numbers of absurd length.
    yield ">=", scheme.key(scheme.completed(dotted))
    *kept, raised = [int(digits) for digits in dotted.split(".")[: place + 1]]
    yield "<", scheme.release([*kept, raised + 1])


def _error(text: str, fault: _Fault) -> InputError:
    """Return the error with the part of the constraint around the place, and a caret below it."""
    context = f"{argument(_ARGUMENT)} is wrong at character {fault.place + 1}"
    if redact(text) != text:
        # A part of a secret would not be redacted.
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
