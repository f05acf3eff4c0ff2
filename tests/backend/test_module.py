"""The module that a graph becomes: its names, its order, its inputs and outputs, and what it leaves alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from striate.backend import build_module
from striate.backend.registry import operation, operation_of
from striate.errors import NetworkError
from striate.graph import Graph, Layer, Node, layer_classes, network
from striate.graph.layers.activation import ReLU
from striate.graph.layers.convolution import Conv
from striate.graph.layers.dense import Dense
from striate.graph.layers.input import Input
from striate.graph.layers.merge import Concat
from striate.graph.layers.reshape import Flatten
from striate.units import Shape


def test_names_in_the_state_dict_are_those_of_the_nodes(small: Graph) -> None:
    assert list(build_module(small).state_dict()) == [
        "conv1.weight",
        *(f"bn1.{name}" for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")),
        "layer1.0.conv1.weight",
        *(f"layer1.0.bn1.{name}" for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")),
        "fc.weight",
        "fc.bias",
    ]


def test_a_node_is_a_module_and_a_line(small: Graph) -> None:
    module = build_module(small)
    assert isinstance(module.get_submodule("layer1.0.conv1"), torch.nn.Conv2d)
    assert isinstance(module.conv1, torch.nn.Conv2d)
    lines = [line.strip() for line in module.code.splitlines()]
    assert any(line.startswith('layer1_0_conv1 = getattr(self.layer1, "0").conv1(pool)') for line in lines)
    assert [n.meta["node"] for n in module.graph.nodes if "node" in n.meta] == [node.name for node in small.nodes]


def test_it_computes_what_torch_computes_by_hand(small: Graph) -> None:
    module = build_module(small, seed=3).eval()
    x = torch.randn(2, 3, 12, 10, generator=torch.Generator().manual_seed(0))
    state = module.state_dict()
    functional = torch.nn.functional

    def norm(value: torch.Tensor, name: str) -> torch.Tensor:
        names = ("running_mean", "running_var", "weight", "bias")
        return functional.batch_norm(value, *(state[f"{name}.{entry}"] for entry in names))

    y = functional.max_pool2d(functional.relu(norm(functional.conv2d(x, state["conv1.weight"], padding=1), "bn1")), 2)
    z = norm(functional.conv2d(y, state["layer1.0.conv1.weight"], padding=1), "layer1.0.bn1")
    logits = functional.linear(functional.relu(z + y).mean((2, 3)), state["fc.weight"], state["fc.bias"])
    torch.testing.assert_close(module(x), logits)


def test_several_inputs_and_outputs() -> None:
    graph = Graph(
        "two",
        (
            Node("left", Input((1, 4))),
            Node("conv", Conv(2, 3), ("left",)),
            Node("right", Input((3, 2))),
            Node("both", Concat(), ("conv", "right")),
            Node("act", ReLU(), ("both",)),
        ),
        ("act", "conv", "left"),
    )
    left, right = torch.rand(5, 1, 4), torch.rand(5, 3, 2)
    outputs = build_module(graph)(left, right)
    assert isinstance(outputs, tuple)
    assert [tuple(value.shape) for value in outputs] == [(5, 5, 2), (5, 2, 2), (5, 1, 4)]
    assert torch.equal(outputs[0][:, 2:], right)
    assert torch.equal(outputs[2], left)


@pytest.mark.parametrize("name", ["input", "self", "x", "device", "torch", "inf", "nan", "a.b", "type"])
def test_any_sensible_name_may_be_an_inputs(name: str) -> None:
    graph = Graph("named", (Node(name, Input((2, 3))), Node("act", ReLU(), (name,))))
    x = -torch.ones(1, 2, 3)
    assert torch.equal(build_module(graph)(x), torch.zeros(1, 2, 3))


@pytest.mark.parametrize("name", ["self", "torch", "device", "inf", "print", "max", "input", "fx", "_x", "x_1"])
def test_names_that_fx_renames_are_kept_as_modules(name: str) -> None:
    graph = Graph(
        "named",
        (Node("x", Input((1, 4))), Node(name, Conv(1, 2), ("x",)), Node("act", ReLU(), (name,))),
        ("act", name),
    )
    module = build_module(graph)
    assert f"{name}.weight" in module.state_dict()
    after, before = module(torch.rand(1, 1, 4))
    assert torch.equal(after, before.relu())


def test_names_that_look_alike_as_variables_stay_apart() -> None:
    nodes = (
        Node("a_b", Input((1, 2))),
        Node("a.b", Input((1, 2))),
        Node("c.d", Conv(1, 1), ("a_b",)),
        Node("c_d", Conv(1, 1), ("a.b",)),
        Node("flat.c", Flatten(), ("c.d",)),
        Node("flat_c", Flatten(), ("c_d",)),
    )
    module = build_module(Graph("alike", nodes, ("flat.c", "flat_c")), seed=None)
    with torch.no_grad():
        module.get_parameter("c.d.weight").fill_(2)
        module.get_parameter("c_d.weight").fill_(3)
    first, second = module(torch.ones(1, 1, 2), torch.ones(1, 1, 2))
    assert first.tolist() == [[2, 2]]
    assert second.tolist() == [[3, 3]]


@pytest.mark.parametrize(
    ("name", "problem", "write"),
    [
        ("training", "'training' is something every torch module has already", "training_"),
        ("forward", "'forward' is something every torch module has already", "forward_"),
        ("train", "'train' is something every torch module has already", "train_"),
        ("graph", "'graph' is something every torch module has already", "graph_"),
        ("block.parameters", "'parameters' is something every torch module has already", "block.parameters_"),
        ("class", "'class' is a word of Python", "class_"),
        ("block.lambda.conv", "'lambda' is a word of Python", "block.lambda_.conv"),
    ],
)
def test_names_no_module_can_have(name: str, problem: str, write: str) -> None:
    graph = Graph("net", (Node("x", Input((1, 4))), Node(name, Conv(1, 2), ("x",))))
    with pytest.raises(NetworkError) as caught:
        build_module(graph)
    assert caught.value.problem == f"a node cannot be called {name!r}: {problem}"
    assert caught.value.write == write
    assert caught.value.where == "net"
    renamed = Graph("net", (graph.nodes[0], Node(write, Conv(1, 2), ("x",))))
    assert f"{write}.weight" in build_module(renamed).state_dict()


@pytest.mark.parametrize("names", [("block", "block.conv"), ("block.0.conv", "block.0"), ("conv", "conv.weight")])
def test_a_layer_cannot_hold_another(names: tuple[str, str]) -> None:
    first, second = names
    graph = Graph(
        "net", (Node("x", Input((1, 9))), Node(first, Conv(1, 2), ("x",)), Node(second, Conv(1, 2), (first,)))
    )
    with pytest.raises(NetworkError, match="cannot be a layer and hold the layer") as caught:
        build_module(graph)
    assert caught.value.got is not None
    assert sorted(caught.value.got.split(" and ")) == sorted(names)


def test_an_inputs_name_may_begin_other_names() -> None:
    graph = Graph(
        "net", (Node("x", Input((1, 4))), Node("x.conv", Conv(1, 2), ("x",)), Node("x.training_", ReLU(), ("x.conv",)))
    )
    assert build_module(graph)(torch.rand(1, 1, 4)).shape == (1, 1, 3)


def test_nodes_that_nobody_reads_stay() -> None:
    x = network("spare", (1, 4))
    x.conv(1, 2, name="unread")
    assert "unread.weight" in build_module(x.conv(1, 3, name="read").build()).state_dict()


def test_every_layer_has_an_operation() -> None:
    for cls in layer_classes().values():
        if cls is not Input:
            operation_of(object.__new__(cls))


def test_a_layer_without_an_operation_is_told() -> None:
    @dataclass(frozen=True)
    class Wavelet(Layer):
        kind: ClassVar[str] = "wavelet"

        def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
            return inputs[0]

    graph = Graph("net", (Node("x", Input((1, 4))), Node("wave", Wavelet(), ("x",))))
    with pytest.raises(NetworkError, match="wavelet can be inspected but not computed") as caught:
        build_module(graph)
    assert "conv, " in str(caught.value.needs)


def test_two_operations_for_one_layer_are_a_mistake() -> None:
    with pytest.raises(TypeError, match="two operations compute ReLU"):
        operation(ReLU)(lambda layer, inputs: torch.nn.ReLU())


def test_the_global_random_state_is_neither_used_nor_changed(everything: Graph) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first = build_module(everything)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(8)
    second = build_module(everything)
    for (name, one), two in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        assert torch.equal(one, two), name


def test_parameters_are_float32_whatever_the_default() -> None:
    net = network("net", (1, 4)).conv(2, 3).batchnorm().flatten().dense(2).build()
    torch.set_default_dtype(torch.float64)
    try:
        module = build_module(net)
    finally:
        torch.set_default_dtype(torch.float32)
    assert {tensor.dtype for tensor in module.parameters()} == {torch.float32}
    assert module.get_buffer("batchnorm1.running_mean").dtype == torch.float32
    assert module.get_buffer("batchnorm1.num_batches_tracked").dtype == torch.int64


def test_without_a_seed_every_weight_is_zero_and_every_scale_one(everything: Graph) -> None:
    module = build_module(everything, seed=None)
    for name, parameter in everything.parameters():
        values = module.get_parameter(name)
        usual = 1 if parameter.role == "scale" else 0
        assert bool((values == (usual if parameter.initial is None else parameter.initial)).all()), name


def test_a_meta_module_has_shapes_and_no_numbers(small: Graph) -> None:
    module = build_module(small, device="meta")
    assert all(tensor.is_meta for tensor in module.state_dict().values())
    assert module(torch.empty(2, 3, 12, 10, device="meta")).shape == (2, 5)


def test_another_input_size_where_the_layers_allow_it(small: Graph) -> None:
    assert build_module(small)(torch.zeros(1, 3, 33, 21)).shape == (1, 5)


def test_a_single_node_is_a_network() -> None:
    x = torch.rand(1, 1, 4)
    assert torch.equal(build_module(Graph("only", (Node("x", Input((1, 4))),)))(x), x)


def test_dense_on_a_vector_input_order_is_channel_by_channel() -> None:
    net = network("order", (2, 3)).flatten().dense(6, bias=False).build()
    module = build_module(net, seed=None)
    with torch.no_grad():
        module.get_parameter("dense1.weight").copy_(torch.eye(6))
    assert module(torch.arange(6.0).reshape(1, 2, 3)).tolist() == [[0, 1, 2, 3, 4, 5]]
    assert isinstance(net["dense1"].layer, Dense)
