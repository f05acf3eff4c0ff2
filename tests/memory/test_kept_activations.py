"""What a forward pass keeps for the backward pass, against the storages that autograd really holds."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from hypothesis import assume, given, settings
from torch import nn

from memory.storages import ORDERLY, copies_disorder, kept_bytes
from properties.running import random_inputs
from properties.strategies import ALL_KINDS, graphs, single_layer_graphs
from striate import zoo
from striate.analysis.memory_report import memory
from striate.backend import build_module
from striate.graph import Graph, Layer, Node, network
from striate.graph.layers.convolution import Conv
from striate.units import Shape

BATCH = 3


def measured(graph: Graph, batch: int = BATCH, dtype: torch.dtype = torch.float32) -> int:
    module = build_module(graph).to(dtype)
    kept, _ = kept_bytes(module, random_inputs(graph, batch, dtype=dtype))
    return kept


def is_exact(graph: Graph) -> bool:
    if copies_disorder(graph):
        return False
    # In 3-D torch may give a transposed convolution more memory than its output needs, and has no fractional pooling
    # with windows side by side.
    volumes = {node.layer.kind for node in graph.nodes if len(graph.shapes[node.name]) == 4}
    return not volumes & {"convtranspose", "fractionalmaxpool"} and not memory(graph).assumed


@given(graphs())
def test_random_networks(graph: Graph) -> None:
    assume(is_exact(graph))
    assert memory(graph, BATCH).activations == measured(graph)


@pytest.mark.parametrize("kind", [kind for kind in ALL_KINDS if kind != "input"])
def test_every_layer(kind: str) -> None:
    @given(single_layer_graphs(kind))
    @settings(max_examples=5)
    def check(graph: Graph) -> None:
        if is_exact(graph):
            assert memory(graph, BATCH).activations == measured(graph)

    check()


@pytest.mark.parametrize("kind", [kind for kind in ALL_KINDS if kind != "input"])
def test_every_layer_behind_something_trained(kind: str) -> None:
    @given(single_layer_graphs(kind))
    @settings(max_examples=5)
    def check(graph: Graph) -> None:
        trained = behind_a_convolution(graph)
        if is_exact(trained):
            assert memory(trained, BATCH).activations == measured(trained)

    check()


def behind_a_convolution(graph: Graph) -> Graph:
    """The same network, reading a 1×1 convolution of each image instead of the image."""
    nodes: list[Node] = []
    renamed = {}
    for node in graph.nodes:
        nodes.append(Node(node.name, node.layer, tuple(renamed.get(name, name) for name in node.inputs)))
        if not node.inputs:
            renamed[node.name] = f"{node.name}_trained"
            nodes.append(Node(renamed[node.name], Conv(graph.shapes[node.name][0], 1), (node.name,)))
    return Graph("trained", tuple(nodes), tuple(renamed.get(name, name) for name in graph.outputs))


@pytest.mark.parametrize(
    "name", ["simple-cnn", "resnet20", "mobilenet_v3_small", "squeezenet1_1", "shufflenet_v2_x0_5"]
)
def test_networks_of_the_zoo(name: str) -> None:
    entry = zoo.find(name)
    assert entry is not None
    size = 64 if entry.input[1] > 64 else entry.input[1]
    graph = zoo.build(name, (entry.input[0], size, size))
    assert memory(graph, 2).activations == measured(graph, 2)


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_other_types(dtype: str) -> None:
    x = network("n", (4, 8, 8)).conv(8, 3, padding="same").batchnorm().relu().maxpool(2).groupnorm(2).gelu()
    graph = x.conv(8, 3, padding=1, padding_mode="reflect").dropout(0.5).layernorm().flatten().dense(5).build()
    assert memory(graph, BATCH, dtype=dtype).activations == measured(graph, dtype=getattr(torch, dtype))


def test_what_is_kept_and_for_whom() -> None:
    x = network("n", (3, 8, 8)).conv(4, 3, padding=1, bias=False).batchnorm().relu().maxpool(2)
    report = memory(x.flatten().dense(10).build(), batch=2)
    nodes = {node.name: node for node in report.nodes}
    assert nodes["input"].kept_for == ("conv1",)
    assert nodes["conv1"].kept_for == ("batchnorm1",)
    assert nodes["batchnorm1"].kept_for == ()
    assert nodes["batchnorm1"].extras == (("mean", 16), ("inverse deviation", 16))
    assert nodes["relu1"].kept_for == ("relu1", "maxpool1")
    assert nodes["maxpool1"].extras == (("indices", 2 * 4 * 4 * 4 * 8),)
    assert nodes["maxpool1"].kept_for == ("dense1",)
    assert nodes["flatten1"].output == 0
    assert sum(node.kept for node in report.nodes) == report.activations


def test_activations_in_place() -> None:
    x = network("n", (3, 8, 8)).conv(4, 3, padding=1).batchnorm().relu()
    y = x.conv(4, 3, padding=1).leakyrelu(0.1).conv(4, 1).elu().conv(4, 3, padding=1)
    graph = y.add(x).relu().globalavgpool().dense(3).build()
    module = build_module(graph)
    for part in module.modules():
        if isinstance(part, nn.ReLU | nn.LeakyReLU | nn.ELU):
            part.inplace = True
    kept, _ = kept_bytes(module, random_inputs(graph, BATCH))
    maps = 2 * BATCH * 4 * 4 * 8 * 8
    assert memory(graph, BATCH, in_place=True).activations == kept == memory(graph, BATCH).activations - maps


@pytest.mark.parametrize(
    "graph",
    [
        network("n", (4, 6, 6)).conv(4, 3).layernorm("channels").relu().flatten().dense(3).build(),
        network("n", (4, 6, 6)).conv(4, 3).layernorm("channels").relu().instancenorm().build(),
        network("n", (4, 6, 6)).conv(4, 3).sigmoid().crop(1).flatten().dense(3).build(),
    ],
    ids=["flatten", "instancenorm", "crop"],
)
def test_numbers_out_of_order_cost_at_most_a_copy_more(graph: Graph) -> None:
    before = next(node for node in graph.nodes if node.layer.kind in ORDERLY).inputs[0]
    copy = BATCH * 4 * torch.Size(graph.shapes[before]).numel()
    assert 0 < measured(graph) - memory(graph, BATCH).activations <= copy


@dataclass(frozen=True)
class Unheard(Layer):
    """A layer that does not say what it keeps."""

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]


def test_a_layer_that_does_not_say_is_assumed_to_keep_input_and_output() -> None:
    before = network("n", (3, 8, 8)).conv(4, 3, name="first").build()
    report = memory(Graph("n", (*before.nodes, Node("last", Unheard(), ("first",)))))
    assert report.assumed == ("last",)
    assert report.nodes[1].kept_for == report.nodes[2].kept_for == ("last",)
    assert report.as_dict()["assumed"] == ["last"]


def test_on_cuda_a_mask_takes_a_byte_and_statistics_at_least_four() -> None:
    graph = network("n", (4, 6, 6)).conv(4, 3).batchnorm().dropout(0.5).build()
    nodes = {node.kind: node for node in memory(graph, 2, dtype="float16", device="cuda").nodes}
    assert nodes["dropout"].extras == (("factors", 2 * 4 * 4 * 4),)
    assert nodes["batchnorm"].extras == (("mean", 16), ("inverse deviation", 16))
