"""Every block has marks that say how it is run. A block that is not run names only things that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from tests.support.doc_blocks import MARKS, ROOT, Block, blocks
from tests.support.doc_sessions import OWN, SESSIONS

BLOCKS = blocks()
# The valid marks for each language. `python` and `mermaid` need no mark.
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
    """A block has a language, and a valid combination of marks."""
    assert block.language in WAYS
    assert set(block.marks) <= MARKS
    way = set(block.marks) - {"name"} if block.marks.keys() != {"name"} else {"name"}
    assert way in (*WAYS[block.language], {"run by"}), f"{sorted(way)} is not valid for {block.language}"


def test_every_session_is_run() -> None:
    """Each session of a page has its test, and each test its session."""
    named = {(block.page, block.marks["session"]) for block in BLOCKS if "session" in block.marks}

    assert named == {*SESSIONS, *OWN}
    for test in OWN.values():
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text()


@pytest.mark.parametrize("block", [block for block in BLOCKS if "run by" in block.marks], ids=str)
def test_a_block_that_another_test_runs_names_it(block: Block) -> None:
    """A block that another test runs names this test, and the test names the page."""
    assert Path(block.page).name in (ROOT / block.marks["run by"]).read_text()


@pytest.mark.parametrize("block", [block for block in BLOCKS if "not run" in block.marks], ids=str)
def test_a_block_that_is_not_run_has_a_reason(block: Block) -> None:
    """A block that is not run has a reason, and names only targets, settings and files that exist."""
    reason = block.marks["not run"]
    assert len(reason.split()) > 4
    for path in re.findall(r"tests/[\w/]+\.py", reason):
        assert (ROOT / path).exists()
    if block.language == "sh":
        for line in block.text.splitlines():
            require_known(shlex.split(line, comments=True))


def require_known(words: list[str]) -> None:
    """Require that the make targets and the settings of a command exist."""
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    variables = {variable for setting in SETTINGS for variable in setting.environment}
    if words[:1] == ["make"]:
        assert set(words[1:]) <= set(targets)
    if words[:1] == ["export"]:
        assert {word.partition("=")[0] for word in words[1:]} <= variables
