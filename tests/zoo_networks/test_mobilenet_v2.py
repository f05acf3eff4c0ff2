"""MobileNet v2 against a plain PyTorch version, structured as torchvision's."""

from __future__ import annotations

import pytest
from torch import Tensor, nn

from striate import zoo
from striate.analysis import inspect
from striate.errors import LayerError
from zoo_networks.comparison import assert_equal, assert_equal_outputs


def conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(),
    )


class InvertedResidual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, expand: int) -> None:
        super().__init__()
        hidden = inputs * expand
        layers: list[nn.Module] = [] if expand == 1 else [conv_bn(inputs, hidden, 1)]
        layers.append(conv_bn(hidden, hidden, 3, stride, hidden))
        layers += [nn.Conv2d(hidden, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
        self.conv = nn.Sequential(*layers)
        self.use_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.use_shortcut else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self, channels: int = 3, classes: int = 1000) -> None:
        super().__init__()
        features: list[nn.Module] = [conv_bn(channels, 32, 3, 2)]
        inputs = 32
        for t, c, n, s in [
            [1, 16, 1, 1],
            [6, 24, 2, 2],
            [6, 32, 3, 2],
            [6, 64, 4, 2],
            [6, 96, 3, 1],
            [6, 160, 3, 2],
            [6, 320, 1, 1],
        ]:
            for i in range(n):
                features.append(InvertedResidual(inputs, c, s if i == 0 else 1, t))
                inputs = c
        features.append(conv_bn(320, 1280, 1))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).mean((2, 3)))


def test_the_published_numbers() -> None:
    report = inspect(zoo.build("MobileNet-v2"))
    assert report.parameters == zoo.find("mobilenet_v2").published == 3_504_872  # torchvision
    assert report.macs == 300_774_272  # the paper's 300 million
    assert report.output == (1000,)


def test_it_equals_the_plain_version() -> None:
    assert_equal(zoo.build("mobilenet_v2", (3, 64, 64)), MobileNetV2())


@pytest.mark.parametrize("shape", [(1, 50, 33), (4, 7, 5)])
def test_other_images_and_classes(shape: tuple[int, ...]) -> None:
    graph = zoo.build("mobilenet_v2", shape, 5)
    assert_equal_outputs(graph, MobileNetV2(shape[0], 5))


def test_one_and_three_dimensions() -> None:
    assert zoo.build("mobilenet_v2", (1, 400), 3).shapes["features.18.2"] == (1280, 13)
    assert zoo.build("mobilenet_v2", (1, 32, 64, 65), 3).shapes["features.18.2"] == (1280, 1, 2, 3)


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(LayerError, match="not the shape of an image"):
        zoo.build("mobilenet_v2", (3,))
