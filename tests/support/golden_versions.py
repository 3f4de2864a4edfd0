"""The names of the golden versions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

TABLE = Path(__file__).parents[1] / "unit" / "golden_versions.txt"


@dataclass(frozen=True)
class Place:
    """One line of the table: the names that tie there, and whether they are prereleases."""

    names: tuple[str, ...]
    prerelease: bool


@dataclass(frozen=True)
class Catalogue:
    """The versions of one vendor, the range that chooses among them, and what it chooses: a version, or ``none``."""

    name: str
    range: str
    versions: tuple[str, ...]
    chosen: str
    why: str


def places_of(name: str) -> list[Place]:
    """Return the lines of one scheme, lowest first."""
    return [Place(tuple(names.split()), mark == "pre") for mark, names in _rows(name)]


def catalogues() -> list[Catalogue]:
    """Return the catalogues of vendors."""
    return [
        Catalogue(name, constraint, tuple(versions.split()), chosen, why)
        for name, constraint, versions, chosen, why in _rows("catalogues")
    ]


def _rows(section: str) -> list[list[str]]:
    text = TABLE.read_text(encoding="ascii").split(f"\n[{section}]\n")[1].split("\n[")[0]
    return [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line]


def names_of(name: str) -> list[str]:
    """Return every name of one scheme, lowest first."""
    return list(chain.from_iterable(place.names for place in places_of(name)))
