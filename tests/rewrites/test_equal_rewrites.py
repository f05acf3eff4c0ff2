"""Rewritten networks against the originals in torch: equal numbers, equal gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from striate import zoo
from striate.backend import build_module
from striate.backend.batchnorm_folding import fold_batchnorm
from striate.backend.pooling_first import pooling_first
from striate.graph import Graph, network


def _weights_and_gradients(graph: Graph, state: dict[str, torch.Tensor], x: torch.Tensor) -> dict[str, torch.Tensor]:
    module = build_module(graph)
    module.load_state_dict(state)
    x = x.clone().requires_grad_()
    out = module(x)
    torch.manual_seed(1)
    out.backward(torch.randn_like(out))
    assert x.grad is not None
    found = {name: p.grad for name, p in module.named_parameters() if p.grad is not None}
    return {"output": out.detach(), "input": x.grad, **found}


@settings(max_examples=30, deadline=None)
@given(
    size=st.integers(6, 13),
    kernel=st.integers(2, 4),
    stride=st.integers(1, 3),
    padded=st.booleans(),
    six=st.booleans(),
    seed=st.integers(0, 99),
)
def test_pooling_first_gives_the_same_bits(
    size: int, kernel: int, stride: int, padded: bool, six: bool, seed: int
) -> None:
    x = network("n", (2, size, size)).conv(3, 3, padding=1)
    x = x.relu6() if six else x.relu()
    net = x.maxpool(kernel, stride, padding=1 if padded else 0).conv(4, 1).flatten().dense(3).build()
    other = pooling_first(net)
    assert [node.layer.kind for node in other.nodes][2] == "maxpool"
    state = build_module(net, seed=seed).state_dict()
    if six:  # so that the upper bound is met too
        state["conv1.weight"] = state["conv1.weight"] * 20
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(5, 2, size, size, generator=generator)
    one, two = (_weights_and_gradients(graph, state, images) for graph in (net, other))
    assert one.keys() == two.keys()
    for name in one:
        assert torch.equal(one[name], two[name]), name


def test_an_activation_with_other_readers_stays() -> None:
    net = network("n", (1, 8, 8))
    relu = net.conv(2, 3, padding=1).relu()
    both = relu.maxpool(2).flatten().concat(relu.flatten()).dense(2).build()
    assert pooling_first(both) is both


@pytest.mark.parametrize("name", ["vgg11", "alexnet", "mnist-cnn", "squeezenet1_1", "googlenet"])
def test_zoo_networks_keep_their_numbers(name: str) -> None:
    net = zoo.build(name)
    moved = pooling_first(net)
    assert moved.output_shape == net.output_shape
    assert dict(moved.parameters()).keys() == dict(net.parameters()).keys()


def test_pooling_first_on_an_output() -> None:
    net = network("n", (1, 8, 8)).conv(2, 3).relu().maxpool(2).build()
    moved = pooling_first(net)
    assert moved.outputs == ("relu1",)
    assert moved.output_shape == net.output_shape


def _with_statistics(graph: Graph, seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    state = build_module(graph, seed=seed).state_dict()
    for name, tensor in state.items():
        if name.endswith("running_var"):
            state[name] = torch.rand(tensor.shape, generator=generator) + 0.1
        elif tensor.is_floating_point() and tensor.dim() == 1:
            state[name] = torch.randn(tensor.shape, generator=generator)
    return state


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
def test_folded_batchnorm_gives_the_same_outputs(groups: int, bias: bool) -> None:
    x = network("n", (4, 9, 9)).conv(6, 3, groups=groups, bias=bias).batchnorm().relu()
    x = x.convtranspose(8, 3, stride=2, groups=groups, bias=bias).batchnorm(affine=False).relu()
    net = x.flatten().dense(5, bias=bias).batchnorm().build()
    state = _with_statistics(net, 3)
    before = {name: tensor.clone() for name, tensor in state.items()}
    folded, tensors = fold_batchnorm(net, state)
    assert not any(node.layer.kind == "batchnorm" for node in folded.nodes)
    one, two = build_module(net).eval(), build_module(folded).eval()
    one.load_state_dict(state)
    two.load_state_dict(tensors)
    images = torch.randn(7, 4, 9, 9, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(one(images), two(images), rtol=1e-4, atol=1e-4)
    assert all(torch.equal(before[name], state[name]) for name in before), "the weights handed in have changed"


def test_folding_a_zoo_network() -> None:
    net = zoo.build("resnet20", classes=10)
    state = _with_statistics(net, 1)
    folded, tensors = fold_batchnorm(net, state)
    assert not any(node.layer.kind == "batchnorm" for node in folded.nodes)
    one, two = build_module(net).eval(), build_module(folded).eval()
    one.load_state_dict(state)
    two.load_state_dict(tensors)
    one, two = one.double(), two.double()
    images = torch.randn(2, *net.input_shape, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        expected = one(images)
        assert (two(images) - expected).abs().max() <= 1e-4 * expected.abs().max()
