"""Forward and backward MACs against torch's dispatcher counter, and where it is wrong against each group by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from properties.running import random_inputs
from properties.strategies import ALL_KINDS, graphs, single_layer_graphs
from striate import zoo
from striate.analysis.cost_report import Uncounted, cost
from striate.backend import build_module
from striate.graph import Graph, Layer, Node, network
from striate.graph.layers.convolution import Conv
from striate.graph.layers.input import Input
from striate.graph.layers.transposed_convolution import ConvTranspose
from striate.units import Shape

#: Without those that torch cannot compute on the meta device.
KINDS = tuple(kind for kind in ALL_KINDS if kind not in ("fractionalmaxpool", "stochasticpool"))


def torch_counts(graph: Graph, *, image_needs: bool = False) -> tuple[float, float]:
    """Multiply-adds of a forward and of a backward pass for one image, as torch counts them: half the FLOPs of it.

    A batch of two: batch normalisation of a vector needs more than one image.
    """
    module = build_module(graph, device="meta").train()
    images = [image.requires_grad_(image_needs) for image in random_inputs(graph, batch=2, device="meta")]
    with FlopCounterMode(display=False) as counter:
        outputs = module(*images)
        forward = counter.get_total_flops() / 4
        each = (outputs,) if isinstance(outputs, Tensor) else outputs
        trained = [output.sum() for output in each if output.requires_grad]
        if trained:
            torch.stack(trained).sum().backward()
    return forward, counter.get_total_flops() / 4 - forward


def without_groups(graph: Graph) -> Graph:
    """The same network with one group everywhere, where torch counts right."""
    nodes = tuple(
        replace(node, layer=replace(node.layer, groups=1)) if isinstance(node.layer, Conv | ConvTranspose) else node
        for node in graph.nodes
    )
    return Graph(graph.name, nodes, graph.outputs)


@given(graphs(kinds=KINDS))
def test_forward_and_backward_macs_are_torchs(graph: Graph) -> None:
    whole = without_groups(graph)
    report = cost(whole)
    assert (report.macs, report.backward) == torch_counts(whole)


def group_by_group(layer: Any, shape: Shape) -> tuple[float, float]:
    """A grouped convolution as what it is, a convolution of its own for each group; torch counts those right."""
    one = replace(layer, filters=layer.filters // layer.groups, groups=1)
    channels = shape[0] // layer.groups
    single = Graph("group", (Node("x", Input((channels, *shape[1:]))), Node("y", one, ("x",))))
    forward, backward = torch_counts(single, image_needs=True)
    return layer.groups * forward, layer.groups * backward


@pytest.mark.parametrize("kind", ["conv", "convtranspose"])
def test_grouped_convolutions_cost_what_their_groups_cost(kind: str) -> None:
    @given(single_layer_graphs(kind))
    @settings(max_examples=30)
    def check(graph: Graph) -> None:
        node = graph.nodes[-1]
        (shape,) = graph.input_shapes(node)
        output = graph.shapes[node.name]
        forward, backward = group_by_group(node.layer, shape)
        assert node.layer.macs((shape,), output) == forward
        assert node.layer.backward_macs((shape,), output) == (backward / 2, backward / 2)

    check()


def test_a_depthwise_convolution_where_torchs_counter_is_wrong() -> None:
    # 16 channels × 9 taps × 64 places, three times: forward, gradient of the input, gradient of the weight.
    net = network("n", (16, 8, 8)).conv(16, 1, name="before").conv(16, 3, padding=1, groups=16, bias=False).build()
    node = cost(net).nodes[-1]
    assert (node.macs, node.input_gradient, node.weight_gradient) == (9216, 9216, 9216)
    if torch.__version__.startswith(("2.11", "2.12", "2.13")):
        alone = Graph("n", (Node("x", Input((16, 8, 8))), Node("y", net.nodes[-1].layer, ("x",))))
        forward, backward = torch_counts(alone, image_needs=True)
        assert forward + backward == 165888, "pytorch issue 183405: the gradient of the weight without the groups"


def test_no_gradient_flows_to_the_image_nor_through_what_leads_nowhere() -> None:
    x = (
        network("n", (3, 8, 8))
        .relu(name="early")
        .conv(4, 3, name="first")
        .relu(name="between")
        .conv(4, 3, name="second")
    )
    x.conv(7, 1, name="nowhere")
    report = cost(x.build())
    by_name = {node.name: node for node in report.nodes}
    assert by_name["early"].input_gradient is None
    assert (by_name["first"].input_gradient, by_name["first"].weight_gradient) == (None, by_name["first"].macs)
    assert by_name["between"].input_gradient == 0
    assert by_name["between"].weight_gradient is None
    assert by_name["second"].input_gradient == by_name["second"].weight_gradient == by_name["second"].macs
    assert by_name["nowhere"].macs > 0
    assert by_name["nowhere"].weight_gradient is None
    assert report.training == report.macs + report.backward


def test_a_backward_pass_is_not_twice_a_forward_pass() -> None:
    report = cost(zoo.build("simple-cnn"))
    first = next(node for node in report.nodes if node.kind == "conv")
    assert report.backward == 2 * report.macs - first.macs


@dataclass(frozen=True)
class Unheard(Layer):
    """A layer that says what it multiplies and nothing else."""

    multiplies: int = 0

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return self.multiplies


def with_last(layer: Layer) -> Graph:
    before = network("n", (3, 8, 8)).conv(4, 3, name="first").build()
    return Graph("n", (*before.nodes, Node("last", layer, ("first",))))


def test_what_a_layer_does_not_say_is_listed_and_in_no_total() -> None:
    counted = cost(network("n", (3, 8, 8)).conv(4, 3, name="first").build())
    silent = cost(with_last(Unheard()))
    assert silent.uncounted == (Uncounted("last", "", "operations"),)
    assert (silent.macs, silent.operations) == (counted.macs, counted.operations)
    speaking = cost(with_last(Unheard(7)))
    assert speaking.macs == counted.macs + 7
    assert [entry.quantity for entry in speaking.uncounted] == ["backward MACs", "operations"]


def test_of_an_opaque_node_nothing_is_counted() -> None:
    opaque = type("Opaque", (Unheard,), {"kind": "opaque"})(7)
    report = cost(with_last(opaque))
    assert [entry.quantity for entry in report.uncounted] == ["MACs", "backward MACs", "operations"]
    assert report.nodes[-1].macs == 0


def test_the_report_as_json() -> None:
    data = cost(zoo.build("simple-cnn")).as_dict()
    assert data["uncounted"] == []
    assert data["totals"]["training"] == data["totals"]["macs"] + data["totals"]["backward"]
    assert sum(data["totals"]["operations_by_kind"].values()) == data["totals"]["operations"]
    assert "FLOPs are twice as many" in data["convention"]
