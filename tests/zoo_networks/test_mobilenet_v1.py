"""MobileNet v1 against a plain PyTorch version, structured as the common port."""

from __future__ import annotations

from itertools import pairwise

import pytest
from torch import Tensor, nn

from striate import zoo
from striate.analysis import inspect
from zoo_networks.comparison import assert_equal, assert_equal_outputs


def layers(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


class MobileNet(nn.Module):
    """Table 1, row by row."""

    def __init__(self, channels: int = 3, classes: int = 1000) -> None:
        super().__init__()
        widths = [32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024]
        strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]
        blocks = [nn.Sequential(*layers(channels, 32, 3, 2))]
        for (inputs, outputs), stride in zip(pairwise(widths), strides, strict=True):
            blocks.append(nn.Sequential(*layers(inputs, inputs, 3, stride, inputs), *layers(inputs, outputs, 1)))
        self.model = nn.Sequential(*blocks)
        self.fc = nn.Linear(1024, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.model(x).mean((2, 3)))


def test_the_published_numbers() -> None:
    report = inspect(zoo.build("MobileNet"))
    assert report.parameters == 4_231_976
    assert round(report.macs / 1e6) == 569  # table 4
    assert zoo.build("mobilenet_v1").shapes["model.13.5"] == (1024, 7, 7)  # table 1


def test_it_equals_the_plain_version() -> None:
    assert_equal(zoo.build("mobilenet_v1", (3, 64, 64)), MobileNet())


@pytest.mark.parametrize("shape", [(1, 50, 33), (4, 7, 5)])
def test_other_images_and_classes(shape: tuple[int, ...]) -> None:
    assert_equal_outputs(zoo.build("mobilenet_v1", shape, 5), MobileNet(shape[0], 5))
