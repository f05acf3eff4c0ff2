"""Shapes, forward and backward passes of random networks, against torch itself."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings

from properties.running import node_values, random_inputs
from properties.strategies import ALL_KINDS, graphs, single_layer_graphs
from striate.backend import build_module
from striate.graph import Graph


def assert_shapes_are_torchs(graph: Graph, device: str) -> None:
    module = build_module(graph, device=device, seed=None).eval()
    values = node_values(module, *random_inputs(graph, batch=3, device=device))
    assert {name: tuple(value.shape[1:]) for name, value in values.items()} == dict(graph.shapes)
    assert all(value.shape[0] == 3 for value in values.values())


@given(graphs())
@settings(max_examples=150)
def test_every_shape_is_torchs(graph: Graph) -> None:
    assert_shapes_are_torchs(graph, "meta")


@given(graphs(max_nodes=6))
def test_every_shape_is_torchs_with_real_numbers(graph: Graph) -> None:
    # The meta device trusts some attributes that the kernels refuse.
    assert_shapes_are_torchs(graph, "cpu")


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_every_layer_has_torchs_shape(kind: str) -> None:
    @given(single_layer_graphs(kind))
    @settings(max_examples=20)
    def check(graph: Graph) -> None:
        assert any(node.layer.kind == kind for node in graph.nodes)
        assert_shapes_are_torchs(graph, "cpu")

    check()


@given(graphs())
def test_outputs_leave_in_the_order_of_the_graph(graph: Graph) -> None:
    module = build_module(graph).eval()
    inputs = random_inputs(graph)
    values, outputs = node_values(module, *inputs), module(*inputs)
    outputs = (outputs,) if len(graph.outputs) == 1 else outputs
    assert len(outputs) == len(graph.outputs)
    for name, output in zip(graph.outputs, outputs, strict=True):
        assert torch.equal(output, values[name])


@given(graphs(max_nodes=6))
def test_numbers_and_gradients_are_finite(graph: Graph) -> None:
    module = build_module(graph)
    values = node_values(module.eval(), *random_inputs(graph))
    assert all(bool(value.isfinite().all()) for value in values.values())
    total = sum(value.sum() for value in values.values())
    assert isinstance(total, torch.Tensor)
    if total.requires_grad:
        total.backward()
    assert all(bool(p.grad.isfinite().all()) for p in module.parameters() if p.grad is not None)


def test_the_strategy_draws_every_kind_of_layer() -> None:
    seen: set[str] = set()

    @given(graphs())
    @settings(max_examples=400)
    def draw(graph: Graph) -> None:
        seen.update(node.layer.kind for node in graph.nodes)

    draw()
    assert seen == set(ALL_KINDS)
