"""A service whose lists have pages, and what services of other kinds do differently."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.paging.marker import Page

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.paging.scheduler import Place


TOP = "f" * 24


def marker_of(number: int) -> str:
    """Return a record's marker."""
    return f"{number:024x}"


@dataclass
class Service:
    """Records by descending id, by the documented rules: strictly below the marker, then the offset, then the limit.

    Attributes:
        ids: the records that are there.
        limit: records a page.
        quirk: in which way it does not keep to the documents, or empty.
    """

    ids: list[int]
    limit: int = 50
    quirk: str = ""
    asked: list[Place] = field(default_factory=list)

    def serve(self, place: Place) -> Page[int] | None:
        """Return a page as of now, or None where it is refused."""
        self.asked.append(place)
        marker, offset = place.marker, place.offset
        if self.quirk == "refuses offsets" and offset:
            return None
        if self.quirk == "ignores offsets":
            offset = 0
        if self.quirk == "ignores the marker beside an offset" and offset:
            marker = None
        if self.quirk == "offsets are pages":
            offset *= self.limit
        below = [number for number in sorted(self.ids, reverse=True) if number < int(marker or TOP, 16)]
        limit = min(self.limit, 2) if self.quirk == "short pages" else self.limit
        found = tuple(below[offset : offset + limit])
        counts = {
            "counts what is below": len(below),
            "counts too few": 1,
            "counts one too few": max(1, len(self.ids) - 1),
            "counts no further than two pages": min(len(self.ids), 2 * self.limit),
            "counts too many": len(self.ids) + 70,
        }
        count = counts.get(self.quirk, len(self.ids)) if self.ids else 0
        return Page(found, count, marker_of(found[-1]) if found else self._marker_of_nothing, self.limit)

    def page(self, place: Place) -> Page[int]:
        """Return a page that is not refused."""
        page = self.serve(place)
        assert page is not None
        return page

    @property
    def _marker_of_nothing(self) -> str | None:
        return "nonsense" if self.quirk == "nonsense below the end" else None


QUIRKS = (
    "",
    "short pages",
    "ignores offsets",
    "refuses offsets",
    "ignores the marker beside an offset",
    "offsets are pages",
    "counts what is below",
    "counts too few",
    "counts one too few",
    "counts no further than two pages",
    "counts too many",
    "nonsense below the end",
)
