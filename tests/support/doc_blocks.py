"""Reads the fenced blocks of every Markdown page, with the marks that say how each is run.

A mark is a comment on the line above the block: ``<!-- name: one; after: other -->``. A block without one is run as its
language says; a language that can not be run by itself needs one:

=========================== ==========================================================================================
``python``                  a program, run under the test monitor against the local IoTDA; with ``after: NAME`` behind
                            the block of that name; with ``plain`` without Pulumi
``text`` with ``prints``    what the ``plain`` program above it prints
``text`` with ``printed: N`` what the code prints, see ``test_programs.PRINTED``
``text`` with ``order: S``  versions from low to high under a scheme
``sh`` with ``session: N``  commands; all blocks of a session are one shell, see ``sessions.SESSIONS``
``console`` (the same)      commands behind ``$`` and what each prints; ``…`` stands for anything
any with ``file: F``        a file of its session
``mermaid``                 a picture
``made by the code``        held by the test of what is made
``run by: TEST``            run by a test elsewhere, which names the page
``not run: WHY``            what needs the live service or a host of the user's; targets and settings in it are checked
=========================== ==========================================================================================
"""

from __future__ import annotations

import functools
import os
import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
MARKS = {
    "name",
    "after",
    "plain",
    "prints",
    "printed",
    "order",
    "session",
    "file",
    "made by the code",
    "run by",
    "not run",
}
_NOT_OURS = {"venv", "node_modules", "sdks", "build", "dist"}
_MARK = re.compile(r"^ *<!-- (.*) -->$")
_FENCE = re.compile(r"^( *)```([\w-]*)$")


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: str
    line: int
    language: str
    text: str
    marks: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Return every Markdown page of the repository."""
    found = []
    for folder, inside, names in os.walk(ROOT):
        # Environments have thousands of folders.
        inside[:] = [name for name in inside if not name.startswith(".") and name not in _NOT_OURS]
        found += [Path(folder, name).relative_to(ROOT) for name in names if name.endswith(".md")]
    return sorted(found)


@functools.cache
def blocks() -> tuple[Block, ...]:
    """Return every block of every page, in their order."""
    return tuple(block for page in pages() for block in _blocks(str(page), (ROOT / page).read_text(encoding="utf-8")))


def named(page: str, name: str) -> Block:
    """Return the block of a page that has a name."""
    (found,) = (block for block in blocks() if block.page == page and block.marks.get("name") == name)
    return found


def rollout_program() -> str:
    """Return the program of the README that rolls a package out."""
    return named("README.md", "rollout").text


def file_of(page: str, file: str) -> str:
    """Return the block of a page that is a file of one of its sessions."""
    (found,) = (block for block in blocks() if block.page == page and block.marks.get("file") == file)
    return found.text


def _blocks(page: str, text: str) -> Iterator[Block]:
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        if fence:
            end = lines.index(f"{fence[1]}```", number + 1)
            content = textwrap.dedent("\n".join(lines[number + 1 : end])) + "\n"
            yield Block(page, number + 1, fence[2], content, _marks(lines[number - 1]))
            number = end
        number += 1


def _marks(line: str) -> dict[str, str]:
    found = _MARK.match(line)
    if found is None:
        return {}
    if found[1].startswith("not run:"):
        return {"not run": found[1].removeprefix("not run:").strip()}
    pairs = (mark.partition(":") for mark in found[1].split("; "))
    return {name.strip(): value.strip() for name, _, value in pairs}
