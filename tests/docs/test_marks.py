"""Every block says how it is run, and what is not run speaks of things that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from tests.support.doc_blocks import MARKS, ROOT, Block, blocks
from tests.support.doc_sessions import OWN, SESSIONS

BLOCKS = blocks()
# How a block of each language may be run; `python` and `mermaid` need no mark.
WAYS: dict[str, tuple[set[str], ...]] = {
    "python": (set(), {"name"}, {"after"}, {"plain"}, {"file", "session"}, {"not run"}),
    "mermaid": (set(), {"made by the code"}),
    "text": ({"prints"}, {"printed"}, {"order"}, {"made by the code"}),
    "sh": ({"session"}, {"not run"}),
    "console": ({"session"}, {"made by the code"}, {"not run"}),
    "yaml": ({"file", "session"}, {"not run"}),
    "json": ({"file", "session"}, {"not run"}),
    "toml": ({"file", "session"}, {"not run"}),
    "typescript": (),
    "go": (),
}


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_says_how_it_is_run(block: Block) -> None:
    """A block has a language, and marks that together are a way to run it."""
    assert block.language in WAYS
    assert set(block.marks) <= MARKS
    way = set(block.marks) - {"name"} if block.marks.keys() != {"name"} else {"name"}
    assert way in (*WAYS[block.language], {"run by"}), f"{sorted(way)} is no way to run {block.language}"


def test_every_session_is_run() -> None:
    """Each session of a page has its test, and each test its session."""
    told = {(block.page, block.marks["session"]) for block in BLOCKS if "session" in block.marks}

    assert told == {*SESSIONS, *OWN}
    for test in OWN.values():
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text()


@pytest.mark.parametrize("block", [block for block in BLOCKS if "run by" in block.marks], ids=str)
def test_what_is_run_elsewhere_is_known_there(block: Block) -> None:
    """A block that another test runs names it, and that test names the page."""
    assert Path(block.page).name in (ROOT / block.marks["run by"]).read_text()


@pytest.mark.parametrize("block", [block for block in BLOCKS if "not run" in block.marks], ids=str)
def test_what_is_not_run_is_possible(block: Block) -> None:
    """A block that is not run gives its reason, and names targets, settings and files that there are."""
    reason = block.marks["not run"]
    assert len(reason.split()) > 4
    for path in re.findall(r"tests/[\w/]+\.py", reason):
        assert (ROOT / path).exists()
    if block.language == "sh":
        for line in block.text.splitlines():
            require_known(shlex.split(line, comments=True))


def require_known(words: list[str]) -> None:
    """Hold the words of a command to exist."""
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    variables = {variable for setting in SETTINGS for variable in setting.environment}
    if words[:1] == ["make"]:
        assert set(words[1:]) <= set(targets)
    if words[:1] == ["export"]:
        assert {word.partition("=")[0] for word in words[1:]} <= variables
