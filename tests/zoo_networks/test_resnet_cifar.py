"""The ResNets for CIFAR, WRN-28-10 among them: counts, and the outputs of a plain module."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from striate import zoo
from striate.analysis import inspect
from zoo_networks.matching import assert_same_outputs, assert_same_structure


class ZeroPadded(nn.Module):
    """Option A as an average over single pixels, and zeros joined to it."""

    def forward(self, x: Tensor) -> Tensor:
        x = functional.avg_pool2d(x, 1, 2)
        return torch.cat([x, torch.zeros_like(x)], 1)


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, option: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential()
        if stride != 1 and option == "A":
            self.downsample = ZeroPadded()
        elif stride != 1:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class ResNet(nn.Module):
    def __init__(self, channels: int, classes: int, *, n: int, option: str = "B") -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*[Block(16, 16, 1, option) for _ in range(n)])
        self.layer2 = nn.Sequential(*[Block(16 if i == 0 else 32, 32, 2 if i == 0 else 1, option) for i in range(n)])
        self.layer3 = nn.Sequential(*[Block(32 if i == 0 else 64, 64, 2 if i == 0 else 1, option) for i in range(n)])
        self.fc = nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.bn1(self.conv1(x)))
        return self.fc(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


class WideBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        active = functional.relu(self.bn1(x))
        y = self.conv2(functional.relu(self.bn2(self.conv1(active))))
        return y + (x if self.shortcut is None else self.shortcut(active))


class WideResNet(nn.Module):
    def __init__(self, channels: int, classes: int, *, depth: int = 28, widen: int = 10) -> None:
        super().__init__()
        n = (depth - 4) // 6
        widths = [16, 16 * widen, 32 * widen, 64 * widen]
        self.conv1 = nn.Conv2d(channels, 16, 3, 1, 1, bias=False)
        groups = [
            nn.Sequential(
                *[
                    WideBlock(widths[g] if i == 0 else widths[g + 1], widths[g + 1], s if i == 0 else 1)
                    for i in range(n)
                ]
            )
            for g, s in enumerate((1, 2, 2))
        ]
        self.conv2, self.conv3, self.conv4 = groups
        self.bn = nn.BatchNorm2d(widths[3])
        self.fc = nn.Linear(widths[3], classes)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.bn(self.conv4(self.conv3(self.conv2(self.conv1(x))))))
        return self.fc(torch.flatten(functional.adaptive_avg_pool2d(x, 1), 1))


def test_published_numbers_of_parameters() -> None:
    # Table 6 of the paper, with shortcuts that have none: 0.27 and 0.85 million.
    assert zoo.build("resnet20_a").parameter_count == 269_722
    assert zoo.build("resnet56_a").parameter_count == 853_018
    shortcuts = 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64
    assert zoo.build("resnet20").parameter_count == 272_474 == 269_722 + shortcuts
    assert zoo.build("resnet56").parameter_count == 855_770 == 853_018 + shortcuts
    assert zoo.build("wrn_28_10").parameter_count == 36_479_194
    assert zoo.build("wrn_28_10", classes=100).parameter_count == 36_536_884
    for name in ("resnet20", "resnet56", "resnet20_a", "resnet56_a", "wrn_28_10"):
        entry = zoo.find(name)
        assert entry is not None
        assert entry.published == entry.build().parameter_count


def test_macs_by_hand() -> None:
    # 6n convolutions on maps whose size times width is the same, two shortcuts, and the ends.
    convolution = 32 * 32 * 9 * 16 * 16
    halved = convolution // 2
    shortcuts = 16 * 16 * 16 * 32 + 8 * 8 * 32 * 64
    ends = 32 * 32 * 9 * 3 * 16 + 640
    assert inspect(zoo.build("resnet20")).macs == 16 * convolution + 2 * halved + shortcuts + ends == 40_813_184
    assert inspect(zoo.build("resnet20_a")).macs == 40_813_184 - shortcuts


@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("resnet20", partial(ResNet, n=3)),
        ("resnet56", partial(ResNet, n=9)),
        ("resnet20_a", partial(ResNet, n=3, option="A")),
        ("resnet56_a", partial(ResNet, n=9, option="A")),
        ("wrn_28_10", WideResNet),
    ],
)
def test_tensors_have_the_names_and_order_of_a_plain_module(name: str, oracle: type[nn.Module]) -> None:
    assert_same_structure(name, oracle)


@pytest.mark.parametrize(
    ("name", "n", "input", "classes"),
    [("resnet20", 3, (3, 32, 32), 10), ("resnet20", 3, (1, 19, 30), 5), ("resnet56", 9, (3, 17, 24), 100)],
)
def test_outputs_are_those_of_a_plain_module(name: str, n: int, input: tuple[int, ...], classes: int) -> None:
    assert_same_outputs(name, partial(ResNet, n=n), input, classes)


@pytest.mark.parametrize(("input", "classes"), [((3, 32, 32), 10), ((1, 19, 30), 5), ((2, 7, 8), 3)])
def test_outputs_with_shortcuts_without_parameters(input: tuple[int, ...], classes: int) -> None:
    assert_same_outputs("resnet20_a", partial(ResNet, n=3, option="A"), input, classes)


def test_outputs_of_wrn_28_10() -> None:
    assert_same_outputs("wrn_28_10", WideResNet, (3, 12, 9), 10)


def test_every_size_and_number_of_axes_fits() -> None:
    assert zoo.build("resnet20", (1, 1, 1), 2).shapes["layer3.2.add"] == (64, 1, 1)
    assert zoo.build("wrn_28_10", (2, 40), 2).shapes["conv4.3.add"] == (640, 10)
