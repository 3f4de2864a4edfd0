"""The benchmarks: their output, their drawing, and the paging rules of their service. No test measures time."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import clients
from benchmarks.__main__ import line
from benchmarks.measure import Figure, interleaved, ratios
from benchmarks.plot import Panel, drawing
from benchmarks.service import running

ROOT = Path(__file__).parents[2]
FIGURE = Figure("46 pages", 0.17, "x", 0.2, "page after page", (0.42, 2.44), (0.16, 0.18))
CURVES: dict[str, list[tuple[float, float]]] = {"ours": [(1, 0.1), (20, 0.4)], "a < b": [(1, 0.2), (20, 3.1)]}


def test_a_line_has_the_figure_its_target_and_its_baseline() -> None:
    """A line has the figure, its target, whether the target was reached, the spread of the rounds, and the baseline."""
    assert " ".join(line(FIGURE).split()) == "46 pages 0.17 x 0.20 0.16 to 0.18 0.42 s against 2.44 s: page after page"
    assert "0.20!" in line(replace(FIGURE, value=0.3))
    assert " ".join(line(replace(FIGURE, most=None)).split()).startswith("46 pages 0.17 x 0.16 to 0.18 0.42 s against")


def test_rounds_take_turns() -> None:
    """A round measures each work once, and ratios compare the works round by round."""
    order: list[str] = []

    def work(name: str) -> float:
        order.append(name)
        return float(len(order))

    taken = interleaved(2, {"a": lambda: work("a"), "b": lambda: work("b")})

    assert order == ["a", "b", "a", "b"]
    assert ratios(taken["a"], taken["b"]) == [1 / 2, 3 / 4]


def test_equal_curves_have_equal_drawings() -> None:
    """A drawing depends only on the curves, and every point is inside its panel."""
    panels = [Panel("packages", CURVES), Panel("lookups & more", CURVES)]
    text = drawing(panels)

    assert text == drawing(panels)
    points = [point for shape in ET.fromstring(text) for point in shape.get("points", "").split()]
    assert len(points) == 2 * (5 * 2 + 4)
    assert all(0 <= float(x) <= 640 and 0 <= float(y) <= 240 for x, y in (point.split(",") for point in points))


def test_the_committed_drawing_comes_from_the_benchmarks() -> None:
    """The committed drawing has three panels, with a line for each client in each of them."""
    shapes = list(ET.parse(ROOT / "docs" / "performance.svg").getroot())
    texts = [shape.text or "" for shape in shapes]

    assert [texts.count(name) for name in ("ours", "http.client", "SDK")] == [3, 3, 3]
    assert sum("packages" in text for text in texts) == 3


@pytest.mark.parametrize("client", [clients.ours, clients.bare, clients.sdk], ids=["ours", "http.client", "SDK"])
def test_every_client_finds_every_package(client: clients.Client) -> None:
    """The compared clients read the same list completely."""
    with running(packages=1_234) as port, client(port) as walk:
        assert walk() == 1_234


def test_the_service_pages_as_documented() -> None:
    """The marker applies first, then the offset, then the limit. An empty page has no marker."""
    with running(packages=120) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port)

        def page(query: str) -> tuple[list[int], str | None]:
            connection.request("GET", f"/v5/iot/p/ota-upgrades/packages?{query}")
            body = json.loads(connection.getresponse().read())
            return [int(found["package_id"], 16) for found in body["packages"]], body["page"].get("marker")

        first, marker = page("limit=50")
        assert first == list(range(50))
        assert page(f"limit=50&marker={marker}&offset=3") == (list(range(53, 103)), page("offset=102&limit=1")[1])
        assert page(f"limit=50&marker={page('offset=119&limit=1')[1]}") == ([], None)
        connection.close()


def test_the_command_can_be_called() -> None:
    """The command on the page of performance exists."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "--json" in done.stdout
