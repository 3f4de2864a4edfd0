"""Writes what is made from the code into the pages; with ``--check`` it only tells which pages are stale."""

from __future__ import annotations

import sys

from docs.generate.pages import ROOT, pages


def main() -> int:
    """Write or tell every page that is not what it should be, and return the exit code."""
    check = "--check" in sys.argv[1:]
    stale = {
        path: text for path, text in pages().items() if not path.exists() or path.read_text(encoding="utf-8") != text
    }
    for path, text in stale.items():
        if not check:
            path.write_text(text, encoding="utf-8")
        print(f"{'stale' if check else 'wrote'}: {path.relative_to(ROOT)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
