"""DESIGN.md: each promise of its table names a test, and the test exists."""

from __future__ import annotations

import re

from tests.support.doc_blocks import ROOT

DESIGN = (ROOT / "DESIGN.md").read_text(encoding="utf-8")
TABLES = DESIGN.partition("## Promises and their tests")[2].partition("\n## ")[0]
ROWS = [
    line.rpartition(" | ") for line in TABLES.splitlines() if line.startswith("| ") and line != "| promise | tests |"
]


def test_each_promise_names_a_test_that_exists() -> None:
    """Every row names at least one test or file of tests, and all that it names exist."""
    assert len(ROWS) > 90
    missing = []
    for promise, _, tests in ROWS:
        file, named = "", re.findall(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`", tests)
        assert any(path for path, _ in named), promise
        for path, name in named:
            file = path or file
            exists = (ROOT / file).is_file()
            if not exists or (name and not re.search(rf"^ *(?:def|class) {name}\b", (ROOT / file).read_text(), re.M)):
                missing.append(f"{file}::{name}")
    assert missing == []
