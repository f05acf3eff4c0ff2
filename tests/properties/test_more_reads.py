"""Exact reads and hulls of the layers that resample, cut, pad and pool, against torch's own gradients and by counting.

`positive.py` replaces some of these layers, because in floating point an interpolation may give a pixel at exactly its
place a neighbour with a weight like 1e-17. Here the true modules run, and such weights are told from true ones.
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from properties.drawn_more_layers import LIKE_KINDS, MORE_LOCAL
from properties.strategies import single_layer_graphs
from striate.backend import build_module
from striate.backend.operations.resample import torch_is_exact
from striate.graph import Graph, network
from striate.graph.layers.fractional_pooling import FractionalMaxPool
from striate.graph.sampling import Sampling

#: A pixel with a smaller share of an output than this has none: true shares are 1 / (2 · 48) or more.
LEAST = 1e-9


def true_support(graph: Graph, place: tuple[int, ...]) -> list[frozenset[int]]:
    """The indices of the last layer's first input that its output at ``place`` depends on, along each axis."""
    node = graph.nodes[-1]
    part = build_module(graph, seed=None).double().eval().get_submodule(node.name)
    generator = torch.Generator().manual_seed(0)
    inputs = [
        (torch.rand((1, *shape), generator=generator, dtype=torch.float64) / 2 + 0.5).requires_grad_()
        for shape in graph.input_shapes(node)
    ]
    unit = part(*inputs)[(0, slice(None), *place)].sum()
    gradient, *others = torch.autograd.grad(unit, inputs, allow_unused=True) if unit.requires_grad else (None,)
    assert all(other is None for other in others)
    size = inputs[0].shape[2:]
    if gradient is None:
        return [frozenset()] * len(size)
    seen = (gradient.abs() > LEAST)[0].any(0)
    return [
        frozenset(seen.movedim(axis, 0).reshape(seen.shape[axis], -1).any(1).nonzero().flatten().tolist())
        for axis in range(len(size))
    ]


# A maximum depends on one pixel of its window alone; the windows of fractional pooling are tested below.
SMOOTH = sorted({*MORE_LOCAL, *LIKE_KINDS, "slice", "upsample"} - {"fractionalmaxpool"})


@pytest.mark.parametrize("kind", SMOOTH)
def test_reads_are_the_support_of_torchs_gradient(kind: str) -> None:
    @given(single_layer_graphs(kind), st.data())
    @settings(max_examples=40)
    def check(graph: Graph, data: st.DataObject) -> None:
        node = graph.nodes[-1]
        sizes = graph.shapes[node.name][1:]
        corner = tuple(data.draw(st.sampled_from((0, size - 1))) for size in sizes)
        inside = tuple(data.draw(st.integers(0, size - 1)) for size in sizes)
        shapes = graph.input_shapes(node)
        for place in (corner, inside):
            reads = [node.layer.reads(shapes, 0, axis, frozenset({index})) for axis, index in enumerate(place)]
            # An output in the padding of one axis reads nothing at all.
            assert true_support(graph, place) == (reads if all(reads) else [frozenset()] * len(reads))

    check()


def test_of_a_reference_nothing_is_read() -> None:
    x = network("n", (2, 9, 7))
    small = x.maxpool(2)
    for point in (x.croplike(small), small.resizelike(x)):
        net = point.build()
        node = net.nodes[-1]
        shapes = net.input_shapes(node)
        assert node.layer.shape_only == (1,)
        assert node.layer.reads(shapes, 1, 0, frozenset({0, 1})) == frozenset()
        assert node.layer.reads(shapes, 0, 0, frozenset({0, 1}))


MODES = (("nearest", False), ("linear", False), ("linear", True))


@pytest.mark.parametrize(("mode", "corners"), MODES)
def test_the_hull_of_resampling_is_tight(mode: str, corners: bool) -> None:
    """Brute force over every output, with the edges left on: as if the map went on."""
    for size, outputs in itertools.product(range(1, 25), range(1, 25)):
        reach = Sampling(size, outputs, mode, corners).reach
        if size == outputs:
            assert (reach.low, reach.high, reach.step) == (0, 0, 1)
            continue
        if size == 1 or (corners and outputs == 1):
            assert (reach.low, reach.high, reach.step) == (0, 0, 0)
            continue
        step = Fraction(size - 1, outputs - 1) if corners else Fraction(size, outputs)
        edges = []
        for y in range(outputs):
            place = y * step if corners or mode == "nearest" else (y + Fraction(1, 2)) * step - Fraction(1, 2)
            last = math.floor(place) if mode == "nearest" else math.ceil(place)
            edges.append((math.floor(place) - y * step, last - y * step))
        assert reach.step == step
        assert (reach.low, reach.high) == (min(low for low, _ in edges), max(high for _, high in edges))


@pytest.mark.parametrize(("mode", "corners"), MODES)
def test_every_place_of_resampling_is_inside_of_the_hull(mode: str, corners: bool) -> None:
    for size, outputs in itertools.product(range(1, 20), range(1, 40)):
        sampling = Sampling(size, outputs, mode, corners)
        reach = sampling.reach
        for y in range(outputs):
            first, last = sampling.sources(y)
            assert 0 <= first <= last < size
            assert y * reach.step + reach.low <= first
            assert last <= y * reach.step + reach.high


def test_a_hull_of_billions_of_outputs_takes_no_time() -> None:
    reach = Sampling(7, 2_147_483_647, "linear").reach
    assert reach.step == Fraction(7, 2_147_483_647)
    assert FractionalMaxPool(2, size=2_000_000_000).reach(((1, 2_147_483_647),), 0, 0).step > 1


def test_where_torchs_nearest_is_one_pixel_off_whole_numbers_are_used() -> None:
    line = torch.arange(3, dtype=torch.float32).view(1, 1, 3)
    exact = torch.arange(123) * 3 // 123
    assert not torch_is_exact(3, 123)
    wrong = torch.nn.functional.interpolate(line, size=123, mode="nearest")
    assert not torch.equal(wrong.flatten().long(), exact)
    x = network("n", (1, 3))
    for net, more in ((x.resize(123).build(), ()), (x.resizelike(x.upsample(41)).build(), (torch.zeros(1, 1, 123),))):
        part = build_module(net).get_submodule(net.nodes[-1].name)
        assert torch.equal(part(line, *more).flatten().long(), exact)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 29, 30])
def test_what_is_said_about_torchs_nearest_is_true(size: int) -> None:
    line = torch.arange(size, dtype=torch.float32).view(1, 1, size)
    for outputs in range(1, 130):
        taken = torch.nn.functional.interpolate(line, size=outputs, mode="nearest").flatten().long()
        assert torch.equal(taken, torch.arange(outputs) * size // outputs) == torch_is_exact(size, outputs)


@given(single_layer_graphs("fractionalmaxpool"), st.data())
@settings(max_examples=60)
def test_a_fractional_maximum_sees_its_window_and_nothing_else(graph: Graph, data: st.DataObject) -> None:
    node = graph.nodes[-1]
    sizes = graph.shapes[node.name][1:]
    place = tuple(data.draw(st.sampled_from((0, size - 1)) | st.integers(0, size - 1)) for size in sizes)
    shapes = graph.input_shapes(node)
    reads = [node.layer.reads(shapes, 0, axis, frozenset({index})) for axis, index in enumerate(place)]
    part = build_module(graph).eval().get_submodule(node.name)
    pixel = tuple(data.draw(st.integers(0, size - 1)) for size in shapes[0][1:])
    image = torch.zeros(1, *shapes[0])
    image[(0, 0, *pixel)] = 1
    inside = all(index in axis for index, axis in zip(pixel, reads, strict=True))
    assert bool(part(image)[(0, 0, *place)] == 1) == inside


def test_the_hull_of_fractional_windows_is_tight() -> None:
    for kernel, size in itertools.product((1, 2, 3), range(3, 30)):
        for outputs in range(2, size - kernel + 2):
            layer = FractionalMaxPool(kernel, size=outputs)
            reach = layer.reach(((1, size),), 0, 0)
            starts = layer.starts(size, outputs, kernel)
            assert reach.step == Fraction(size - kernel, outputs - 1)
            assert reach.low == min(start - y * reach.step for y, start in enumerate(starts))
            assert reach.high == max(start - y * reach.step for y, start in enumerate(starts)) + kernel - 1
