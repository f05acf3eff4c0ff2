"""The worked examples, "Whole networks"."""

from __future__ import annotations

import pytest
import torch

import striate as st
from striate.units import Shape

SIMPLE = "conv 16 3 same > relu > maxpool 2 > conv 32 3 same > relu > maxpool 2 > flatten > dense 128 > relu > dense 10"
MNIST = (
    "conv 32 3 same > relu > maxpool 2 > conv 64 3 same > relu > maxpool 2"
    " > flatten > dense 128 > relu > dropout 0.25 > dense 10"
)
VALID = "conv 32 3 > relu > maxpool 2 > conv 64 3 > relu > maxpool 2 > flatten > dense 128 > relu > dense 10"
KERAS = (
    "conv 32 3 same > relu > conv 64 3 same > relu > maxpool 2 > dropout 0.25 > conv 128 3 same > relu > maxpool 2"
    " > flatten > dense 128 > relu > dropout 0.5 > dense 10"
)
CIFAR = "conv 32 3 same > relu > maxpool 2 > conv 64 3 same > relu > maxpool 2 > flatten > dense 10"


@pytest.mark.parametrize(
    ("net", "input", "parts"),
    [
        pytest.param(SIMPLE, (3, 32, 32), (448, 4_640, 262_272, 1_290), id="268,650"),
        pytest.param(MNIST, (1, 28, 28), (320, 18_496, 401_536, 1_290), id="421,642"),
        pytest.param(KERAS, (1, 28, 28), (320, 18_496, 73_856, 802_944, 1_290), id="896,906"),
        pytest.param(CIFAR, (3, 32, 32), (896, 18_496, 40_970), id="60,362"),
    ],
)
def test_parameters(net: str, input: Shape, parts: tuple[int, ...], request: pytest.FixtureRequest) -> None:
    report = st.inspect(net, input=input)
    assert tuple(node.parameters for node in report.nodes if node.parameters) == parts
    assert f"{report.parameters:,}" == request.node.callspec.id
    assert sum(tensor.numel() for tensor in st.build(net, input=input).parameters()) == sum(parts)


@pytest.mark.parametrize(
    ("name", "net"), [("simple-cnn", SIMPLE), ("mnist-cnn", MNIST), ("keras-mnist", KERAS)], ids=lambda value: value[:9]
)
def test_the_zoo_has_these_networks(name: str, net: str) -> None:
    input = st.inspect(name).input
    assert st.load(name).nodes == st.load(net, input=input).nodes


def test_what_seed_004_prints_is_not_the_sum_of_its_own_parts() -> None:
    tensors = dict(st.build(MNIST, input=(1, 28, 28)).named_parameters())
    # Seed 004 prints fc1.weight beside its total.
    assert tensors["dense1.weight"].numel() == 401_408
    assert sum(tensor.numel() for tensor in tensors.values()) == 421_642 != 421_066


def test_the_shapes_of_the_unpadded_mnist_network() -> None:
    report = st.inspect(VALID, input=(1, 28, 28))
    shapes = {node.name: node.shape for node in report.nodes}
    assert [shapes[name] for name in ("conv1", "maxpool1", "conv2", "maxpool2", "flatten1", "dense1", "dense2")] == [
        (32, 26, 26),
        (32, 13, 13),
        (64, 11, 11),
        (64, 5, 5),
        (1600,),
        (128,),
        (10,),
    ]
    assert st.build(VALID, input=(1, 28, 28))(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


@pytest.mark.parametrize(("net", "input", "flat"), [(SIMPLE, (3, 32, 32), 2048), (KERAS, (1, 28, 28), 7 * 7 * 128)])
def test_what_the_flatten_layer_hands_on(net: str, input: Shape, flat: int) -> None:
    (node,) = (node for node in st.inspect(net, input=input).nodes if node.kind == "flatten")
    assert node.shape == (flat,)
