"""Write the generated pages, and the generated parts of pages.

``--reference`` limits this to the parts that the tables alone determine, so that no program is run. ``--check`` writes
nothing, and reports pages that are out of date.
"""

from __future__ import annotations

import sys

from docs.generate.pages import ROOT, pages, reference


def main() -> int:
    """Write or report every page that is out of date, and return the exit code."""
    check = "--check" in sys.argv[1:]
    generated = reference() if "--reference" in sys.argv[1:] else pages()
    stale = {
        path: text for path, text in generated.items() if not path.exists() or path.read_text(encoding="utf-8") != text
    }
    for path, text in stale.items():
        if not check:
            path.write_text(text, encoding="utf-8")
        print(f"{'stale' if check else 'wrote'}: {path.relative_to(ROOT)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
