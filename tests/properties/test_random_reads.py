"""What the layers say they read, composed backwards, against the support of a gradient."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from properties.drawn_more_layers import folds
from properties.positive import Support, gradient_support
from properties.strategies import ALL_KINDS, LOCAL_KINDS, graphs, single_layer_graphs, units
from striate.graph import Graph
from striate.graph.layer import EVERYTHING, Indices, Layer
from striate.units import Shape


class _HoleError(Exception):
    """Some place on the way reads nothing along an axis: then the axes no longer compose one by one."""


def composed_reads(graph: Graph, node: str, position: tuple[int, ...]) -> list[Support]:
    """The indices a unit reads at each input of the graph along each axis, by `Layer.reads` alone."""
    wanted: dict[str, list[set[int]] | None] = {entry.name: None for entry in graph.nodes}
    wanted[node] = [{index} for index in position]
    for entry in reversed(graph.nodes):
        places = wanted[entry.name]
        shapes = graph.input_shapes(entry)
        if places is None:
            continue
        for number, source in enumerate(entry.inputs):
            read = [
                reads_of(entry.layer, shapes, number, axis, frozenset(places[axis] if places else {0}))
                for axis in range(len(shapes[number]) - 1)
            ]
            known = wanted[source] or [set() for _ in read]
            wanted[source] = [old | new for old, new in zip(known, read, strict=True)]
    return [
        tuple(frozenset(indices) for indices in wanted[entry.name] or [()] * (len(graph.shapes[entry.name]) - 1))
        for entry in graph.inputs
    ]


def reads_of(layer: Layer, shapes: tuple[Shape, ...], number: int, axis: int, places: Indices) -> Indices:
    if any(not layer.reads(shapes, number, axis, frozenset({place})) for place in places):
        raise _HoleError
    return layer.reads(shapes, number, axis, places)


def assert_reads_are_the_support(graph: Graph, data: st.DataObject) -> None:
    node, position = data.draw(units(graph))
    support = gradient_support(graph, node, position)
    try:
        reads = composed_reads(graph, node, position)
    except _HoleError:
        return
    assert reads == support


@given(st.one_of(graphs(kinds=LOCAL_KINDS), graphs(kinds=LOCAL_KINDS), graphs()), st.data())
@settings(max_examples=250)
def test_reads_compose_to_the_gradients_support(graph: Graph, data: st.DataObject) -> None:
    assert_reads_are_the_support(graph, data)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_every_layer_reads_the_gradients_support(kind: str) -> None:
    @given(single_layer_graphs(kind), st.data())
    @settings(max_examples=30)
    def check(graph: Graph, data: st.DataObject) -> None:
        assert_reads_are_the_support(graph, data)

    check()


@pytest.mark.parametrize("kind", ["conv", "convtranspose", "maxpool", "avgpool"])
def test_an_output_that_reads_nothing_has_no_gradient(kind: str) -> None:
    @given(single_layer_graphs(kind), st.data())
    def check(graph: Graph, data: st.DataObject) -> None:
        node, position = data.draw(units(graph))
        layer, shapes = graph[node].layer, graph.input_shapes(graph[node])
        reads = [layer.reads(shapes, 0, axis, frozenset({place})) for axis, place in enumerate(position)]
        (support,) = gradient_support(graph, node, position)[:1]
        if kind in ("maxpool", "avgpool"):
            assert all(reads)
        # A unit of a map that reads nothing along one axis reads nothing at all.
        assert list(support) == (reads if all(reads) else [frozenset()] * len(reads))

    check()


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_reach_is_a_hull_of_reads(kind: str) -> None:
    @given(single_layer_graphs(kind))
    @settings(max_examples=30)
    def check(graph: Graph) -> None:
        node = graph.nodes[-1]
        shapes, output = graph.input_shapes(node), graph.shapes[node.name]
        for number, shape in enumerate(shapes):
            for axis, size in enumerate(shape[1:]):
                reach = node.layer.reach(shapes, number, axis)
                places = range(output[1 + axis]) if len(output) > 1 else range(1)
                for place in places:
                    reads = node.layer.reads(shapes, number, axis, frozenset({place}))
                    if reach == EVERYTHING:
                        assert reads == frozenset(range(size))
                    elif not folds(node.layer):
                        assert all(index - reach.step * place - reach.low >= 0 for index in reads)
                        assert all(reach.step * place + reach.high - index >= 0 for index in reads)

    check()
