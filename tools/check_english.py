"""Report retired words in the texts of the repository.

It reads the prose of every tracked page (``.md``, without fenced blocks and code in backticks), and the comments,
docstrings and string literals of every tracked Python file. ``english.txt`` beside it has the words, and what to write
instead. ``make lint`` runs it.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
import tokenize
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LIST = "tools/english.txt"
# Replaces code, so that words on both sides of it are no phrase.
_CODE = "\0"
_FENCED = re.compile(r"^[ >]*(```|~~~).*?(?:^[ >]*\1|\Z)", re.MULTILINE | re.DOTALL)
_TARGET = re.compile(r"\]\([^)\s]+\)")
_QUOTES = re.compile(r"\A(\w*(\"\"\"|'''|\"|'))(.*)\2\Z", re.DOTALL)
_NOT_PROSE = re.compile(r"(`+)[^`]+\1|\\[nrt]")
_EXPRESSION = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True)
class Rules:
    """The list.

    Attributes:
        pattern: finds each retired word, in a group of its line: ``line_3``.
        instead: what to write instead, by the name of the group.
        allowed: file and text of each line that may keep such a word, with its line in the list.
    """

    pattern: re.Pattern[str]
    instead: Mapping[str, str]
    allowed: Mapping[tuple[str, str], int]


def main(arguments: list[str]) -> int:
    """Print each hit and each unused exception, and return the exit code."""
    parser = argparse.ArgumentParser(prog="check_english", description=__doc__)
    parser.add_argument("folder", nargs="?", default=".", type=Path, help="the repository")
    folder = parser.parse_args(arguments).folder
    rules = read_rules((folder / LIST).read_text(encoding="utf-8"))
    used: set[tuple[str, str]] = set()
    found = [line for file in _tracked(folder) for line in _hits(folder, file, rules, used)]
    found += [
        f"{LIST}:{number}: unused exception: {file}"
        for (file, text), number in rules.allowed.items()
        if (file, text) not in used
    ]
    sys.stdout.writelines(f"{line}\n" for line in found)
    return int(bool(found))


def read_rules(text: str) -> Rules:
    """Return the rules of a list: ``pattern<tab>instead``, or ``allow<tab>file<tab>text of the line``."""
    words: dict[str, str] = {}
    instead: dict[str, str] = {}
    allowed: dict[tuple[str, str], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        first, *rest = line.split("\t")
        if first == "allow":
            file, part = rest
            allowed[file, part] = number
        else:
            words[f"line_{number}"] = first.replace(" ", r"\s+")
            (instead[f"line_{number}"],) = rest
    either = "|".join(f"(?P<{name}>{pattern})" for name, pattern in words.items())
    pattern = re.compile(rf"\b(?<![./-])(?:{either})(?![\w/-]|\.\w)", re.IGNORECASE)
    return Rules(pattern, instead, allowed)


def prose_of_page(source: str) -> str:
    """Return a page in which code and targets of links are replaced, character by character."""
    return _NOT_PROSE.sub(_as_code, _TARGET.sub(_as_code, _FENCED.sub(_as_code, source)))


def prose_of_python(source: str) -> str:
    """Return a program in which all but its texts is replaced, character by character."""
    starts = [0, *accumulate(len(line) + 1 for line in source.split("\n"))]
    prose = list(re.sub(r"\S", _CODE, source))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        text_of = _TEXTS.get(tokenize.tok_name[token.type])
        if text_of:
            begin, end = (starts[row - 1] + column for row, column in (token.start, token.end))
            prose[begin:end] = text_of(source[begin:end])
    return "".join(prose)


def _string(token: str) -> str:
    quoted = _QUOTES.match(token)
    if not quoted:
        raise ValueError(f"not a string literal: {token!r}")
    opening, quotes, text = quoted.groups()
    # Before Python 3.12 an f-string is one token.
    text = _EXPRESSION.sub(_as_code, text) if "f" in opening.lower() else text
    return " " * len(opening) + _literal(text) + " " * len(quotes)


def _literal(text: str) -> str:
    return _NOT_PROSE.sub(lambda found: _as_code(found) if found[1] else "  ", text)


def _comment(token: str) -> str:
    return " " + _literal(token[1:])


def _blank(token: str) -> str:
    return " " * len(token)


#: What becomes of each kind of token. Any other kind is code.
_TEXTS: Mapping[str, Callable[[str], str]] = {
    "COMMENT": _comment,
    "STRING": _string,
    "FSTRING_START": _blank,
    "FSTRING_MIDDLE": _literal,
    "FSTRING_END": _blank,
}


def _as_code(found: re.Match[str]) -> str:
    return re.sub(r"\S", _CODE, found[0])


def _tracked(folder: Path) -> list[str]:
    command = ["git", "-C", str(folder), "ls-files", "-z", "*.md", "*.py"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [name for name in names.split("\0") if name and (folder / name).exists()]


def _hits(folder: Path, file: str, rules: Rules, used: set[tuple[str, str]]) -> Iterator[str]:
    source = (folder / file).read_text(encoding="utf-8")
    prose = prose_of_python(source) if file.endswith(".py") else prose_of_page(source)
    lines = source.split("\n")
    exceptions = [exception for exception in rules.allowed if exception[0] == file]
    for hit in rules.pattern.finditer(prose):
        number = prose.count("\n", 0, hit.start())
        excused = {exception for exception in exceptions if exception[1] in lines[number]}
        used |= excused
        if not excused:
            yield f'{file}:{number + 1}: "{" ".join(hit[0].split())}": {rules.instead[str(hit.lastgroup)]}'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
