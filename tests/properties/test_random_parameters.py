"""Names, shapes and order of the tensors of random networks, against torch's."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from properties.strategies import ALL_KINDS, graphs, single_layer_graphs
from striate.backend import build_module
from striate.graph import Graph


def assert_tensors_are_torchs(graph: Graph) -> None:
    module = build_module(graph, device="meta")
    here = [(name, parameter.shape) for name, parameter in graph.parameters()]
    assert here == [(name, tuple(parameter.shape)) for name, parameter in module.named_parameters()]
    assert graph.parameter_count == sum(parameter.numel() for parameter in module.parameters())
    buffers = [
        (f"{node.name}.{buffer.name}", buffer.shape)
        for node in graph.nodes
        for buffer in node.layer.buffers(graph.input_shapes(node))
    ]
    assert buffers == [(name, tuple(buffer.shape)) for name, buffer in module.named_buffers()]
    assert set(module.state_dict()) == {name for name, _ in [*here, *buffers]}


@given(graphs())
@settings(max_examples=100)
def test_every_tensor_is_torchs_in_name_shape_and_order(graph: Graph) -> None:
    assert_tensors_are_torchs(graph)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_every_layers_tensors_are_torchs(kind: str) -> None:
    @given(single_layer_graphs(kind))
    @settings(max_examples=10)
    def check(graph: Graph) -> None:
        assert_tensors_are_torchs(graph)

    check()
