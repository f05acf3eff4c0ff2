"""What one unit reads, pixel by pixel, and where branches do not meet at one place."""

from __future__ import annotations

import io
from fractions import Fraction
from itertools import product

import pytest
from rich.console import RenderableType

import striate as st
from striate import zoo
from striate.analysis import unit_field
from striate.analysis.advice import advise
from striate.analysis.alignment import misalignments
from striate.analysis.coverage import view_unit
from striate.errors import UsageError
from striate.graph import Graph, network
from striate.views import make_console
from striate.views.size_advice import advice_view
from striate.views.unit_fields import unit_view


def pixels(graph: Graph, name: str, unit: tuple[int, ...]) -> set[tuple[int, ...]]:
    """The pixels that one unit reads, unit by unit."""
    wanted: dict[str, set[tuple[int, ...]]] = {name: {unit}}
    for node in reversed(graph.nodes[1:]):
        shapes = graph.input_shapes(node)
        for place in wanted.get(node.name, set()):
            for number, source in enumerate(node.inputs):
                reads = (node.layer.reads(shapes, number, axis, frozenset({index})) for axis, index in enumerate(place))
                wanted.setdefault(source, set()).update(product(*reads))
    return wanted.get(graph.nodes[0].name, set())


def dilated() -> Graph:
    x = network("dilated", (1, 21, 17)).conv(2, 3, dilation=2, padding=2).conv(2, 3, dilation=(4, 3), padding=2)
    return x.build()


def pyramid() -> Graph:
    x = network("pyramid", (1, 20, 20)).conv(2, 3, padding="same")
    near, far = x.conv(2, 3, padding=3, dilation=3), x.conv(2, 3, padding=5, dilation=5)
    return near.concat(far, x).maxpool(2).build()


def rising() -> Graph:
    x = network("rising", (1, 12, 12)).conv(2, 3, stride=2, padding=1)
    return x.upsample(3).conv(2, 3, padding="same").build()


def gaps() -> Graph:
    return network("gaps", (1, 6, 6)).convtranspose(2, 2, stride=3).conv(1, 2, dilation=3).build()


@pytest.mark.parametrize("build", [dilated, pyramid, rising, gaps])
def test_the_pixels_are_those_found_one_by_one(build: type) -> None:
    graph: Graph = build()
    name = graph.nodes[-1].name
    height, width = graph.shapes[name][1:]
    for unit in {(0, 0), (height // 2, width // 3), (height - 1, width - 1), (1, width // 2)}:
        view, truth = view_unit(graph, name, unit), pixels(graph, name, unit)
        assert view.exact
        assert view.read == len(truth)
        for axis, one in enumerate(view.axes):
            indices = {pixel[axis] for pixel in truth}
            assert (one.first, one.last, one.read) == (min(indices), max(indices), len(indices))
            assert one.low <= one.first
            assert one.last <= one.high
            assert (one.before, one.after) == (max(-one.low, 0), max(one.high - one.size + 1, 0))


def test_the_pixels_are_those_with_a_gradient() -> None:
    import torch

    graph = dilated()
    module = st.build(graph)
    image = torch.zeros(1, 1, 21, 17, requires_grad=True)
    y, x = 4, 6
    module(image)[0, :, y, x].sum().backward()
    assert image.grad is not None
    assert view_unit(graph, graph.nodes[-1].name, (y, x)).read == int((image.grad[0, 0] != 0).sum())


def test_phases_are_the_fields_of_the_units() -> None:
    graph = rising()
    name = graph.nodes[-1].name
    view = view_unit(graph, name, (7, 7))
    phases = view.axes[0].phases
    assert [one.phase for one in phases] == [0, 1, 2]
    for one in phases:
        unit = 9 + one.phase
        rows = {pixel[0] for pixel in pixels(graph, name, (unit, 7))}
        assert (one.low + 6, one.high + 6) == (min(rows), max(rows))  # 9 units are 6 pixels


def test_a_padded_corner_is_clipped() -> None:
    view = view_unit(network("n", (1, 8, 8)).conv(2, 5, padding=2).build(), "conv1", (0, 7))
    assert [(axis.before, axis.after) for axis in view.axes] == [(2, 0), (0, 2)]
    assert view.coverage == 1


@pytest.mark.parametrize(
    ("node", "position"), [("c1", (28, 0)), ("c1", (1,)), ("c1", ()), ("f6", (0, 0)), ("c1", (-1, 0))]
)
def test_a_unit_that_is_not_there(node: str, position: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="has no unit at this position") as caught:
        view_unit(zoo.build("lenet-5"), node, position)
    assert caught.value.write is not None


def test_a_vector_is_seen_as_a_whole() -> None:
    view = view_unit(zoo.build("lenet-5"), "f6", ())
    assert [(axis.first, axis.last) for axis in view.axes] == [(0, 31), (0, 31)]


def test_an_even_kernel_moves_a_branch_by_half_a_pixel() -> None:
    x = network("n", (1, 16, 16)).conv(2, 3, stride=2, padding=1)
    found = misalignments(x.conv(2, 4, padding="same").add(x).build())
    # One place in four of a map whose units are two pixels apart: (4 - 1) / 2 - 1 = 1/2 unit.
    assert [(entry.axis, entry.centre, entry.drift) for entry in found] == [(0, 1, 0), (1, 1, 0)]


def test_branches_with_other_strides_drift_apart() -> None:
    x = network("n", (1, 16, 16))
    found = misalignments(x.conv(2, 2, stride=2).concat(x.conv(2, 9)).build())
    assert [(entry.drift, entry.centre) for entry in found] == [(1, Fraction(7, 2))] * 2


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "densenet121", "unet", "deeplab_v3", "efficientnet_b0"])
def test_published_networks_are_aligned(name: str) -> None:
    assert misalignments(zoo.build(name)) == ()


def test_phases_that_see_the_same_stand_together() -> None:
    """U-Net: the first 4 of 16 units read what 12 pixels fewer of the bottom's 16 show; read off single units."""
    net = zoo.build("unet")
    rows = [unit_field(net, "output", (160 + unit, 200)) for unit in range(16)]
    spans = [(one[0][0] - 160, one[0][1] - 160) for one in rows if one is not None]
    assert spans == [(0, 187)] * 4 + [(0, 203)] * 12
    text = shown(unit_view(view_unit(net, "output", (160, 200))))
    assert "phases height  0–3: 0 to 187; 4–15: 0 to 203; then again 16 pixels further" in text
    assert "cut off" not in text


def test_branches_of_causal_convolutions_are_one_line() -> None:
    net = zoo.build("wavenet")
    found = misalignments(net)
    assert len(found) > 12
    assert all(entry.causal for entry in found)
    text = shown(advice_view(advise(net), found))
    assert text.count("branches  ") == 1
    assert "end at one place and begin at others" in " ".join(text.split())
    x = network("n", (1, 16, 16))
    assert not any(entry.causal for entry in misalignments(x.conv(2, 2, stride=2).concat(x.conv(2, 9)).build()))


def test_a_misalignment_along_both_axes_is_one_line() -> None:
    x = network("n", (1, 16, 16)).conv(2, 3, stride=2, padding=1)
    net = x.conv(2, 4, padding="same").add(x).build()
    text = shown(advice_view(advise(net), misalignments(net)))
    assert "add1, height and width: centres 1 pixel apart" in text


def shown(view: RenderableType) -> str:
    stream = io.StringIO()
    make_console(stream).print(view)
    return stream.getvalue()
