"""Orders version names by a named scheme.

``loose`` reads every documented version. Without ``-``, ``_`` and ``.``, a version is a list of parts. Each part is a
text and the dotted number after it: ``V1.2.3_B012`` is ``1.2.3`` then ``b 12``. Parts compare one by one. If only one
version has a further part, that part decides, lowest first::

    an unfinished word | an unknown word | the end: the release | a build's word | a number after - or _
    1.0-rc1              1.0-arm64         1.0  1.0-final         1.0_B012         1.0-1

- :data:`WORDS` has the words. They count behind the start of the version. In front of it, only :data:`IN_FRONT` do:
  ``beta-1.0`` is a prerelease, ``edge-gateway_1.2`` is none.
- The version starts at the first number with a dot (``1.5``), with a ``v`` in front (``v2``) or without a letter beside
  it (``5-rc1``); if there is none, at the first number. So the version of ``esp32-edge-1.5.0`` starts at ``1.5.0``. A
  number at the beginning starts it, too, unless one with a dot or a ``v`` follows: ``115esr-2``, not ``4g-edge_1.2``.
- A ``v`` before a digit, at the start or after a separator, is ignored, and so is case: ``V1.2``, ``app_v1.2``.
- Numbers of any length compare as numbers. End zeros of a dotted number are ignored: ``1``, ``1.0`` and ``1.0.0`` tie.
- A dot continues a number, ``-`` and ``_`` begin a suffix: ``1.0`` < ``1.0-1`` < ``1.0.1``. A separator between a text
  and its number is ignored: ``1.0rc1``, ``1.0.rc1`` and ``1.0-RC.1`` tie.
- A single letter is a build, never a prerelease: ``V100R001C00B012``. So ``1.0b2`` is above ``1.0`` here.
- An unfinished word makes a prerelease at any place: ``1.0_B012-rc1`` is one of ``1.0_B012``.
- A commit is one word of a build, whatever its digits are: ``1.4.2-14-g1ea5b3c``, ``1.5.0-3ea81c2``. Without the ``g``
  of ``git describe`` it has 7 to 40 hexadecimal digits, two or more of them letters.
- A processor architecture is one unknown word, whatever its digits are: ``1.5.0-x86_64``, ``1.5.0-i386``.

``semver`` is Semantic Versioning 2.0.0, read by the ``semver`` library: three numbers and no ``v``. ``1.0.0-1`` is a
prerelease. Other versions are :class:`Unreadable`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from string import ascii_lowercase
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda import references
from pulumi_iotda_ota.iotda.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    Part: TypeAlias = tuple[int, str, tuple[int, ...]]
    Key: TypeAlias = tuple[Part, ...]


@dataclass(frozen=True)
class WordClass:
    """Words behind the start of a version that sort alike under ``loose``.

    Attributes:
        name: the name of the class.
        place: where such a word sorts a version.
        example: a version with such a word; its release is 1.5.0.
        words: the words. The spellings of one word tie.
    """

    name: str
    place: str
    example: str
    words: tuple[tuple[str, ...], ...] = ()


UNFINISHED = WordClass(
    "unfinished",
    "below its release; a prerelease; the words in this order, lowest first",
    "1.5.0-nightly20240115",
    (
        *(("wip",), ("draft",), ("experimental",), ("debug",), ("internal",), ("eng",), ("test",), ("trial",)),
        ("dev", "develop", "development"),
        *(("unstable",), ("canary",), ("nightly",), ("daily",), ("snapshot",), ("edge",), ("next",)),
        *(("alpha",), ("beta",), ("milestone",), ("ea",), ("eap",)),
        ("pre", "preview", "prerelease"),
        *(("candidate",), ("cr",), ("rc",)),
    ),
)
UNKNOWN = WordClass("any other word", "just below its release; no prerelease; as text", "1.5.0-arm64")
RELEASED = WordClass(
    "released",
    "ties with its release",
    "1.5.0-final",
    (("release",), ("rel",), ("final",), ("ga",), ("lts",), ("stable",)),
)
BUILD = WordClass(
    "build",
    "above its release; as text",
    "1.5.0_B012",
    (
        *(("build",), ("bld",), ("sp",), ("spc",), ("sph",), ("cp",), ("hp",), ("hf",), ("hotfix",), ("fix",)),
        *(("patch",), ("post",), ("rev",)),
        *((letter,) for letter in ascii_lowercase),
    ),
)
#: Every word of ``loose``, lowest first. The reference in docs/ is made from it.
WORDS = (UNFINISHED, UNKNOWN, RELEASED, BUILD)
#: The words that count in front of the version too, where names of products stand.
IN_FRONT = (*("dev", "develop", "development", "snapshot", "alpha", "beta", "pre", "preview", "prerelease", "rc"),)

# The ranks of a part. Prereleases (unfinished words of loose, identifiers of semver) and unknown words are below the
# release.
_NUMERIC_IDENTIFIER, _IDENTIFIER = 0, 1
_UNKNOWN = len(UNFINISHED.words)
_RELEASE, _TEXT, _NUMBER = _UNKNOWN + 1, _UNKNOWN + 2, _UNKNOWN + 3
_END: Part = (_RELEASE, "", ())
# The rank and the text of each word in a key. Spellings of one unfinished word tie, other words differ.
_RANKS: dict[str, tuple[int, str]] = {
    **{word: (rank, "") for rank, spellings in enumerate(UNFINISHED.words) for word in spellings},
    **{word: (_RELEASE, "") for spellings in RELEASED.words for word in spellings},
    **{word: (_TEXT, word) for spellings in BUILD.words for word in spellings},
}
_RANKS_IN_FRONT = {word: _RANKS[word] for word in IN_FRONT}

_DOCUMENTED = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_LEADING_V = re.compile(r"(?<![a-z0-9])v(?=[0-9])")
# Takes the place of a leading v, so that what follows is never taken for a commit: V100C00B012.
_V = "+"
# A commit without a g: one with a single letter, or with ea and a number, is read as numbers and words.
_HASH = rf"(?<![a-z0-9{_V}])(?!ea[0-9]+(?![a-z0-9]))(?=[a-f]*[0-9])(?=(?:[0-9]*[a-f]){{2}})[0-9a-f]{{7,40}}(?![a-z0-9])"
_COMMIT = rf"(?<=[._-])g[0-9a-f]{{7,40}}(?![a-z0-9])|{_HASH}"
# Architectures that begin with a single letter, which would be a build. All others are unknown words anyway.
_ARCHITECTURE = r"(?<![a-z0-9])(?:x86[_-]64|x86|x64|x32|i[3-6]86|s390x?|m68k)(?![a-z0-9])"
_NUMBER_TEXT = rf"(?:[0-9]|\.(?!{_HASH}))*"
_PART = re.compile(
    rf"({_COMMIT})|({_ARCHITECTURE})|([a-z]+)[._{_V}-]*(?!{_HASH})({_NUMBER_TEXT})|([0-9]{_NUMBER_TEXT})"
)
_START = re.compile(rf"({_ARCHITECTURE})|(\{_V}[0-9]|[0-9]+\.[0-9])|((?<![a-z0-9])[0-9]+(?![a-z0-9]))|{_HASH}|[0-9]+")
_INCOMPLETE = re.compile(r"[vV]?([0-9]+(?:\.[0-9]+){0,2})(-.*)?")
_SEMVER_NUMBERS = 3


class Unreadable(ValueError):
    """A version that a scheme cannot read.

    Args:
        reason: the cause, such as ``not a semantic version like 1.2.3``, to read after the version.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Scheme(ABC):
    """A way to read and order versions.

    Attributes:
        name: the value of the argument ``version_scheme``.
    """

    name: str

    def key(self, text: str) -> Key:
        """Return the sort key of a version. Versions that tie have equal keys.

        Raises:
            Unreadable: the scheme cannot read it.
        """
        if not _DOCUMENTED.fullmatch(text):
            raise Unreadable("not 1 to 256 letters, digits, _, - or .")
        return self._read(text)

    def key_of(self, argument: str, text: str) -> Key:
        """Return the key of a version that an argument has.

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
        """Return the key of the release with these numbers. Missing numbers are 0."""

    @abstractmethod
    def completed(self, text: str) -> str:
        """Return a version of a user, completed with the numbers that the scheme requires."""

    @abstractmethod
    def _read(self, text: str) -> Key: ...


class _Loose(Scheme):
    name = "loose"

    def release(self, numbers: Sequence[int]) -> Key:
        return (_NUMBER, "", _without_end_zeros(numbers)), _END

    def completed(self, text: str) -> str:
        return text

    def _read(self, text: str) -> Key:
        text = _LEADING_V.sub(_V, text.lower())
        start = _start(text)
        parts: list[Part] = []
        for found in _PART.finditer(text):
            commit, architecture, word, number, bare = found.groups()
            ranks, other = (_RANKS, _UNKNOWN) if found.start() >= start else (_RANKS_IN_FRONT, _TEXT)
            if bare:
                parts.append((_NUMBER if found.start() >= start else _TEXT, "", _numbers(bare)))
            elif commit:
                parts.append((_TEXT, commit, ()))
            elif architecture:
                parts.append((other, architecture, ()))
            else:
                rank, kept = ranks.get(word, (other, word))
                if rank != _RELEASE:
                    parts.append((rank, kept, _numbers(number)))
                elif numbers := _numbers(number):
                    parts.append((_NUMBER, "", numbers))
        return (*parts, _END)


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
        # Imported here, because the default scheme does not need it.
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
    """Return whether a key is of a prerelease."""
    return any(part[0] < _UNKNOWN for part in key)


def is_prerelease_of(key: Key, bound: Key) -> bool:
    """Return whether a key is of a prerelease of this version: ``2.0-rc1`` is one of ``2``, ``1.9-rc1`` is not."""
    *shared, end = bound
    place = len(shared)
    return (
        end == _END and key[:place] == bound[:place] and key[place : place + 1] < (_END,) and is_prerelease(key[place:])
    )


def begins_with_number(key: Key) -> bool:
    """Return whether a version begins with a number, so that it can be compared with one that does."""
    return key[0][0] == _NUMBER


def unknown_word(key: Key) -> str:
    """Return the first unknown word of a version, or an empty string."""
    for rank, text, _ in key:
        if rank == _UNKNOWN:
            return text
    return ""


def release_of(key: Key) -> Key:
    """Return the key up to its first unknown word: that of ``1.5.0`` for ``1.5.0-arm64_B2``.

    A key without an unknown word is unchanged. So is one with an unfinished word after it, because it is a prerelease.
    """
    for place, part in enumerate(key):
        if part[0] == _UNKNOWN:
            return key if is_prerelease(key[place:]) else (*key[:place], _END)
    return key


def about_unknown_word(key: Key) -> str:
    """Return a note about the unknown word of a version for a reason, or an empty string."""
    word = unknown_word(key)
    return f"; {word} is an unknown word" if word else ""


def _start(text: str) -> int:
    """Return where the version starts: in front of it stands a name."""
    start = len(text)
    for found in _START.finditer(text):
        architecture, marked, lone = found.groups()
        # A number that begins the text can be one of a name (4g-edge_1.2) only if a marked number follows.
        if marked or (lone and start):
            return found.start()
        if not architecture:
            start = min(start, found.start())
    return start


def _numbers(text: str) -> tuple[int, ...]:
    """Return a dotted number. It can be empty, or have several dots together."""
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
