"""EfficientNet against a plain PyTorch version, structured as torchvision's."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from striate import zoo
from striate.analysis import inspect
from striate.graph import Graph
from zoo_networks.comparison import assert_equal, assert_equal_outputs, assert_equal_state

#: Channels and layers of each stage: torchvision's models, printed.
CHANNELS = {
    0: (32, 16, 24, 40, 80, 112, 192, 320, 1280),
    1: (32, 16, 24, 40, 80, 112, 192, 320, 1280),
    2: (32, 16, 24, 48, 88, 120, 208, 352, 1408),
    3: (40, 24, 32, 48, 96, 136, 232, 384, 1536),
    4: (48, 24, 32, 56, 112, 160, 272, 448, 1792),
    5: (48, 24, 40, 64, 128, 176, 304, 512, 2048),
    6: (56, 32, 40, 72, 144, 200, 344, 576, 2304),
    7: (64, 32, 48, 80, 160, 224, 384, 640, 2560),
}
LAYERS = {
    0: (1, 2, 2, 3, 3, 4, 1),
    1: (2, 3, 3, 4, 4, 5, 2),
    2: (2, 3, 3, 4, 4, 5, 2),
    3: (2, 3, 3, 5, 5, 6, 2),
    4: (2, 4, 4, 6, 6, 8, 2),
    5: (3, 5, 5, 7, 7, 9, 3),
    6: (3, 6, 6, 8, 8, 11, 3),
    7: (4, 7, 7, 10, 10, 13, 4),
}
KERNELS, STRIDES = (3, 3, 5, 3, 5, 5, 3), (1, 2, 2, 2, 1, 2, 1)


class SqueezeExcitation(nn.Module):
    def __init__(self, channels: int, squeeze: int) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, squeeze, 1)
        self.fc2 = nn.Conv2d(squeeze, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.fc2(nn.functional.silu(self.fc1(self.avgpool(x))))) * x


class MBConv(nn.Module):
    def __init__(self, inputs: int, outputs: int, expand: int, kernel: int, stride: int, conv: partial) -> None:
        super().__init__()
        hidden = inputs * expand
        layers = [conv(inputs, hidden, 1)] if expand > 1 else []
        layers.append(conv(hidden, hidden, kernel, stride, hidden))
        layers.append(SqueezeExcitation(hidden, inputs // 4))
        layers.append(conv(hidden, outputs, 1, act=False))
        self.block = nn.Sequential(*layers)
        self.use_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x) + x if self.use_shortcut else self.block(x)


def conv_bn(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, *, act: bool = True, eps: float
) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs, eps=eps), *([nn.SiLU()] if act else []))


class EfficientNet(nn.Module):
    def __init__(self, number: int, channels: int = 3, classes: int = 1000) -> None:
        super().__init__()
        conv = partial(conv_bn, eps=1e-3 if number >= 5 else 1e-5)
        widths = CHANNELS[number]
        stages = []
        for stage in range(7):
            blocks = []
            for i in range(LAYERS[number][stage]):
                inputs, stride = (widths[stage], STRIDES[stage]) if i == 0 else (widths[stage + 1], 1)
                expand = 1 if stage == 0 else 6
                blocks.append(MBConv(inputs, widths[stage + 1], expand, KERNELS[stage], stride, conv))
            stages.append(nn.Sequential(*blocks))
        self.features = nn.Sequential(conv(channels, widths[0], 3, 2), *stages, conv(widths[7], widths[8], 1))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(widths[8], classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


@pytest.mark.parametrize(
    ("number", "size", "parameters", "macs"),
    [
        (0, 224, 5_288_548, 0.386),
        (1, 240, 7_794_184, 0.687),
        (2, 288, 9_109_994, 1.088),
        (3, 300, 12_233_232, 1.827),
        (4, 380, 19_341_616, 4.394),
        (5, 456, 30_389_784, 10.266),
        (6, 528, 43_040_704, 19.068),
        (7, 600, 66_347_960, 37.746),
    ],
)
def test_the_published_numbers(number: int, size: int, parameters: int, macs: float) -> None:
    report = inspect(zoo.build(f"efficientnet_b{number}"))
    assert report.parameters == zoo.find(f"EfficientNet-B{number}").published == parameters
    assert report.input == (3, size, size)
    assert round(report.macs / 1e9, 3) == macs  # as torchvision states them


@pytest.mark.parametrize("number", range(8))
def test_names_and_shapes_are_those_of_the_plain_version(number: int) -> None:
    with torch.device("meta"):
        assert_equal_state(zoo.build(f"efficientnet_b{number}", (3, 64, 64)), EfficientNet(number))


def test_b0_equals_the_plain_version() -> None:
    assert_equal(zoo.build("efficientnet_b0", (3, 64, 64)), EfficientNet(0))


@pytest.mark.parametrize("shape", [(1, 50, 33), (4, 7, 5)])
def test_other_images_and_classes(shape: tuple[int, ...]) -> None:
    assert_equal_outputs(zoo.build("efficientnet_b0", shape, 5), EfficientNet(0, shape[0], 5))


def test_the_epsilon_of_b5_shows_in_its_outputs() -> None:
    with torch.device("meta"):
        oracle = EfficientNet(5)
    assert_equal_outputs(zoo.build("efficientnet_b5", (3, 33, 33)), oracle)


def attributes(graph: Graph, kind: str, name: str) -> list[float]:
    return [getattr(node.layer, name) for node in graph.nodes if node.layer.kind == kind]


def test_what_only_training_sees_is_torchvisions() -> None:
    b0, b7 = zoo.build("efficientnet_b0"), zoo.build("efficientnet_b7")
    # 16 blocks; those that change the shape cannot be left out.
    kept = [1.0 * block for block in range(16) if block not in (0, 1, 3, 5, 8, 11, 15)]
    assert attributes(b0, "stochasticdepth", "probability") == pytest.approx([0.2 * block / 16 for block in kept])
    assert attributes(b0, "dropout", "probability") == [0.2]
    assert attributes(b7, "dropout", "probability") == [0.5]
    assert set(attributes(b0, "batchnorm", "momentum")) == {0.1}
    assert set(attributes(b7, "batchnorm", "momentum")) == {0.01}
