"""ShuffleNet v2 against a plain PyTorch version, structured as torchvision's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from striate import zoo
from striate.analysis import inspect
from zoo_networks.comparison import assert_equal, assert_equal_outputs, assert_equal_state

WIDTHS = {
    "0_5": (48, 96, 192, 1024),
    "1_0": (116, 232, 464, 1024),
    "1_5": (176, 352, 704, 1024),
    "2_0": (244, 488, 976, 2048),
}


def channel_shuffle(x: Tensor) -> Tensor:
    """The first of one half, the first of the other, the second of one half, and so on."""
    return torch.stack(x.chunk(2, dim=1), dim=2).flatten(1, 2)


def depthwise(channels: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(channels, channels, 3, stride, 1, bias=False, groups=channels),
        nn.BatchNorm2d(channels),
    ]


def pointwise(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


class InvertedResidual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        half = outputs // 2
        self.branch1 = nn.Sequential(*(depthwise(inputs, stride) + pointwise(inputs, half) if stride > 1 else []))
        self.branch2 = nn.Sequential(
            *pointwise(inputs if stride > 1 else half, half), *depthwise(half, stride), *pointwise(half, half)
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 1:
            x1, x2 = x.chunk(2, dim=1)
            out = torch.cat((x1, self.branch2(x2)), dim=1)
        else:
            out = torch.cat((self.branch1(x), self.branch2(x)), dim=1)
        return channel_shuffle(out)


class ShuffleNetV2(nn.Module):
    def __init__(self, widths: tuple[int, ...], channels: int = 3, classes: int = 1000) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(channels, 24, 3, 2, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU())
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = 24
        for name, repeats, outputs in zip(["stage2", "stage3", "stage4"], [4, 8, 4], widths[:3], strict=True):
            units = [InvertedResidual(inputs, outputs, 2)]
            units += [InvertedResidual(outputs, outputs, 1) for _ in range(repeats - 1)]
            setattr(self, name, nn.Sequential(*units))
            inputs = outputs
        self.conv5 = nn.Sequential(*pointwise(inputs, widths[3]))
        self.fc = nn.Linear(widths[3], classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.conv1(x))
        x = self.conv5(self.stage4(self.stage3(self.stage2(x))))
        return self.fc(x.mean([2, 3]))


@pytest.mark.parametrize(
    ("scale", "parameters", "macs"),
    [
        ("0_5", 1_366_792, 0.04),
        ("1_0", 2_278_604, 0.145),
        ("1_5", 3_503_624, 0.296),
        ("2_0", 7_393_996, 0.583),
    ],
)
def test_the_published_numbers(scale: str, parameters: int, macs: float) -> None:
    report = inspect(zoo.build(f"shufflenet_v2_x{scale}"))
    assert report.parameters == zoo.find(f"shufflenet_v2_x{scale}").published == parameters
    assert round(report.macs / 1e9, 3) == macs  # as torchvision states them


@pytest.mark.parametrize("scale", WIDTHS)
def test_names_and_shapes_are_those_of_the_plain_version(scale: str) -> None:
    with torch.device("meta"):
        assert_equal_state(zoo.build(f"shufflenet_v2_x{scale}"), ShuffleNetV2(WIDTHS[scale]))


def test_it_equals_the_plain_version() -> None:
    assert_equal(zoo.build("shufflenet_v2_x1_0", (3, 64, 64)), ShuffleNetV2(WIDTHS["1_0"]))


@pytest.mark.parametrize("shape", [(1, 50, 33), (4, 7, 5)])
def test_other_images_and_classes(shape: tuple[int, ...]) -> None:
    assert_equal_outputs(zoo.build("shufflenet_v2_x0_5", shape, 5), ShuffleNetV2(WIDTHS["0_5"], shape[0], 5))
