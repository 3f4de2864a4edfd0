"""Draw curves as SVG: panels side by side, each with axes and a line for each client."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 320, 240
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 34, 42
COLOURS = ("#0072b2", "#999999", "#d55e00", "#009e73")
_TICKS = 4


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Attributes:
        x_label: the label of the x axis.
        curves: the points of each client: x, and the seconds.
    """

    x_label: str
    curves: dict[str, list[tuple[float, float]]]


def drawing(panels: list[Panel]) -> str:
    """Return the panels as one SVG document. Equal curves return equal text."""
    width = WIDTH * len(panels)
    body = "\n".join(_panel(panel, number * WIDTH) for number, panel in enumerate(panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" font-family="sans-serif" '
        f'font-size="11">\n<rect width="{width}" height="{HEIGHT}" fill="white"/>\n{body}\n</svg>\n'
    )


def _panel(panel: Panel, begin: int) -> str:
    points = [point for curve in panel.curves.values() for point in curve]
    x_max, y_max = (_round_up(max(values)) for values in zip(*points, strict=True))
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def position(x: float, y: float) -> tuple[float, float]:
        return begin + LEFT + width * x / x_max, HEIGHT - BOTTOM - height * y / y_max

    parts = [_text(begin + LEFT, HEIGHT - 8, panel.x_label), _text(begin + LEFT - 38, TOP - 20, "seconds")]
    for number in range(_TICKS + 1):
        x, y = x_max * number / _TICKS, y_max * number / _TICKS
        (right, bottom), (left, up) = position(x, 0), position(0, y)
        parts += [_text(right, bottom + 15, f"{x:g}", "middle"), _text(left - 5, up + 4, f"{y:g}", "end")]
        parts.append(_line([(left, up), (left + width, up)], "#dddddd", 1))
    for number, ((name, curve), colour) in enumerate(zip(panel.curves.items(), COLOURS, strict=False)):
        parts.append(_line([position(*point) for point in curve], colour, 2))
        parts.append(_text(begin + LEFT + 8, TOP + 8 + 14 * number, name, fill=colour))
    return "\n".join(parts)


def _line(points: list[tuple[float, float]], colour: str, width: int) -> str:
    pairs = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{pairs}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start", fill: str = "#333333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{escape(text)}</text>'


def _round_up(value: float) -> float:
    """Return the next round number: 1, 2, 4, 5, 6 or 8 times a power of ten."""
    step = 1e-6
    while True:
        for factor in (1, 2, 4, 5, 6, 8):
            if value <= factor * step:
                return round(factor * step, 9)
        step *= 10
