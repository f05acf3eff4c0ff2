"""The drawing shows every node once, no text lies on another, and every arrow is an edge of the network."""

from __future__ import annotations

import itertools
import re
import time
from xml.etree import ElementTree

import pytest

from striate import zoo
from striate.analysis import Report, inspect
from striate.analysis.coverage import view_unit
from striate.graph import network
from striate.views.diagram_boxes import diagram
from striate.views.diagram_layout import place_diagram
from striate.views.diagram_mermaid import mermaid_diagram
from striate.views.diagram_svg import svg_diagram
from striate.views.field_growth import growth_note, growth_points, growth_svg
from striate.views.inspect_rows import node_field_words

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ("simple-cnn", "resnet18", "resnet152", "googlenet", "unet", "inception_v3", "shufflenet_v2_x1_0", "deeplab_v3")


@pytest.fixture(scope="module", params=NAMES)
def report(request: pytest.FixtureRequest) -> Report:
    return inspect(zoo.build(request.param))


@pytest.mark.parametrize("name", zoo.names())
def test_every_network_can_be_drawn(name: str) -> None:
    report = inspect(zoo.build(name))
    drawn = diagram(report)
    assert sorted(n.name for box in drawn.boxes for n in box.nodes) == sorted(n.name for n in report.nodes)
    assert len(drawn.boxes) <= 140
    root = ElementTree.fromstring(svg_diagram(report))
    times = [(group.get("data-nodes", "").split(), int(group.get("data-times", "0"))) for group in root.iter(f"{SVG}g")]
    assert sum(len(nodes) * count for nodes, count in times) == len(report.nodes)


def test_arrows_are_the_edges_of_the_network(report: Report) -> None:
    drawn = diagram(report)
    home = {node.name: number for number, box in enumerate(drawn.boxes) for node in box.nodes}
    edges = {(home[source], home[node.name]) for node in report.nodes for source in node.inputs}
    # From one unit of a fold to the next the edges lead back up, or to the same box; the drawing leaves those out.
    assert set(drawn.arrows) == {(source, target) for source, target in edges if source < target}


Rectangle = tuple[float, float, float, float]


def rectangles(root: ElementTree.Element) -> tuple[list[Rectangle], list[tuple[Rectangle, str]]]:
    """Boxes, and the space that each text takes at 0.5 em for a letter on average, from its attributes alone."""
    boxes, texts = [], []
    for group in root.iter(f"{SVG}g"):
        if group.get("class") == "box":
            rect = group.find(f"{SVG}rect")
            assert rect is not None
            x, y, width, height = (float(rect.get(name, "nan")) for name in ("x", "y", "width", "height"))
            boxes.append((x, y, x + width, y + height))
    for text in root.iter(f"{SVG}text"):
        size, x, y = float(text.get("font-size", "11")), float(text.get("x", "nan")), float(text.get("y", "nan"))
        width = 0.5 * size * len(text.text or "")
        left = x - {"middle": width / 2, "end": width}.get(text.get("text-anchor", ""), 0)
        texts.append(((left, y - 0.8 * size, left + width, y + 0.2 * size), text.text or ""))
    return boxes, texts


def overlap(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def test_nothing_overlaps(report: Report) -> None:
    root = ElementTree.fromstring(svg_diagram(report))
    boxes, texts = rectangles(root)
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    assert not [pair for pair in itertools.combinations(boxes, 2) if overlap(*pair)]
    assert not [pair for pair in itertools.combinations(texts, 2) if overlap(pair[0][0], pair[1][0])]
    for (left, top, right, bottom), words in texts:
        assert 0 <= left < right <= width, words
        assert 0 <= top < bottom <= height, words
        around = [box for box in boxes if overlap(box, (left, top, right, bottom))]
        assert len(around) <= 1
        if around:
            assert around[0][0] <= left <= right <= around[0][2], words


def test_no_line_crosses_a_box(report: Report) -> None:
    placed = place_diagram(diagram(report))
    for points, _ in placed.lines:
        for (x1, y1), (x2, y2) in itertools.pairwise(points):
            span = (min(x1, x2) + 1, min(y1, y2) + 1, max(x1, x2) - 1, max(y1, y2) - 1)
            if abs(x1 - x2) < 0.1:
                span = (x1 - 0.1, span[1], x1 + 0.1, span[3])
            assert y2 >= y1 - 1e-6
            for box in placed.boxes:
                assert not overlap(span, (box.x, box.y, box.x + box.width, box.y + box.height))


def test_frames_hold_their_boxes(report: Report) -> None:
    placed = place_diagram(diagram(report))
    for a, b in itertools.combinations(placed.frames, 2):
        first, second = ((f.x, f.y, f.x + f.width, f.y + f.height) for f in (a, b))
        inside = first[0] <= second[0] and first[1] <= second[1] and first[2] >= second[2] and first[3] >= second[3]
        assert inside or not overlap(first, second)


def test_drawing_is_quick_enough() -> None:
    """A bound against a cost that grows with the square; speed itself is measured in benchmarks."""
    report = inspect(zoo.build("resnet152"))
    for view in (svg_diagram, mermaid_diagram):
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            view(report)
            best = min(best, time.perf_counter() - start)
        assert best < 0.5


def test_names_are_escaped() -> None:
    graph = network('a"<script>&', (1, 8, 8)).conv(4, 3).build()
    svg = svg_diagram(inspect(graph))
    assert "<script" not in svg
    ElementTree.fromstring(svg)


def test_mermaid_has_the_same_boxes_and_arrows(report: Report) -> None:
    drawn, text = diagram(report), mermaid_diagram(report)
    assert len(re.findall(r"^ +b\d+[\[(]", text, re.MULTILINE)) == len(drawn.boxes)
    assert {(int(a), int(b)) for a, b in re.findall(r"b(\d+) --> b(\d+)", text)} == set(drawn.arrows)
    assert len(re.findall(r"^ +subgraph ", text, re.MULTILINE)) == len(re.findall(r"^ +end$", text, re.MULTILINE))
    assert not re.search(r'\["[^"\n]*"[^\])\n]', text)


def test_growth_follows_the_closed_form() -> None:
    """Araujo, Norris and Sim 2019, section 2: r = 1 + Σ (k - 1) · Π of the strides before."""
    graph = network("plain", (3, 64, 64)).conv(4, 3).conv(4, 3, stride=2).maxpool(2).conv(4, (3, 5)).build()
    rows, columns = growth_points(inspect(graph))
    assert [size for _, size in rows] == [1, 3, 5, 7, 15]
    assert [size for _, size in columns] == [1, 3, 5, 7, 23]
    assert "height: from 1 to 15 pixels" in growth_svg(inspect(graph))


def test_growth_ends_where_the_whole_image_is_seen() -> None:
    report = inspect(zoo.build("resnet18"))
    (points, _) = growth_points(report)
    assert report.nodes[len(points)].name == "avgpool"
    assert points[-1][1] == 435


def test_the_note_on_growth_is_true_of_single_units() -> None:
    """YOLOv3: a unit in the middle reads all 416×416 pixels, one in the corner does not; in U-Net none does."""
    net = zoo.build("yolov3")
    report = inspect(net)
    note = growth_note(report)
    first = note.split()[1]
    units = net.shapes[first][1]
    middle = (units // 2, units // 2)
    assert view_unit(net, first, middle).read == 416 * 416
    assert view_unit(net, first, (0, 0)).read < 416 * 416
    assert note == f"From {first} on a unit in the middle sees the whole image, but no layer sees it from every unit."
    # What stands before it in the trunk: no unit of it reads everything.
    before = [node.name for node in net.nodes][[node.name for node in net.nodes].index(first) - 1]
    assert all(view_unit(net, before, (unit, unit)).read < 416 * 416 for unit in range(units))
    assert growth_note(inspect(zoo.build("unet"))) == "No unit sees the whole image."


def test_gates_do_not_hide_the_growth() -> None:
    """851 pixels: the recursion over EfficientNet's table (tests of the advice); the same without its gates."""
    report = inspect(zoo.build("efficientnet_b0"))
    points = growth_points(report)[0]
    assert points[-1][1] == 851
    assert report.nodes[points[-1][0] + 1].name == "avgpool"
    assert "Gates, through which every unit sees the whole image, are left aside." in growth_note(report)
    by_name = {node.name: node for node in report.nodes}
    assert node_field_words(by_name["features.8.2"], report.input) == "whole (851×851)"
    assert node_field_words(by_name["avgpool"], report.input) == "whole"
    data = report.as_dict()["nodes"]
    assert (
        next(node for node in data if node["name"] == "features.8.2")["receptive_field_without_gates"][0]["size"] == 851
    )
    assert "receptive_field_without_gates" not in data[1]
