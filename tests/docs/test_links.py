"""Links, anchors and names of tests in every Markdown page have a target."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.doc_blocks import ROOT, pages

if TYPE_CHECKING:
    from pathlib import Path

PAGES = pages()
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCED.sub("", (ROOT / page).read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page, as git hosts make them from its headings."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_have_a_target(page: Path) -> None:
    """Every relative link of a page leads to a file or folder, and every anchor to a heading."""
    for target in _LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page.parent / path).resolve() if path else ROOT / page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.relative_to(ROOT)), target


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_named_tests_exist(page: Path) -> None:
    """Every test that a page names exists, so that no promise loses its test unnoticed."""
    text = (ROOT / page).read_text(encoding="utf-8")

    for named in re.findall(r"`(tests/[\w/.*-]+)", text):
        assert list(ROOT.glob(named)), named
    file = ""
    # A name without a file belongs to the last named file.
    for path, test in re.findall(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`", text):
        file = path or file
        assert not test or re.search(rf"^(def|class) {test}\b", (ROOT / file).read_text(), re.MULTILINE), test


def test_the_index_links_every_page() -> None:
    """The index of docs/ links every page."""
    index = prose(next(page for page in PAGES if str(page) == "docs/README.md"))

    linked = {target.partition("#")[0] for target in _LINK.findall(index)}
    assert {page.name for page in PAGES if str(page.parent) == "docs"} - {"README.md"} <= linked
