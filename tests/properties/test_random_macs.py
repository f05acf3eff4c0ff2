"""Multiply-adds of random networks, against torch's own counter and against counting by hand."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import assume, given, settings
from torch.utils.flop_counter import FlopCounterMode

from properties.strategies import graphs, single_layer_graphs
from striate.backend import build_module
from striate.graph import Graph, layer_class
from striate.graph.attributes import per_axis
from striate.graph.layers.convolution import Conv
from striate.graph.layers.transposed_convolution import ConvTranspose

COUNTED = ("conv", "convtranspose", "dense")


def torch_macs(graph: Graph, batch: int) -> dict[str, int]:
    """What torch's dispatcher counts at each node, halved: it counts a multiply-add as two."""
    module = build_module(graph, device="meta").eval()
    counts = {}
    for node in graph.nodes:
        if node.layer.kind == "input":
            continue
        inputs = [torch.empty((batch, *shape), device="meta") for shape in graph.input_shapes(node)]
        with FlopCounterMode(display=False) as counter:
            module.get_submodule(node.name)(*inputs)
        counts[node.name] = counter.get_total_flops() / 2
    return counts


def graph_macs(graph: Graph) -> dict[str, int]:
    return {
        node.name: node.layer.macs(graph.input_shapes(node), graph.shapes[node.name])
        for node in graph.nodes
        if node.layer.kind != "input"
    }


@given(graphs())
def test_macs_of_every_node_are_torchs(graph: Graph) -> None:
    assert torch_macs(graph, 1) == graph_macs(graph)
    assert torch_macs(graph, 3) == {name: 3 * count for name, count in graph_macs(graph).items()}


@pytest.mark.parametrize("kind", COUNTED)
def test_macs_of_every_counted_layer_are_torchs(kind: str) -> None:
    @given(single_layer_graphs(kind))
    @settings(max_examples=30)
    def check(graph: Graph) -> None:
        assert torch_macs(graph, 1) == graph_macs(graph)

    check()


def test_no_other_layer_has_macs() -> None:
    @given(graphs())
    def check(graph: Graph) -> None:
        for name, count in graph_macs(graph).items():
            assert (count > 0) == (graph[name].layer.kind in COUNTED)

    check()


@given(single_layer_graphs("conv", ranks=(1, 2)))
def test_convolution_macs_by_counting(graph: Graph) -> None:
    node = graph.nodes[-1]
    layer, output = node.layer, graph.shapes[node.name]
    assert isinstance(layer, Conv)
    (shape,) = graph.input_shapes(node)
    kernel = graph_kernel(graph, node.name)
    per_group = shape[0] // layer.groups
    count = 0
    for _filter, *_place in itertools.product(*map(range, output)):
        count += per_group * math.prod(kernel)
    assert layer.macs((shape,), output) == count


@given(single_layer_graphs("convtranspose", ranks=(1, 2)))
def test_transposed_convolution_macs_are_those_of_the_convolution_it_is_the_adjoint_of(graph: Graph) -> None:
    node = graph.nodes[-1]
    layer, output = node.layer, graph.shapes[node.name]
    assert isinstance(layer, ConvTranspose)
    (shape,) = graph.input_shapes(node)
    rank = len(shape) - 1
    strides, extras = (per_axis("", "", value, rank) for value in (layer.stride, layer.output_padding))
    # Only a dilation above the stride allows more, and then a convolution of that size has more outputs.
    assume(all(extra < stride for extra, stride in zip(extras, strides, strict=True)))
    adjoint = layer_class("conv")(  # type: ignore[call-arg]
        filters=shape[0],
        kernel=layer.kernel,
        stride=layer.stride,
        padding=layer.padding,
        dilation=layer.dilation,
        groups=layer.groups,
    )
    assert adjoint.output_shape((output,)) == shape
    assert layer.macs((shape,), output) == adjoint.macs((output,), shape)


def graph_kernel(graph: Graph, name: str) -> tuple[int, ...]:
    parameters = dict(graph.parameters())
    return parameters[f"{name}.weight"].shape[2:]
