"""Orders version names by a named scheme. Never guesses a scheme, looks at no package and sends nothing.

``loose`` reads every documented version. Leaving ``-``, ``_`` and ``.`` aside, a version is a row of parts, each some
text and the dotted number after it: ``V1.2.3_B012`` is ``1.2.3`` then ``b 12``. Parts compare one by one, and where one
version ends and the other goes on, what comes next decides, lowest first::

    dev  snapshot  alpha  beta  pre  rc  |  the end: the release itself  |  any other text   a number after - or _
    1.0-dev2                1.0-rc1         1.0                             1.0_B012         1.0-1

- A ``v`` before a digit, at the start or after a separator, is dropped; case never counts: ``V1.2``, ``app_v1.2``.
- Numbers compare as numbers, of any length; end zeros of a dotted number fall: ``1``, ``1.0`` and ``1.0.0`` tie.
- A dot goes on with a number, ``-`` and ``_`` begin a suffix: ``1.0`` < ``1.0-1`` < ``1.0.1``. Between text and its
  number a separator says nothing: ``1.0rc1``, ``1.0.rc1`` and ``1.0-RC.1`` tie.
- ``develop`` and ``development`` are ``dev``, ``preview`` and ``prerelease`` are ``pre``. A single letter is never a
  prerelease: ``V100R001C00B012`` is a build and ``1.0.2a`` a patch, so ``1.0b2`` is above ``1.0`` here.
- One of these words makes a prerelease wherever it stands: ``1.0_B012-rc1`` is one of ``1.0_B012``.

``semver`` is Semantic Versioning 2.0.0 as the ``semver`` library reads it: three numbers, no ``v``; ``1.0.0-1`` is a
prerelease there. What it does not read is :class:`Unreadable`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda import references
from pulumi_iotda_ota.iotda.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    Part: TypeAlias = tuple[int, str, tuple[int, ...]]
    Key: TypeAlias = tuple[Part, ...]

# The ranks of a part. Below the release are the prereleases: the words of loose, the identifiers of semver.
_WORDS = {
    "dev": 0,
    "develop": 0,
    "development": 0,
    "snapshot": 1,
    "alpha": 2,
    "beta": 3,
    "pre": 4,
    "preview": 4,
    "prerelease": 4,
    "rc": 5,
}
_NUMERIC_IDENTIFIER, _IDENTIFIER = 0, 1
_RELEASE, _TEXT, _NUMBER = 6, 7, 8
_END: Part = (_RELEASE, "", ())

_DOCUMENTED = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_LEADING_V = re.compile(r"(?<![A-Za-z0-9])[vV](?=[0-9])")
_PART = re.compile(r"([a-z]+)[._-]*([0-9.]*)|([0-9][0-9.]*)")
_INCOMPLETE = re.compile(r"[vV]?([0-9]+(?:\.[0-9]+){0,2})(-.*)?")
_SEMVER_NUMBERS = 3


class Unreadable(ValueError):
    """A version that a scheme cannot read.

    Args:
        reason: what is wrong with it, such as ``not a semantic version like 1.2.3``, to follow the version's name.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Scheme(ABC):
    """How versions are read and ordered.

    Attributes:
        name: as the argument ``version_scheme`` spells it.
    """

    name: str

    def key(self, text: str) -> Key:
        """Return a value that sorts as the version does; versions that tie have equal keys.

        Args:
            text: the version as the service gives it.

        Raises:
            Unreadable: the scheme cannot read it.
        """
        if not _DOCUMENTED.fullmatch(text):
            raise Unreadable("not 1 to 256 letters, digits, _, - or .")
        return self._read(text)

    def key_of(self, argument: str, text: str) -> Key:
        """Return the key of a version that a user gave.

        Raises:
            InputError: the scheme cannot read it.
        """
        try:
            return self.key(text)
        except Unreadable as error:
            raise InputError(
                f"{references.argument(argument)} has {text!a:.80}, which is {error}", argument=argument
            ) from error

    def is_prerelease(self, text: str) -> bool:
        """Return whether a version is a prerelease.

        Raises:
            Unreadable: the scheme cannot read it.
        """
        return is_prerelease(self.key(text))

    @abstractmethod
    def release(self, numbers: Sequence[int]) -> Key:
        """Return the key of the release with these numbers; missing ones are 0."""

    @abstractmethod
    def completed(self, text: str) -> str:
        """Return a version that a person wrote, its missing numbers filled in where the scheme cannot do without."""

    @abstractmethod
    def _read(self, text: str) -> Key: ...


class _Loose(Scheme):
    name = "loose"

    def release(self, numbers: Sequence[int]) -> Key:
        return (_NUMBER, "", _without_end_zeros(numbers)), _END

    def completed(self, text: str) -> str:
        return text

    def _read(self, text: str) -> Key:
        bare = _LEADING_V.sub("", text).lower()
        return (*[_part(word, number or bare_number) for word, number, bare_number in _PART.findall(bare)], _END)


class _Semver(Scheme):
    name = "semver"

    def release(self, numbers: Sequence[int]) -> Key:
        padded = (*numbers, *[0] * (_SEMVER_NUMBERS - len(numbers)))
        return (_NUMBER, "", padded), _END

    def completed(self, text: str) -> str:
        found = _INCOMPLETE.fullmatch(text)
        if not found:
            return text
        numbers, rest = found.groups(default="")
        return f"{numbers}{'.0' * (_SEMVER_NUMBERS - 1 - numbers.count('.'))}{rest}"

    def _read(self, text: str) -> Key:
        # Not at the top: a lookup by the default scheme need not load it.
        from semver import Version  # noqa: PLC0415

        try:
            version = Version.parse(text)
        except ValueError:
            raise Unreadable("not a semantic version such as 1.2.3 or 1.2.3-rc.1") from None
        numbers = (_NUMBER, "", (version.major, version.minor, version.patch))
        if version.prerelease is None:
            return numbers, _END
        return (numbers, *map(_identifier, version.prerelease.split(".")))


_SCHEMES: dict[str, Scheme] = {"loose": _Loose(), "semver": _Semver()}


def scheme(name: str) -> Scheme:
    """Return the scheme of a name.

    Raises:
        InputError: there is no such scheme.
    """
    if name not in _SCHEMES:
        raise InputError(
            f"{references.argument('version_scheme')} must be {' or '.join(_SCHEMES)}, not {name!a:.60}",
            argument="version_scheme",
        )
    return _SCHEMES[name]


def is_prerelease(key: Key) -> bool:
    """Return whether a key is that of a prerelease."""
    return any(part[0] < _RELEASE for part in key)


def is_prerelease_of(key: Key, bound: Key) -> bool:
    """Return whether a key is that of a prerelease of this very version: ``2.0-rc1`` of ``2``, ``1.9-rc1`` not."""
    *shared, end = bound
    place = len(shared)
    return end == _END and key[:place] == bound[:place] and key[place : place + 1] < (_END,)


def _part(word: str, number: str) -> Part:
    numbers = _numbers(number)
    if not word:
        return _NUMBER, "", numbers
    rank = _WORDS.get(word, _TEXT)
    return rank, word if rank == _TEXT else "", numbers


def _numbers(text: str) -> tuple[int, ...]:
    """Return a dotted number, which may also be empty or have more dots than it needs."""
    if "." in text:
        return _without_end_zeros(int(digits) for digits in text.split(".") if digits)
    number = int(text or 0)
    return (number,) if number else ()


def _without_end_zeros(numbers: Iterable[int]) -> tuple[int, ...]:
    kept = list(numbers)
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept)


def _identifier(text: str) -> Part:
    return (_NUMERIC_IDENTIFIER, "", (int(text),)) if text.isdigit() else (_IDENTIFIER, text, ())
