"""ResNet, ResNeXt and Wide ResNet: published counts, torchvision's names, and the outputs of a plain module."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from striate import zoo
from striate.analysis import inspect
from zoo_networks.matching import assert_same_outputs, assert_same_structure

PUBLISHED = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "resnext50_32x4d": 25_028_904,
    "resnext101_32x8d": 88_791_336,
    "wide_resnet50_2": 68_883_240,
    "wide_resnet101_2": 126_886_696,
}


class Basic(nn.Module):
    expansion = 1

    def __init__(self, inplanes: int, planes: int, stride: int, groups: int, base_width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample(inplanes, planes, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, inplanes: int, planes: int, stride: int, groups: int, base_width: int) -> None:
        super().__init__()
        width = int(planes * (base_width / 64.0)) * groups
        self.conv1 = nn.Conv2d(inplanes, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, planes * 4, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * 4)
        self.relu = nn.ReLU()
        self.downsample = downsample(inplanes, planes * 4, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


def downsample(inplanes: int, outplanes: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and inplanes == outplanes:
        return None
    return nn.Sequential(nn.Conv2d(inplanes, outplanes, 1, stride, bias=False), nn.BatchNorm2d(outplanes))


class ResNet(nn.Module):
    def __init__(
        self,
        channels: int,
        classes: int,
        *,
        block: type[Basic] | type[Bottleneck],
        layers: tuple[int, int, int, int],
        groups: int = 1,
        base_width: int = 64,
    ) -> None:
        super().__init__()
        self.inplanes = 64
        self.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        make = partial(self.make_layer, block, groups, base_width)
        self.layer1 = make(64, layers[0], 1)
        self.layer2 = make(128, layers[1], 2)
        self.layer3 = make(256, layers[2], 2)
        self.layer4 = make(512, layers[3], 2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, classes)

    def make_layer(
        self, block: type[Basic] | type[Bottleneck], groups: int, base_width: int, planes: int, blocks: int, stride: int
    ) -> nn.Sequential:
        layers = []
        for index in range(blocks):
            layers.append(block(self.inplanes, planes, stride if index == 0 else 1, groups, base_width))
            self.inplanes = planes * block.expansion
        return nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


ORACLES = {
    "resnet18": partial(ResNet, block=Basic, layers=(2, 2, 2, 2)),
    "resnet34": partial(ResNet, block=Basic, layers=(3, 4, 6, 3)),
    "resnet50": partial(ResNet, block=Bottleneck, layers=(3, 4, 6, 3)),
    "resnet101": partial(ResNet, block=Bottleneck, layers=(3, 4, 23, 3)),
    "resnet152": partial(ResNet, block=Bottleneck, layers=(3, 8, 36, 3)),
    "resnext50_32x4d": partial(ResNet, block=Bottleneck, layers=(3, 4, 6, 3), groups=32, base_width=4),
    "resnext101_32x8d": partial(ResNet, block=Bottleneck, layers=(3, 4, 23, 3), groups=32, base_width=8),
    "wide_resnet50_2": partial(ResNet, block=Bottleneck, layers=(3, 4, 6, 3), base_width=128),
    "wide_resnet101_2": partial(ResNet, block=Bottleneck, layers=(3, 4, 23, 3), base_width=128),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_number_of_parameters(name: str) -> None:
    entry = zoo.find(name)
    assert entry is not None
    assert entry.build().parameter_count == entry.published == PUBLISHED[name]


def test_published_macs() -> None:
    # torchvision's tables say 1.81, 4.09 and 4.23 GFLOPS, meaning multiply-adds.
    assert inspect(zoo.build("resnet18")).macs == 1_814_073_344
    assert inspect(zoo.build("resnet50")).macs == 4_089_184_256
    assert round(inspect(zoo.build("resnext50_32x4d")).macs / 1e9, 2) == 4.23


@pytest.mark.parametrize("name", PUBLISHED)
def test_tensors_are_called_as_in_torchvision(name: str) -> None:
    assert_same_structure(name, ORACLES[name])


@pytest.mark.parametrize(
    ("name", "input", "classes"),
    [
        ("resnet18", (3, 96, 96), 1000),
        ("resnet18", (1, 45, 70), 5),
        ("resnet50", (3, 64, 64), 10),
        ("resnet50", (2, 33, 58), 3),
        ("resnext50_32x4d", (3, 51, 40), 7),
        ("wide_resnet50_2", (1, 40, 33), 2),
    ],
)
def test_outputs_are_those_of_a_plain_module(name: str, input: tuple[int, ...], classes: int) -> None:
    assert_same_outputs(name, ORACLES[name], input, classes)


def test_every_size_and_number_of_axes_fits() -> None:
    assert zoo.build("resnet18", (1, 1, 1), 2).shapes["layer4.1.add"] == (512, 1, 1)
    assert zoo.build("resnet18", (2, 400), 2).shapes["layer4.1.add"] == (512, 13)
    assert zoo.build("resnet50", (1, 32, 64, 64), 2).shapes["layer4.2.add"] == (2048, 1, 2, 2)


def test_nodes_are_named_after_their_place() -> None:
    names = [node.name for node in zoo.build("resnet18").nodes]
    assert names[:6] == ["input", "conv1", "bn1", "relu", "maxpool", "layer1.0.conv1"]
    start = names.index("layer2.0.conv1")
    ends = ("conv1", "bn1", "relu1", "conv2", "bn2", "downsample.0", "downsample.1", "add", "relu2")
    assert names[start : start + 9] == [f"layer2.0.{end}" for end in ends]
    assert names[-2:] == ["avgpool", "fc"]
