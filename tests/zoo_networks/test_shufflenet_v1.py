"""ShuffleNet v1 against a plain PyTorch version, structured as its authors'."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate import zoo
from striate.analysis import inspect
from zoo_networks.comparison import assert_equal, assert_equal_outputs


def pointwise(inputs: int, outputs: int, groups: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 1, groups=groups, bias=False), nn.BatchNorm2d(outputs)]


class Unit(nn.Module):
    """Figure 2 (b) and (c), with the shuffle where the authors' release has it."""

    def __init__(self, inputs: int, outputs: int, groups: int, joined: int) -> None:
        super().__init__()
        hidden, stride = outputs // 4, 2 if joined else 1
        depthwise = nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False)
        self.branch_main_1 = nn.Sequential(
            *pointwise(inputs, hidden, groups), nn.ReLU(), depthwise, nn.BatchNorm2d(hidden)
        )
        self.branch_main_2 = nn.Sequential(*pointwise(hidden, outputs - joined, 3))
        self.joined = joined

    def forward(self, x: Tensor) -> Tensor:
        y = self.branch_main_1(x)
        # Every third channel, from the first, from the second, from the third.
        y = self.branch_main_2(torch.cat([y[:, first::3] for first in range(3)], dim=1))
        if self.joined:
            return torch.cat([F.avg_pool2d(x, 3, 2, 1), F.relu(y)], dim=1)
        return F.relu(x + y)


class ShuffleNetV1(nn.Module):
    def __init__(self, channels: int = 3, classes: int = 1000) -> None:
        super().__init__()
        self.first_conv = nn.Sequential(nn.Conv2d(channels, 24, 3, 2, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU())
        stages = [[Unit(24, 240, 1, 24)], [Unit(240, 480, 3, 240)], [Unit(480, 960, 3, 480)]]
        for stage, (width, repeats) in zip(stages, [(240, 3), (480, 7), (960, 3)], strict=True):
            stage += [Unit(width, width, 3, 0) for _ in range(repeats)]
        self.features = nn.Sequential(*stages[0], *stages[1], *stages[2])
        self.classifier = nn.Sequential(nn.Linear(960, classes, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(F.max_pool2d(self.first_conv(x), 3, 2, 1))
        return self.classifier(x.mean((2, 3)))


def test_the_published_numbers() -> None:
    report = inspect(zoo.build("shufflenet"))
    assert round(report.macs / 1e6) == 137  # table 1
    shapes = zoo.build("shufflenet_v1").shapes
    rows = ("first_conv.2", "maxpool", "features.3.relu", "features.11.relu", "globalpool")
    assert [shapes[row] for row in rows] == [(24, 112, 112), (24, 56, 56), (240, 28, 28), (480, 14, 14), (960,)]


def test_it_equals_the_plain_version() -> None:
    assert_equal(zoo.build("shufflenet_v1", (3, 64, 64)), ShuffleNetV1())


@pytest.mark.parametrize("shape", [(1, 50, 33), (4, 7, 5)])
def test_other_images_and_classes(shape: tuple[int, ...]) -> None:
    assert_equal_outputs(zoo.build("shufflenet_v1", shape, 5), ShuffleNetV1(shape[0], 5))
