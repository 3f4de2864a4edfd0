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


def places_of(name: str) -> list[Place]:
    """Return the lines of one scheme, lowest first."""
    text = TABLE.read_text(encoding="ascii")
    section = text.split(f"\n[{name}]\n")[1].split("\n[")[0]
    rows = [line.split("|") for line in section.splitlines() if line]
    return [Place(tuple(names.split()), mark.strip() == "pre") for mark, names in rows]


def names_of(name: str) -> list[str]:
    """Return every name of one scheme, lowest first."""
    return list(chain.from_iterable(place.names for place in places_of(name)))
