"""MobileNet v3 against a plain PyTorch version, structured as torchvision's."""

from __future__ import annotations

from functools import partial

import pytest
from torch import Tensor, nn

from striate import zoo
from striate.analysis import inspect
from zoo_networks.comparison import assert_equal, assert_equal_outputs

Norm = partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)

LARGE = """
16 3 16 16 - RE 1
16 3 64 24 - RE 2
24 3 72 24 - RE 1
24 5 72 40 SE RE 2
40 5 120 40 SE RE 1
40 5 120 40 SE RE 1
40 3 240 80 - HS 2
80 3 200 80 - HS 1
80 3 184 80 - HS 1
80 3 184 80 - HS 1
80 3 480 112 SE HS 1
112 3 672 112 SE HS 1
112 5 672 160 SE HS 2
160 5 960 160 SE HS 1
160 5 960 160 SE HS 1
"""
SMALL = """
16 3 16 16 SE RE 2
16 3 72 24 - RE 2
24 3 88 24 - RE 1
24 5 96 40 SE HS 2
40 5 240 40 SE HS 1
40 5 240 40 SE HS 1
40 5 120 48 SE HS 1
48 5 144 48 SE HS 1
48 5 288 96 SE HS 2
96 5 576 96 SE HS 1
96 5 576 96 SE HS 1
"""
#: torchvision's squeeze channels, by expanded channels.
SQUEEZED = {16: 8, 72: 24, 96: 24, 120: 32, 144: 40, 240: 64, 288: 72, 480: 120, 576: 144, 672: 168, 960: 240}


def conv_bn(
    inputs: int, outputs: int, kernel: int, stride: int, groups: int, act: type[nn.Module] | None
) -> nn.Sequential:
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False), Norm(outputs)]
    return nn.Sequential(*layers, *([act()] if act else []))


class SqueezeExcitation(nn.Module):
    def __init__(self, channels: int, squeeze: int) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, squeeze, 1)
        self.fc2 = nn.Conv2d(squeeze, channels, 1)
        self.activation = nn.ReLU()
        self.scale_activation = nn.Hardsigmoid()

    def forward(self, x: Tensor) -> Tensor:
        return self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(x))))) * x


class InvertedResidual(nn.Module):
    def __init__(self, row: str) -> None:
        super().__init__()
        inputs, kernel, hidden, outputs, stride = (int(row.split()[i]) for i in (0, 1, 2, 3, 6))
        act = nn.Hardswish if "HS" in row else nn.ReLU
        layers: list[nn.Module] = []
        if hidden != inputs:
            layers.append(conv_bn(inputs, hidden, 1, 1, 1, act))
        layers.append(conv_bn(hidden, hidden, kernel, stride, hidden, act))
        if "SE" in row:
            layers.append(SqueezeExcitation(hidden, SQUEEZED[hidden]))
        layers.append(conv_bn(hidden, outputs, 1, 1, 1, None))
        self.block = nn.Sequential(*layers)
        self.use_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x) + x if self.use_shortcut else self.block(x)


class MobileNetV3(nn.Module):
    def __init__(self, table: str, hidden: int, last: int, channels: int = 3, classes: int = 1000) -> None:
        super().__init__()
        rows = table.strip().splitlines()
        self.features = nn.Sequential(
            conv_bn(channels, 16, 3, 2, 1, nn.Hardswish),
            *(InvertedResidual(row) for row in rows),
            conv_bn(int(rows[-1].split()[3]), hidden, 1, 1, 1, nn.Hardswish),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(hidden, last), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(last, classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


Large = partial(MobileNetV3, LARGE, 960, 1280)
Small = partial(MobileNetV3, SMALL, 576, 1024)


@pytest.mark.parametrize(("size", "parameters", "macs"), [("large", 5_483_032, 0.217), ("small", 2_542_856, 0.057)])
def test_the_published_numbers(size: str, parameters: int, macs: float) -> None:
    report = inspect(zoo.build(f"mobilenet_v3_{size}"))
    assert report.parameters == zoo.find(f"mobilenet_v3_{size}").published == parameters
    assert round(report.macs / 1e9, 3) == macs  # as torchvision states them


def test_the_large_one_equals_the_plain_version() -> None:
    assert_equal(zoo.build("mobilenet_v3_large", (3, 64, 64)), Large())


def test_the_small_one_equals_the_plain_version() -> None:
    assert_equal(zoo.build("mobilenet_v3_small", (3, 64, 64)), Small())


@pytest.mark.parametrize("shape", [(1, 50, 33), (4, 7, 5)])
def test_other_images_and_classes(shape: tuple[int, ...]) -> None:
    assert_equal_outputs(zoo.build("mobilenet_v3_small", shape, 5), Small(shape[0], 5))


def test_batch_norm_has_torchvisions_attributes() -> None:
    graph = zoo.build("mobilenet_v3_large")
    norms = [node.layer for node in graph.nodes if node.layer.kind == "batchnorm"]
    assert {(norm.epsilon, norm.momentum) for norm in norms} == {(0.001, 0.01)}  # type: ignore[attr-defined]
