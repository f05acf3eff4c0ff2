"""The peaks of memory, against the storages that are alive while torch computes."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from torch import Tensor, nn

from memory.storages import LiveBytes, copies_disorder
from properties.running import random_inputs
from properties.strategies import ALL_KINDS, graphs
from striate import zoo
from striate.analysis.memory_report import memory
from striate.backend import build_module
from striate.graph import Graph, network

#: Layers with workspace or small tensors that Python sees and the rules leave out.
LEFT_OUT = ("fractionalmaxpool", "lppool", "stochasticpool", "convtranspose", "localresponsenorm")
KINDS = tuple(kind for kind in ALL_KINDS if kind not in LEFT_OUT)
NETWORKS = ["simple-cnn", "resnet20", "mobilenet_v3_small", "squeezenet1_1", "densenet121"]


def small(name: str) -> Graph:
    entry = zoo.find(name)
    assert entry is not None
    size = 64 if entry.input[1] > 64 else entry.input[1]
    return zoo.build(name, (entry.input[0], size, size))


def inference_peak(graph: Graph, batch: int, module: Any = None) -> int:
    module = (build_module(graph) if module is None else module).eval()
    images = random_inputs(graph, batch)
    with torch.no_grad(), LiveBytes(*module.parameters(), *module.buffers(), *images) as live:
        module(*images)
    return live.peak


def training_peak(graph: Graph, batch: int, optimizer: type[torch.optim.Optimizer], **options: Any) -> int:
    module = build_module(graph).train()
    images = random_inputs(graph, batch)
    stepper = optimizer(module.parameters(), lr=1e-3, **options)

    def step() -> None:
        outputs = module(*images)
        each = [output for output in ([outputs] if isinstance(outputs, Tensor) else outputs) if output.requires_grad]
        distinct = list({id(output): output for output in each}.values())
        torch.autograd.backward(distinct, [torch.ones_like(output) for output in distinct])
        stepper.step()
        stepper.zero_grad()

    step()
    state = [tensor for entry in stepper.state.values() for tensor in entry.values() if isinstance(tensor, Tensor)]
    with LiveBytes(*module.parameters(), *module.buffers(), *images, *state) as live:
        step()
    return live.peak


def has_no_line_pooling(graph: Graph) -> bool:
    """Watched from Python, torch also looks for the places of a maximum on a line, which it does not do by itself."""
    return not any(node.layer.kind == "maxpool" and len(graph.shapes[node.name]) == 2 for node in graph.nodes)


@given(graphs(kinds=KINDS))
@settings(max_examples=40)
def test_inference_of_random_networks(graph: Graph) -> None:
    assume(has_no_line_pooling(graph) and not copies_disorder(graph))
    expected, found = memory(graph, 3).inference_peak.bytes, inference_peak(graph, 3)
    # Uneven padding without counting it: the shares of the windows are counted a moment too early.
    shares = [math.prod(graph.shapes[node.name][1:]) for node in graph.nodes if node.layer.kind == "avgpool"]
    assert expected - 4 * max(shares, default=0) <= found <= expected


@pytest.mark.parametrize("name", NETWORKS)
def test_inference_of_networks_of_the_zoo(name: str) -> None:
    graph = small(name)
    assert memory(graph, 2).inference_peak.bytes == inference_peak(graph, 2)


def test_an_activation_in_place_lowers_the_peak_at_inference() -> None:
    graph = network("n", (3, 16, 16)).conv(32, 3, padding=1).batchnorm().relu().conv(32, 3, padding=1).relu().build()
    module = build_module(graph)
    for part in module.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = True
    peak = memory(graph, 2, in_place=True).inference_peak.bytes
    assert peak == inference_peak(graph, 2, module)
    assert peak <= memory(graph, 2).inference_peak.bytes


def all_lead_to_an_output(graph: Graph) -> bool:
    reached = set(graph.outputs)
    for node in reversed(graph.nodes):
        if node.name in reached:
            reached.update(node.inputs)
    return len(reached) == len(graph)


@given(graphs(kinds=KINDS))
@settings(max_examples=25)
def test_training_of_random_networks(graph: Graph) -> None:
    """Near, for networks so small that a few maps are all there is.

    A sum of two gradients is made in place, unless Python watches; then it takes one map more for a moment. And what
    stands for the loss here holds its gradients to the end.
    """
    report = memory(graph, 3, optimizer="sgd")
    assume(report.gradients and all_lead_to_an_output(graph))
    found = training_peak(graph, 3, torch.optim.SGD)
    more = 2 * max(node.output for node in report.nodes) + 4 * 3 * sum(
        math.prod(graph.shapes[n]) for n in graph.outputs
    )
    assert 0.8 * report.training_peak.bytes <= found <= 1.25 * report.training_peak.bytes + more


@pytest.mark.parametrize("name", NETWORKS)
def test_training_of_networks_of_the_zoo(name: str) -> None:
    graph = small(name)
    expected = memory(graph, 2, optimizer="sgd").training_peak.bytes
    assert expected <= training_peak(graph, 2, torch.optim.SGD) <= 1.01 * expected


@pytest.mark.parametrize(
    ("name", "optimizer", "options"),
    [
        ("sgd", torch.optim.SGD, {}),
        ("sgd-momentum", torch.optim.SGD, {"momentum": 0.9}),
        ("adam", torch.optim.Adam, {}),
        ("adamw", torch.optim.AdamW, {}),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_optimizer_state_weights_gradients_and_buffers(
    name: str, optimizer: type[torch.optim.Optimizer], options: dict[str, Any], dtype: str
) -> None:
    graph = network("n", (3, 8, 8)).conv(4, 3).batchnorm().relu().flatten().dense(5).build()
    module = build_module(graph).to(getattr(torch, dtype))
    stepper = optimizer(module.parameters(), lr=0.1, **options)
    module(*random_inputs(graph, 2, dtype=getattr(torch, dtype))).sum().backward()
    stepper.step()
    state = [tensor for entry in stepper.state.values() for tensor in entry.values() if isinstance(tensor, Tensor)]
    report = memory(graph, dtype=dtype, optimizer=name)
    assert report.optimizer_state == sum(tensor.nbytes for tensor in state)
    assert report.weights == sum(tensor.nbytes for tensor in module.parameters())
    assert report.gradients == sum(tensor.grad.nbytes for tensor in module.parameters() if tensor.grad is not None)
    assert report.buffers == sum(tensor.nbytes for tensor in module.buffers())


def test_what_leads_nowhere_has_no_gradient_and_no_state() -> None:
    x = network("n", (3, 8, 8))
    x.conv(4, 3, name="nowhere")
    report = memory(x.conv(4, 3, name="last").build(), optimizer="adam")
    assert report.weights == 2 * report.gradients
    assert report.optimizer_state == 2 * report.gradients + 2 * 4
