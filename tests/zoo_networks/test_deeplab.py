"""DeepLab v3 and v3+ against plain PyTorch versions, structured as torchvision's and as the common port's."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate import zoo
from striate.analysis import inspect
from zoo_networks.comparison import assert_equal_outputs, assert_equal_state


class Bottleneck(nn.Module):
    def __init__(self, inputs: int, width: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=dilation, dilation=dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        if stride != 1 or inputs != 4 * width:
            shortcut = nn.Conv2d(inputs, 4 * width, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(4 * width))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


def layer(inputs: int, width: int, blocks: int, stride: int, dilations: tuple[int, int] = (1, 1)) -> nn.Sequential:
    first = Bottleneck(inputs, width, stride, dilations[0])
    return nn.Sequential(first, *(Bottleneck(4 * width, width, 1, dilations[1]) for _ in range(blocks - 1)))


class Backbone(nn.Module):
    def __init__(self, channels: int, blocks: tuple[int, ...], output_stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = layer(64, 64, blocks[0], 1)
        self.layer2 = layer(256, 128, blocks[1], 2)
        if output_stride == 8:
            self.layer3 = layer(512, 256, blocks[2], 1, (1, 2))
            self.layer4 = layer(1024, 512, blocks[3], 1, (2, 4))
        else:
            self.layer3 = layer(512, 256, blocks[2], 2)
            self.layer4 = layer(1024, 512, blocks[3], 1, (1, 2))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        low = self.layer1(x)
        return low, self.layer4(self.layer3(self.layer2(low)))


def conv_bn(inputs: int, outputs: int, kernel: int, rate: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=rate * (kernel // 2), dilation=rate, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


class ASPPPooling(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.AdaptiveAvgPool2d(1), *conv_bn(2048, 256, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(super().forward(x), size=x.shape[-2:], mode="bilinear", align_corners=False)


class ASPP(nn.Module):
    def __init__(self, rates: tuple[int, ...]) -> None:
        super().__init__()
        branches = [nn.Sequential(*conv_bn(2048, 256, 1))]
        branches += [nn.Sequential(*conv_bn(2048, 256, 3, rate)) for rate in rates]
        self.convs = nn.ModuleList([*branches, ASPPPooling()])
        self.project = nn.Sequential(*conv_bn(5 * 256, 256, 1), nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        return self.project(torch.cat([conv(x) for conv in self.convs], dim=1))


class DeepLabV3(nn.Module):
    def __init__(self, blocks: tuple[int, ...], channels: int = 3, classes: int = 21) -> None:
        super().__init__()
        self.backbone = Backbone(channels, blocks, 8)
        self.classifier = nn.Sequential(
            ASPP((12, 24, 36)),
            nn.Conv2d(256, 256, 3, padding=1, bias=False),
            nn.BatchNorm2d(256),
            nn.ReLU(),
            nn.Conv2d(256, classes, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.classifier(self.backbone(x)[1])
        return F.interpolate(y, size=x.shape[-2:], mode="bilinear", align_corners=False)


class Decoder(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.project = nn.Sequential(*conv_bn(256, 48, 1))
        self.aspp = ASPP((6, 12, 18))
        self.classifier = nn.Sequential(*conv_bn(256 + 48, 256, 3), *conv_bn(256, 256, 3), nn.Conv2d(256, classes, 1))

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        low, high = self.project(low), self.aspp(high)
        high = F.interpolate(high, size=low.shape[-2:], mode="bilinear", align_corners=False)
        return self.classifier(torch.cat([low, high], dim=1))


class DeepLabV3Plus(nn.Module):
    def __init__(self, blocks: tuple[int, ...], channels: int = 3, classes: int = 21) -> None:
        super().__init__()
        self.backbone = Backbone(channels, blocks, 16)
        self.classifier = Decoder(classes)

    def forward(self, x: Tensor) -> Tensor:
        y = self.classifier(*self.backbone(x))
        return F.interpolate(y, size=x.shape[-2:], mode="bilinear", align_corners=False)


RESNET50, RESNET101 = (3, 4, 6, 3), (3, 4, 23, 3)
#: torchvision states these with its auxiliary head: 3×3 convolution, batch norm, scores.
AUXILIARY = 9 * 1024 * 256 + 2 * 256 + 257 * 21


@pytest.mark.parametrize(
    ("name", "parameters", "macs"),
    [("deeplabv3_resnet50", 42_004_074, 178.722), ("deeplabv3_resnet101", 60_996_202, 258.743)],
)
def test_the_published_numbers(name: str, parameters: int, macs: float) -> None:
    report = inspect(zoo.build(name, (3, 520, 520)))
    assert report.parameters == zoo.find(name).published == parameters - AUXILIARY
    assert report.output == (21, 520, 520)
    # torchvision states billions at 520×520, where the auxiliary head works on 65×65.
    assert round((report.macs + 65 * 65 * (9 * 1024 * 256 + 256 * 21)) / 1e9, 3) == macs


@pytest.mark.parametrize(
    ("name", "version", "blocks"),
    [
        ("deeplab_v3", DeepLabV3, RESNET50),
        ("deeplab_v3_resnet101", DeepLabV3, RESNET101),
        ("deeplab_v3_plus", DeepLabV3Plus, RESNET101),
        ("deeplab_v3_plus_resnet50", DeepLabV3Plus, RESNET50),
    ],
)
def test_names_and_shapes_are_those_of_the_plain_version(
    name: str, version: type[DeepLabV3 | DeepLabV3Plus], blocks: tuple[int, ...]
) -> None:
    with torch.device("meta"):
        assert_equal_state(zoo.build(name), version(blocks))


# 310 pixels are 39 and 20 at the pyramid: the widest windows read more than their middle.
@pytest.mark.parametrize(("name", "version"), [("deeplab_v3", DeepLabV3), ("deeplab_v3_plus_resnet50", DeepLabV3Plus)])
@pytest.mark.parametrize(("shape", "classes"), [((3, 65, 65), 21), ((1, 9, 310), 5), ((2, 1, 1), 3)])
def test_it_equals_the_plain_version(
    name: str, version: type[DeepLabV3 | DeepLabV3Plus], shape: tuple[int, ...], classes: int
) -> None:
    graph = zoo.build(name, shape, classes)
    assert graph.output_shape == (classes, *shape[1:])
    with torch.device("meta"):
        oracle = version(RESNET50, shape[0], classes)
    assert_equal_outputs(graph, oracle)


def test_the_strides_are_those_of_the_papers() -> None:
    shapes = zoo.build("deeplab_v3").shapes
    assert shapes["backbone.layer4.2.relu3"] == (2048, 65, 65)
    shapes = zoo.build("deeplab_v3_plus").shapes
    assert shapes["backbone.layer4.2.relu3"] == (2048, 33, 33)
    assert shapes["classifier.concat"] == (256 + 48, 129, 129)
