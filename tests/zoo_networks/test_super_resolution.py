"""SRCNN and ESPCN against plain modules, and what a network without classes says when it is given some."""

from __future__ import annotations

import pytest
from torch import Tensor, nn

from striate import zoo
from striate.errors import SourceError
from zoo_networks.matching import assert_same_outputs, assert_same_structure

WITHOUT_CLASSES = [name for name, entry in zoo.architectures().items() if not entry.adapts_classes]


class SRCNN(nn.Module):
    def __init__(self, channels: int, classes: int, middle: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 64, 9, padding=4)
        self.conv2 = nn.Conv2d(64, 32, middle, padding="same")
        self.conv3 = nn.Conv2d(32, channels, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3(self.conv2(self.conv1(x).relu()).relu())


class SRCNN955(SRCNN):
    def __init__(self, channels: int, classes: int) -> None:
        super().__init__(channels, classes, middle=5)


class ESPCN(nn.Module):
    scale = 3

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 64, 5, padding=2)
        self.conv2 = nn.Conv2d(64, 32, 3, padding=1)
        self.conv3 = nn.Conv2d(32, channels * self.scale**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(self.scale)

    def forward(self, x: Tensor) -> Tensor:
        return self.shuffle(self.conv3(self.conv2(self.conv1(x).tanh()).tanh()))


class ESPCN2(ESPCN):
    scale = 2


class ESPCN4(ESPCN):
    scale = 4


ORACLES = {"srcnn": SRCNN, "srcnn_955": SRCNN955, "espcn": ESPCN, "espcn_x2": ESPCN2, "espcn_x4": ESPCN4}


@pytest.mark.parametrize(("name", "weights", "parameters"), [("srcnn", 8_032, 8_129), ("srcnn_955", 57_184, 57_281)])
def test_the_paper_counts_weights_without_biases(name: str, weights: int, parameters: int) -> None:
    graph = zoo.build(name)
    assert sum(entry.count for key, entry in graph.parameters() if key.endswith("weight")) == weights
    assert graph.parameter_count == parameters


def test_espcn_by_hand() -> None:
    for name, scale in (("espcn_x2", 2), ("espcn_x3", 3), ("espcn_x4", 4)):
        graph = zoo.build(name)
        assert graph.parameter_count == 64 * 26 + 32 * (64 * 9 + 1) + scale**2 * (32 * 9 + 1)
        assert graph.output_shape == (1, 17 * scale, 17 * scale)
    assert zoo.build("espcn").parameter_count == 22_729
    # In one or three dimensions a block of pixels is r or r³ channels.
    assert zoo.build("espcn", (2, 10)).output_shape == (2, 30)
    assert zoo.build("espcn_x2", (1, 4, 5, 6)).output_shape == (1, 8, 10, 12)


@pytest.mark.parametrize("name", ORACLES)
def test_tensors_have_the_names_and_order_of_a_plain_module(name: str) -> None:
    assert_same_structure(name, ORACLES[name])


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("input", [(1, 17, 17), (3, 11, 8), (2, 1, 1)])
def test_outputs_are_those_of_a_plain_module(name: str, input: tuple[int, ...]) -> None:
    assert_same_outputs(name, ORACLES[name], input, None)


def test_which_networks_have_no_classes() -> None:
    mine = {*ORACLES, "conv_autoencoder", "dcgan_generator", "dcgan_discriminator"}
    assert mine <= set(WITHOUT_CLASSES)


@pytest.mark.parametrize("name", WITHOUT_CLASSES)
def test_classes_without_effect_are_refused(name: str) -> None:
    assert zoo.build(name).classes is None
    with pytest.raises(SourceError, match="classes=5 has no effect") as caught:
        zoo.build(name, classes=5)
    assert caught.value.where == name
    assert caught.value.write == f"{name} without classes"
