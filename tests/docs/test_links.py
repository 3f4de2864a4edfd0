"""Links, anchors and names of tests in every Markdown page lead somewhere."""

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
    """Return the anchors of a page, as git hosts make them of its headings."""
    heads = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page leads to a file or folder, and every anchor to a heading."""
    for target in _LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        leads_to = (ROOT / page.parent / path).resolve() if path else ROOT / page
        assert leads_to.exists(), target
        if anchor:
            assert anchor in anchors(leads_to.relative_to(ROOT)), target


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_tests_that_are_named_are_there(page: Path) -> None:
    """Every test that a page names is there, so that a promise without its test is noticed."""
    text = (ROOT / page).read_text(encoding="utf-8")

    for named in re.findall(r"`(tests/[\w/.*-]+)", text):
        assert list(ROOT.glob(named)), named
    file = ""
    # After its file once, further tests are named by themselves.
    for path, test in re.findall(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`", text):
        file = path or file
        assert not test or re.search(rf"^(def|class) {test}\b", (ROOT / file).read_text(), re.MULTILINE), test


def test_every_page_is_reached() -> None:
    """Every page of docs/ is linked from its index."""
    index = prose(next(page for page in PAGES if str(page) == "docs/README.md"))

    linked = {target.partition("#")[0] for target in _LINK.findall(index)}
    assert {page.name for page in PAGES if str(page.parent) == "docs"} - {"README.md"} <= linked
