"""A graph is a value: copies are equal, and another input size is another graph of the same layers."""

from __future__ import annotations

import copy
import dataclasses

import pytest
from hypothesis import assume, given

from properties.strategies import graphs
from striate.errors import NetworkError
from striate.graph import Graph, Node


@given(graphs())
def test_copies_are_equal_and_whole(graph: Graph) -> None:
    for other in (
        copy.copy(graph),
        copy.deepcopy(graph),
        Graph(graph.name, graph.nodes, graph.outputs, graph.classes),
        dataclasses.replace(graph),
    ):
        assert other == graph
        assert hash(other) == hash(graph)
        assert dict(other.shapes) == dict(graph.shapes)
        assert list(other.parameters()) == list(graph.parameters())
        assert [other[node.name] for node in graph.nodes] == list(graph.nodes)


@given(graphs())
def test_layers_are_values(graph: Graph) -> None:
    for node in graph.nodes:
        rebuilt = type(node.layer)(**{f.name: getattr(node.layer, f.name) for f in dataclasses.fields(node.layer)})
        assert rebuilt == node.layer
        assert hash(rebuilt) == hash(node.layer)


@given(graphs())
def test_anything_else_is_another_graph(graph: Graph) -> None:
    assert dataclasses.replace(graph, name="other") != graph
    assert dataclasses.replace(graph, classes=7) != graph
    longer = (
        *graph.nodes,
        Node("one_more", type(graph.nodes[-1].layer)(**vars(graph.nodes[-1].layer)), graph.nodes[-1].inputs),
    )
    assert dataclasses.replace(graph, nodes=longer) != graph


@given(graphs())
def test_another_input_size_changes_the_input_alone(graph: Graph) -> None:
    assume(len(graph.inputs) == 1)
    shape = graph.input_shape
    assert graph.with_input(shape) is graph
    larger = (shape[0], *(size + 3 for size in shape[1:]))
    try:
        other = graph.with_input(larger)
    except NetworkError as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        # The node that no longer fits is named.
        assert any(repr(node.name) in refusal for node in graph.nodes)
        return
    assert other.input_shape == larger
    assert other != graph
    assert [(node.name, node.inputs) for node in other.nodes] == [(node.name, node.inputs) for node in graph.nodes]
    assert [n.layer for n in other.nodes if n.inputs] == [n.layer for n in graph.nodes if n.inputs]
    assert other.with_input(shape) == graph


@given(graphs())
def test_a_graph_cannot_be_changed(graph: Graph) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        graph.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        graph.shapes["x"] = (1,)  # type: ignore[index]
