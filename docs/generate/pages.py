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
from typing import TYPE_CHECKING

from docs.generate.parts import PARTS, REFERENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["MARKS", "ROOT", "pages", "reference"]

ROOT = Path(__file__).parents[2]
_PAGES = ROOT / "docs"
#: The marks, in their order.
MARKS = re.compile(r"^<!-- (made|end)(?:: [^>]+)? -->$", re.MULTILINE)
_PART = re.compile(r"(<!-- made: (?P<name>[^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> dict[Path, str]:
    """Return the text of every page as it should be."""
    whole = _made_whole()
    return {**whole, **_parts_of([path for path in _all() if path not in whole], PARTS)}


def reference() -> dict[Path, str]:
    """Return the text of every page with the parts that are made from the tables alone: no program is run."""
    return _parts_of(_all(), REFERENCE)


def _all() -> list[Path]:
    return [ROOT / "README.md", *sorted(_PAGES.glob("*.md"))]


def _parts_of(pages: Iterable[Path], parts: Mapping[str, Callable[[], str]]) -> dict[Path, str]:
    return {path: _filled(path.read_text(encoding="utf-8"), parts) for path in pages}


def _made_whole() -> dict[Path, str]:
    """Return the text of every page that is made as a whole."""
    names = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
    modules = {name: import_module(f"docs.generate.{name}") for name in names if not name.startswith("_")}
    return {
        _PAGES / f"{name.replace('_', '-')}.md": str(module.page())
        for name, module in sorted(modules.items())
        if hasattr(module, "page")
    }


def _filled(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """Return the text of a page with each of the parts between two marks made anew.

    Args:
        text: the page.
        parts: the parts; any other stays as it is.

    Raises:
        KeyError: a mark names a part that there is not.
    """

    def made(found: re.Match[str]) -> str:
        if found["name"] in parts or found["name"] not in PARTS:
            return f"{found[1]}\n{parts[found['name']]().strip()}\n\n{found[3]}"
        return found[0]

    return _PART.sub(made, text)
