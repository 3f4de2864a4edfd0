"""The generated pages and parts of pages are up to date. ``make docs`` writes them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from docs.generate import pages
from tests.support.doc_blocks import ROOT

BY_HAND = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_every_generated_page_is_up_to_date() -> None:
    """Each generated page, and each part between two marks, is what ``make docs`` writes."""
    # In a separate process, because it runs programs.
    command = [sys.executable, "-m", "docs.generate", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("path", BY_HAND, ids=lambda path: path.name)
def test_every_mark_has_its_end(path: str) -> None:
    """A generated part has a begin mark and an end mark, so that nothing beside it is overwritten."""
    text = (ROOT / path).read_text(encoding="utf-8")

    marks = pages.MARKS.findall(text)
    assert marks == ["made", "end"] * (len(marks) // 2)
