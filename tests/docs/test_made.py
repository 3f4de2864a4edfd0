"""What is made from the code is what it is made to be; ``make docs`` writes it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from docs.generate import pages
from tests.support.doc_blocks import ROOT

BY_HAND = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_every_page_is_as_it_is_made() -> None:
    """Each page, or its parts between two marks, is what ``make docs`` writes."""
    # In a process of its own, because it runs programs.
    command = [sys.executable, "-m", "docs.generate", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("path", BY_HAND, ids=lambda path: path.name)
def test_every_mark_has_its_end(path: str) -> None:
    """A part that is made has a beginning and an end, so that nothing beside it is overwritten."""
    text = (ROOT / path).read_text(encoding="utf-8")

    marks = pages.MARKS.findall(text)
    assert marks == ["made", "end"] * (len(marks) // 2)
