"""Write all generated files. With ``--check``, only report the files that are out of date."""

from __future__ import annotations

import sys

from tools.generate.files import ROOT, files


def main() -> int:
    """Write or report every file that differs from the tables, and return the exit code."""
    check = "--check" in sys.argv[1:]
    stale = {
        path: text for path, text in files().items() if not path.exists() or path.read_text(encoding="utf-8") != text
    }
    for path, text in stale.items():
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        print(f"{'out of date' if check else 'wrote'}: {path.relative_to(ROOT)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
