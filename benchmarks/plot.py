"""Draws curves as SVG: a few panels side by side, each with its axes and a line for each way. Measures nothing."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

__all__ = ["Panel", "drawing"]

WIDTH, HEIGHT = 320, 240
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 34, 42
COLOURS = ("#0072b2", "#999999", "#d55e00", "#009e73")
_TICKS = 4


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Attributes:
        across: what grows, in words.
        curves: the points of each way: what grows, and the seconds.
    """

    across: str
    curves: dict[str, list[tuple[float, float]]]


def drawing(panels: list[Panel]) -> str:
    """Return the panels as one SVG document; the same curves give the same text."""
    width = WIDTH * len(panels)
    body = "\n".join(_panel(panel, number * WIDTH) for number, panel in enumerate(panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" font-family="sans-serif" '
        f'font-size="11">\n<rect width="{width}" height="{HEIGHT}" fill="white"/>\n{body}\n</svg>\n'
    )


def _panel(panel: Panel, begin: int) -> str:
    points = [point for curve in panel.curves.values() for point in curve]
    most_across, most_up = (_round_up(max(values)) for values in zip(*points, strict=True))
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(across: float, up: float) -> tuple[float, float]:
        return begin + LEFT + wide * across / most_across, HEIGHT - BOTTOM - high * up / most_up

    parts = [_text(begin + LEFT, HEIGHT - 8, panel.across), _text(begin + LEFT - 38, TOP - 20, "seconds")]
    for number in range(_TICKS + 1):
        across, up = most_across * number / _TICKS, most_up * number / _TICKS
        (x, bottom), (left, y) = place(across, 0), place(0, up)
        parts += [_text(x, bottom + 15, f"{across:g}", "middle"), _text(left - 5, y + 4, f"{up:g}", "end")]
        parts.append(_line([(left, y), (left + wide, y)], "#dddddd", 1))
    for number, ((name, curve), colour) in enumerate(zip(panel.curves.items(), COLOURS, strict=False)):
        parts.append(_line([place(*point) for point in curve], colour, 2))
        parts.append(_text(begin + LEFT + 8, TOP + 8 + 14 * number, name, fill=colour))
    return "\n".join(parts)


def _line(points: list[tuple[float, float]], colour: str, width: int) -> str:
    told = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{told}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start", fill: str = "#333333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{escape(text)}</text>'


def _round_up(value: float) -> float:
    """Return the next number that an axis ends with well: 1, 2, 4, 5, 6 or 8 times a power of ten."""
    step = 1e-6
    while True:
        for factor in (1, 2, 4, 5, 6, 8):
            if value <= factor * step:
                return round(factor * step, 9)
        step *= 10
