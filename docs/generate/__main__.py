"""Write what is made from the code into the pages.

With ``--reference`` only what the tables alone make, without running a program. With ``--check`` nothing is written:
the pages that are out of date are reported.
"""

from __future__ import annotations

import sys

from docs.generate.pages import ROOT, pages, reference


def main() -> int:
    """Write or tell every page that is not what it should be, and return the exit code."""
    check, made = "--check" in sys.argv[1:], reference if "--reference" in sys.argv[1:] else pages
    stale = {
        path: text for path, text in made().items() if not path.exists() or path.read_text(encoding="utf-8") != text
    }
    for path, text in stale.items():
        if not check:
            path.write_text(text, encoding="utf-8")
        print(f"{'stale' if check else 'wrote'}: {path.relative_to(ROOT)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
