"""docs/command-line.md: made from the tree of commands, its examples run; what stands there is what is."""

from __future__ import annotations

from docs.generate import command_line
from tests.plugin.process import ROOT


def test_the_reference_is_what_is_made() -> None:
    """The page has every command, option and exit code, and what each example really prints."""
    assert command_line.page() == (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
