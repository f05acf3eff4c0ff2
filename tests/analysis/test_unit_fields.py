"""The exact field of one unit, against following every connection by hand, pixel by pixel."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.analysis import receptive_fields, unit_field
from striate.errors import UsageError
from striate.graph import Graph, network

Pixel = tuple[int, ...]
Connections = Callable[[Pixel], Iterator[Pixel]]


def window(kernel: int, stride: int, padding: int, dilation: int, sizes: Pixel) -> Connections:
    """What one output of a sliding window reads: four nested loops of a textbook."""

    def read(unit: Pixel) -> Iterator[Pixel]:
        for taps in itertools.product(range(kernel), repeat=len(unit)):
            pixel = tuple(u * stride - padding + t * dilation for u, t in zip(unit, taps, strict=True))
            if all(0 <= p < size for p, size in zip(pixel, sizes, strict=True)):
                yield pixel

    return read


def repeated(scale: int) -> Connections:
    return lambda unit: iter([tuple(u // scale for u in unit)])


def seen(connections: list[Connections], unit: Pixel) -> set[Pixel]:
    """The pixels of the image that a unit is connected to, through all layers from the last to the first."""
    units = {unit}
    for read in reversed(connections):
        units = {pixel for one in units for pixel in read(one)}
    return units


@st.composite
def chains(draw: st.DrawFn) -> tuple[Graph, list[Connections]]:
    """A chain of windows and enlargements on a small image, and its connections."""
    sizes = tuple(draw(st.lists(st.integers(5, 12), min_size=1, max_size=2)))
    x, connections = network("chain", (1, *sizes)), []
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.integers(0, 4)) == 0 and max(x.shape[1:]) <= 10:
            x, read = x.upsample(2), repeated(2)
        else:
            room = min(x.shape[1:])
            kernel = draw(st.integers(1, min(room, 3)))
            dilation = draw(st.integers(1, 2)) if 2 * (kernel - 1) + 1 <= room else 1
            stride, padding = draw(st.integers(1, 3)), draw(st.integers(0, kernel - 1))
            read = window(kernel, stride, padding, dilation, x.shape[1:])
            x = x.conv(1, kernel, stride=stride, padding=padding, dilation=dilation)
        connections.append(read)
    return x.build(), connections


@given(chains(), st.data())
@settings(max_examples=60)
def test_against_every_connection(case: tuple[Graph, list[Connections]], data: st.DataObject) -> None:
    graph, connections = case
    last = graph.nodes[-1].name
    unit = tuple(data.draw(st.integers(0, size - 1)) for size in graph.shapes[last][1:])
    pixels = seen(connections, unit)
    expected = tuple((min(axis), max(axis)) for axis in zip(*pixels, strict=True)) if pixels else None
    assert unit_field(graph, last, unit) == expected
    for axis, (low, high) in enumerate(expected or ()):
        field = receptive_fields(graph)[last][axis]
        assert field.low + unit[axis] * field.jump <= low <= high <= field.high + unit[axis] * field.jump


def test_the_phases_behind_an_upsampling() -> None:
    """Every inner unit sees 5 pixels, though the hull over both phases is 6 wide."""
    x = network("phases", (1, 16, 16)).conv(1, 3, stride=2, padding=1).upsample(2).conv(1, 3, padding=1)
    spans = [unit_field(x.build(), "conv2", (unit, 8)) for unit in range(4, 12)]
    rows = [span[0] for span in spans if span is not None]
    assert {last - first + 1 for first, last in rows} == {5}
    assert {first - unit for unit, (first, _) in zip(range(4, 12), rows, strict=True)} == {-3, -2}


def test_a_unit_that_reads_nothing_has_no_field() -> None:
    """A transposed convolution with a kernel of 1 and a stride of 2 leaves every other place to the bias."""
    net = network("holes", (1, 4, 4)).convtranspose(1, 1, stride=2).build()
    assert unit_field(net, "convtranspose1", (2, 2)) == ((1, 1), (1, 1))
    assert unit_field(net, "convtranspose1", (2, 3)) is None


def test_a_vector_sees_what_all_its_units_see() -> None:
    net = network("vector", (1, 7, 8)).maxpool(2).flatten().dense(3).build()
    assert unit_field(net, "dense1", ()) == ((0, 5), (0, 7))


def test_an_input_sees_itself() -> None:
    net = network("input", (3, 5, 6)).conv(1, 3).build()
    assert unit_field(net, "input", (4, 5)) == ((4, 4), (5, 5))


@pytest.mark.parametrize(
    ("node", "position", "needs"),
    [
        ("conv1", (0,), "2 numbers inside 4×6×6 (channels left out), counted from 0"),
        ("conv1", (0, 6), "2 numbers inside 4×6×6 (channels left out), counted from 0"),
        ("conv1", (-1, 0), "2 numbers inside 4×6×6 (channels left out), counted from 0"),
        ("flatten1", (0,), "0 numbers inside 144 (channels left out), counted from 0"),
    ],
)
def test_a_unit_that_is_not_there(node: str, position: Pixel, needs: str) -> None:
    net = network("eight", (1, 8, 8)).conv(4, 3).flatten().build()
    with pytest.raises(UsageError, match=f"node '{node}' has no unit at this position") as caught:
        unit_field(net, node, position)
    assert caught.value.needs == needs
    assert caught.value.got == ", ".join(map(str, position))


def test_a_node_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="no node 'conv2'") as caught:
        unit_field(network("one", (1, 8, 8)).conv(4, 3).build(), "conv2", (0, 0))
    assert caught.value.write == "conv1"
