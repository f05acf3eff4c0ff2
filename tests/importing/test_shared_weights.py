"""Nodes that use the weights of an earlier one, and operations that no layer describes, wherever a Graph goes."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from striate.analysis import cost, inspect, memory
from striate.backend import build_module, load_weights, save_weights
from striate.errors import LayerError, NetworkError, SourceError
from striate.graph import Graph, Node, Parameter, layer_classes, network
from striate.graph.layers.activation import ReLU
from striate.graph.layers.convolution import Conv
from striate.graph.layers.dense import Dense
from striate.graph.layers.input import Input
from striate.graph.layers.normalization import BatchNorm
from striate.graph.layers.opaque import Opaque
from striate.sources import read_yaml, to_inline, to_yaml
from striate.training.optimization import Constraints, make_optimizer
from striate.training.recipe import make_recipe

TWICE = Graph(
    "twice",
    (
        Node("input", Input((4, 8, 8))),
        Node("b.first", Conv(4, 3, padding=1), ("input",)),
        Node("norm", BatchNorm(), ("b.first",)),
        # Its prefix is met first in named_parameters().
        Node("a.wide", Conv(4, 3, padding=2, dilation=2), ("norm",), shares="b.first"),
        Node("b.again", Conv(4, 3, padding=1), ("a.wide",), shares="b.first"),
        Node("norm2", BatchNorm(), ("b.again",), shares="norm"),
    ),
)

#: With automatic names, as inline text gives them.
CHAIN = Graph(
    "chain",
    (
        Node("input", Input((4, 8, 8))),
        Node("conv1", Conv(4, 3), ("input",)),
        Node("conv2", Conv(4, 3), ("conv1",), shares="conv1"),
    ),
)


def test_shared_parameters_count_once_and_their_work_each_time() -> None:
    report = inspect(TWICE)
    assert TWICE.parameter_count == report.parameters == 4 * 4 * 9 + 4 + 8
    assert [node.parameters for node in report.nodes] == [0, 148, 8, 0, 0, 0]
    assert report.macs == cost(TWICE).macs == 3 * 64 * 144
    assert cost(TWICE).weight_gradient == 3 * 64 * 144
    assert [node.get("shares") for node in report.as_dict()["nodes"]][3:] == ["b.first", "b.first", "norm"]
    needs = memory(TWICE)
    assert (needs.weights, needs.gradients, needs.buffers) == (4 * 156, 4 * 156, 4 * 8 + 8)


def test_the_module_has_one_tensor_for_them(tmp_path: Path) -> None:
    module = build_module(TWICE)
    assert sum(entry.numel() for entry in module.parameters()) == TWICE.parameter_count
    assert module.get_submodule("a.wide").weight is module.get_submodule("b.first").weight
    assert module.get_submodule("norm2") is module.get_submodule("norm")
    images = torch.rand(2, 4, 8, 8)
    module.eval()
    conv = module.get_submodule("b.first")
    expected = F.conv2d(module.norm(conv(images)), conv.weight, conv.bias, padding=2, dilation=2)
    torch.testing.assert_close(module(images), module.norm(conv(expected)))
    save_weights(module, tmp_path / "w.safetensors", TWICE)
    other = build_module(TWICE, seed=5).eval()
    load_weights(other, tmp_path / "w.safetensors")
    assert torch.equal(other(images), module(images))
    copied = copy.deepcopy(module).double()
    assert copied.get_submodule("a.wide").weight is copied.get_submodule("b.first").weight
    assert copied.norm2 is copied.norm


def test_training_sees_each_once() -> None:
    module = build_module(TWICE)
    recipe = make_recipe({"optimizer": "sgd", "max_norm": 1.0, "l1": 0.1})
    optimizer = make_optimizer(recipe, TWICE, module)
    assert sum(entry.numel() for group in optimizer.param_groups for entry in group["params"]) == TWICE.parameter_count
    module(torch.rand(2, 4, 8, 8)).square().sum().backward()
    constraints = Constraints(recipe, TWICE, module)
    constraints.before_step()
    optimizer.step()
    constraints.after_step()
    assert module.get_submodule("a.wide").weight.flatten(1).norm(dim=1).max() <= 1 + 1e-5


def test_yaml_says_whose_weights_they_are() -> None:
    text = to_yaml(TWICE)
    assert text.count("weights: b.first") == 2
    assert read_yaml(text) == TWICE
    with pytest.raises(SourceError, match="no inline form") as caught:
        to_inline(CHAIN)
    assert caught.value.got == "conv2, which shares the weights of conv1"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{conv: {filters: 8, kernel: 5}, weights: conv1}", "the weights of 'conv1' do not fit here"),
        ("{conv: {filters: 8, kernel: 3}, weights: nothing}", "there is no layer called 'nothing'"),
        ("{relu: , weights: conv1}", "the weights of 'conv1' do not fit here"),
        ("{conv: {filters: 8, kernel: 3}, weights: [conv1]}", "'weights' needs a name"),
        ("{conv: {filters: 8, kernel: 3}, weights: conv2}", "'conv2' has no weights of its own"),
        ("{repeat: {times: 2, layers: [relu]}, weights: conv1}", "'weights' names the weights of one layer"),
        ("{conv: {filters: 8, kernel: 3, weights: conv1}}", "'weights' stands among the attributes"),
    ],
)
def test_weights_that_cannot_be_shared(line: str, problem: str) -> None:
    text = (
        "input: [8, 32, 32]\nlayers:\n  - conv: {filters: 8, kernel: 3}\n"
        f"  - {{conv: {{filters: 8, kernel: 3}}, weights: conv1}}\n  - {line}\n"
    )
    with pytest.raises(NetworkError) as caught:
        read_yaml(text)
    assert problem in caught.value.problem
    assert "net.yaml:5" in (caught.value.where or "")


def test_statistics_are_shared_by_equal_layers_alone() -> None:
    nodes = (Node("x", Input((4, 8))), Node("a", BatchNorm(), ("x",)), Node("b", BatchNorm(0.1), ("a",), shares="a"))
    with pytest.raises(NetworkError, match="cannot share the statistics of 'a'"):
        Graph("n", nodes)


def test_an_origin_does_not_make_another_node() -> None:
    assert Node("a", ReLU(), ("x",), origin="net.py:3") == Node("a", ReLU(), ("x",))


OPAQUE = Graph(
    "strange",
    (
        Node("x", Input((3, 8, 8))),
        Node("first", Conv(4, 3), ("x",)),
        Node("fft", Opaque("torch.fft.fft2", (4, 6, 6), (Parameter("scale", (4,), "scale"),)), ("first",)),
        Node("known", Opaque("torch.bmm", (6, 12), cost=864, expects=((4, 6, 6),)), ("fft",)),
        Node("alone", Opaque("torch.rand", (12,), cost=0)),
        Node("both", Opaque("torch.mul", (6, 12), cost=0, nature="pointwise"), ("known", "alone")),
        Node("out", Opaque("Tensor.mean", (12,), cost=0), ("both",)),
        Node("fc", Dense(2), ("out",)),
    ),
)


def test_what_is_not_counted_is_told() -> None:
    report = inspect(OPAQUE)
    assert report.uncounted == ("fft",)
    assert report.parameters == 112 + 4 + 26
    assert report.macs == 36 * 108 + 864 + 24
    assert [field.size for field in report.nodes[2].field] == [8, 8]
    assert {(entry.node, entry.quantity) for entry in cost(OPAQUE).uncounted} >= {
        ("fft", "MACs"),
        ("known", "operations"),
    }
    assert memory(OPAQUE).assumed == ("fft", "known", "alone", "both", "out")
    assert report.as_dict()["nodes"][3]["attributes"] == {"operation": "torch.bmm", "cost": 864}


def test_opaque_is_neither_written_nor_built() -> None:
    with pytest.raises(SourceError, match="no layer describes one of its operations") as caught:
        to_yaml(OPAQUE)
    assert caught.value.got == "torch.fft.fft2"
    with pytest.raises(SourceError, match="no inline form"):
        to_inline(OPAQUE)
    with pytest.raises(NetworkError, match="not built or trained") as built:
        build_module(OPAQUE)
    assert "fft (torch.fft.fft2)" in (built.value.got or "")
    for text in ("layers: [opaque]\ninput: [3, 8, 8]", "layers: [{opaque: {operation: x}}]\ninput: [3, 8, 8]"):
        with pytest.raises(LayerError, match="opaque"):
            read_yaml(text)
    with pytest.raises(LayerError, match="opaque cannot be written"):
        network("n", (3, 8, 8)).then(Opaque("x", (3, 8, 8)))
    with pytest.raises(AttributeError):
        _ = network("n", (3, 8, 8)).opaque
    assert "opaque" not in layer_classes()


def test_another_input_is_refused_where_no_rule_leads_on() -> None:
    with pytest.raises(NetworkError, match=r"no rule says what torch\.bmm makes of another shape") as caught:
        Graph("n", (Node("x", Input((3, 9, 9))), *OPAQUE.nodes[1:2], Node("known", OPAQUE["known"].layer, ("first",))))
    assert caught.value.write == "import the network again with the input that is meant"
