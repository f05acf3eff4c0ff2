"""Network in Network: counts by hand, and the outputs of a plain module."""

from __future__ import annotations

import pytest
from torch import Tensor, nn

from striate import zoo
from striate.errors import ShapeError
from zoo_networks.matching import assert_same_outputs, assert_same_structure


class Cifar(nn.Module):
    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 192, 5, padding=2)
        self.cccp1 = nn.Conv2d(192, 160, 1)
        self.cccp2 = nn.Conv2d(160, 96, 1)
        self.drop1 = nn.Dropout(0.5)
        self.conv2 = nn.Conv2d(96, 192, 5, padding=2)
        self.cccp3 = nn.Conv2d(192, 192, 1)
        self.cccp4 = nn.Conv2d(192, 192, 1)
        self.drop2 = nn.Dropout(0.5)
        self.conv3 = nn.Conv2d(192, 192, 3, padding=1)
        self.cccp5 = nn.Conv2d(192, 192, 1)
        self.cccp6 = nn.Conv2d(192, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        for layer in (self.conv1, self.cccp1, self.cccp2):
            x = layer(x).relu()
        x = self.drop1(nn.MaxPool2d(3, 2, ceil_mode=True)(x))
        for layer in (self.conv2, self.cccp3, self.cccp4):
            x = layer(x).relu()
        x = self.drop2(nn.AvgPool2d(3, 2, ceil_mode=True)(x))
        for layer in (self.conv3, self.cccp5, self.cccp6):
            x = layer(x).relu()
        return x.mean((2, 3))


class ImageNet(nn.Module):
    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 96, 11, 4)
        self.cccp1 = nn.Conv2d(96, 96, 1)
        self.cccp2 = nn.Conv2d(96, 96, 1)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2)
        self.cccp3 = nn.Conv2d(256, 256, 1)
        self.cccp4 = nn.Conv2d(256, 256, 1)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.cccp5 = nn.Conv2d(384, 384, 1)
        self.cccp6 = nn.Conv2d(384, 384, 1)
        self.drop = nn.Dropout(0.5)
        self.conv4 = nn.Conv2d(384, 1024, 3, padding=1)
        self.cccp7 = nn.Conv2d(1024, 1024, 1)
        self.cccp8 = nn.Conv2d(1024, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        stages = ((self.conv1, self.cccp1, self.cccp2), (self.conv2, self.cccp3, self.cccp4))
        for stage in (*stages, (self.conv3, self.cccp5, self.cccp6)):
            for layer in stage:
                x = layer(x).relu()
            x = pool(x)
        x = self.drop(x)
        for layer in (self.conv4, self.cccp7, self.cccp8):
            x = layer(x).relu()
        return x.mean((2, 3))


def test_numbers_of_parameters_by_hand() -> None:
    def conv(inputs: int, outputs: int, kernel: int) -> int:
        return outputs * (inputs * kernel * kernel + 1)

    small = conv(3, 192, 5) + conv(192, 160, 1) + conv(160, 96, 1) + conv(96, 192, 5) + 3 * conv(192, 192, 1)
    small += conv(192, 192, 3) + conv(192, 10, 1)
    assert zoo.build("nin_cifar").parameter_count == small == 966_986
    large = conv(3, 96, 11) + 2 * conv(96, 96, 1) + conv(96, 256, 5) + 2 * conv(256, 256, 1) + conv(256, 384, 3)
    large += 2 * conv(384, 384, 1) + conv(384, 1024, 3) + conv(1024, 1024, 1) + conv(1024, 1000, 1)
    assert zoo.build("nin").parameter_count == large == 7_595_176
    # The authors' file of weights: 29 MiB of float32.
    assert round(4 * large / 2**20) == 29


def test_the_last_map_at_the_authors_size_is_their_pooling_window() -> None:
    assert zoo.build("nin").shapes["cccp8"] == (1000, 6, 6)
    assert zoo.build("nin_cifar").shapes["cccp6"] == (10, 8, 8)


def test_tensors_have_the_names_and_order_of_a_plain_module() -> None:
    assert_same_structure("nin", ImageNet)
    assert_same_structure("nin_cifar", Cifar)


@pytest.mark.parametrize(
    ("name", "oracle", "input", "classes"),
    [
        ("nin", ImageNet, (3, 67, 83), 1000),
        ("nin", ImageNet, (1, 120, 71), 5),
        ("nin_cifar", Cifar, (3, 32, 32), 10),
        ("nin_cifar", Cifar, (1, 17, 22), 5),
    ],
)
def test_outputs_are_those_of_a_plain_module(
    name: str, oracle: type[nn.Module], input: tuple[int, ...], classes: int
) -> None:
    assert_same_outputs(name, oracle, input, classes)


@pytest.mark.parametrize(("name", "smallest"), [("nin", 39), ("nin_cifar", 4)])
def test_images_must_reach_the_last_layer(name: str, smallest: int) -> None:
    assert zoo.build(name, (1, smallest, smallest), 5).output_shape == (5,)
    with pytest.raises(ShapeError, match=f"{name}, node .*: the window of [a-z]+ is larger") as caught:
        zoo.build(name, (1, smallest - 1, 300), 5)
    assert caught.value.write == f"input=(1, {smallest}, 300)"
