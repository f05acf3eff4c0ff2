"""Receptive fields of random networks, against the support of a gradient."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from properties.drawn_more_layers import folds
from properties.positive import gradient_support
from properties.strategies import ALL_KINDS, LOCAL_KINDS, graphs, single_layer_graphs, units
from striate.analysis.receptive_field import receptive_fields, unit_field
from striate.errors import NetworkError
from striate.graph import Graph

SLIDING = ("input", "conv", "maxpool", "avgpool", "batchnorm", "relu", "add", "concat", "multiply")


def assert_field_is_the_support(graph: Graph, data: st.DataObject) -> None:
    node, position = data.draw(units(graph))
    for entry, support in zip(graph.inputs, gradient_support(graph, node, position), strict=True):
        field = unit_field(graph, node, position, source=entry.name)
        hull = tuple((min(indices), max(indices)) for indices in support) if all(support) else None
        assert field == hull
        if hull is None or any(folds(entry.layer) for entry in graph.nodes):
            # What a mirrored, repeated or wrapped pixel shows lies outside the window.
            continue
        for axis, (low, high) in enumerate(hull):
            closed = receptive_fields(graph, source=entry.name)[node][axis]
            unit = position[axis] if position else 0
            assert closed.low + unit * closed.jump <= low
            assert high <= closed.high + unit * closed.jump
            first, last = closed.at(unit, graph.shapes[entry.name][1 + axis])
            assert first <= low <= high <= last


@given(st.one_of(graphs(kinds=LOCAL_KINDS), graphs(kinds=LOCAL_KINDS), graphs()), st.data())
@settings(max_examples=250)
def test_the_field_of_a_unit_is_the_support_of_its_gradient(graph: Graph, data: st.DataObject) -> None:
    assert_field_is_the_support(graph, data)


@given(graphs(kinds=("input", "conv", "convtranspose", "upsample", "add", "concat", "multiply")), st.data())
def test_fields_with_holes_and_fractions(graph: Graph, data: st.DataObject) -> None:
    assert_field_is_the_support(graph, data)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_the_field_behind_every_layer(kind: str) -> None:
    @given(single_layer_graphs(kind), st.data())
    @settings(max_examples=10)
    def check(graph: Graph, data: st.DataObject) -> None:
        assert_field_is_the_support(graph, data)

    check()


@given(graphs(max_nodes=5, ranks=(1,), kinds=SLIDING))
@settings(max_examples=100)
def test_the_closed_form_is_exact_far_from_the_edges(graph: Graph) -> None:
    size = 1000
    assume(len(graph.inputs) == 1)
    try:
        graph = graph.with_input((graph.input_shape[0], size))
    except NetworkError:
        assume(False)
    for name, (field,) in receptive_fields(graph).items():
        middle = graph.shapes[name][1] // 2
        if field.kind == "local" and field.jump and field.size < size / 3:
            expected = (field.low + middle * field.jump, field.high + middle * field.jump)
            assert unit_field(graph, name, (middle,)) == (expected,)
