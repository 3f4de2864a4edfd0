"""Which pages are made, and how: whole, or between two marks.

A module of this folder that has a function ``page()`` makes the whole page of its name: ``command_line.py`` makes
``docs/command-line.md``. Any other page is written by hand, and holds what is made between two marks::

    <!-- made: inputs of UpgradeTask -->
    ...
    <!-- end -->

What such a part is called is in :data:`docs.generate.parts.PARTS`.
"""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module
from pathlib import Path

from docs.generate.parts import PARTS

__all__ = ["MARKS", "ROOT", "pages"]

ROOT = Path(__file__).parents[2]
_PAGES = ROOT / "docs"
#: The marks, in their order.
MARKS = re.compile(r"^<!-- (made|end)(?:: [^>]+)? -->$", re.MULTILINE)
_PART = re.compile(r"(<!-- made: (?P<name>[^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> dict[Path, str]:
    """Return the text of every page as it should be."""
    whole = _made_whole()
    by_hand = [path for path in (ROOT / "README.md", *sorted(_PAGES.glob("*.md"))) if path not in whole]
    return {**whole, **{path: _filled(path.read_text(encoding="utf-8")) for path in by_hand}}


def _made_whole() -> dict[Path, str]:
    """Return the text of every page that is made as a whole."""
    names = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
    modules = {name: import_module(f"docs.generate.{name}") for name in names if not name.startswith("_")}
    return {
        _PAGES / f"{name.replace('_', '-')}.md": str(module.page())
        for name, module in sorted(modules.items())
        if hasattr(module, "page")
    }


def _filled(text: str) -> str:
    """Return the text of a page with each part between two marks made anew.

    Args:
        text: the page.

    Raises:
        KeyError: a mark names a part that there is not.
    """
    return _PART.sub(lambda found: f"{found[1]}\n{PARTS[found['name']]().strip()}\n\n{found[3]}", text)
