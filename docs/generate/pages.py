"""The text of every page: generated as a whole, or in parts between two marks.

A module of this folder with a function ``page()`` generates the whole page of its name: ``command_line.py`` generates
``docs/command-line.md``. Any other page is written by hand, and can have generated parts between two marks::

    <!-- made: inputs of UpgradeTask -->
    ...
    <!-- end -->

:data:`docs.generate.parts.PARTS` has the parts by name.
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

ROOT = Path(__file__).parents[2]
_PAGES = ROOT / "docs"
#: Both marks, for a check that they alternate.
MARKS = re.compile(r"^<!-- (made|end)(?:: [^>]+)? -->$", re.MULTILINE)
_PART = re.compile(r"(<!-- made: (?P<name>[^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> dict[Path, str]:
    """Return the up-to-date text of every page."""
    whole = _whole_pages()
    return {**whole, **_parts_of([path for path in _all() if path not in whole], PARTS)}


def reference() -> dict[Path, str]:
    """Return the text of every page with up-to-date parts from the tables. Runs no program."""
    return _parts_of(_all(), REFERENCE)


def _all() -> list[Path]:
    return [ROOT / "README.md", *sorted(_PAGES.glob("*.md"))]


def _parts_of(pages: Iterable[Path], parts: Mapping[str, Callable[[], str]]) -> dict[Path, str]:
    return {path: _with_parts(path.read_text(encoding="utf-8"), parts) for path in pages}


def _whole_pages() -> dict[Path, str]:
    """Return the text of every page that is generated as a whole."""
    names = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
    modules = {name: import_module(f"docs.generate.{name}") for name in names if not name.startswith("_")}
    return {
        _PAGES / f"{name.replace('_', '-')}.md": str(module.page())
        for name, module in sorted(modules.items())
        if hasattr(module, "page")
    }


def _with_parts(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """Return a page with these parts generated again. A mark with an unknown name is a KeyError."""

    def generated(found: re.Match[str]) -> str:
        name = found["name"]
        if name in PARTS and name not in parts:
            return found[0]
        return f"{found[1]}\n{parts[name]().strip()}\n\n{found[3]}"

    return _PART.sub(generated, text)
