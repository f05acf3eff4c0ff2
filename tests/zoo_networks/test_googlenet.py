"""GoogLeNet: the published count, torchvision's names, and the outputs of a plain module."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from striate import zoo
from striate.errors import ShapeError
from zoo_networks.matching import assert_same_outputs, assert_same_structure


class BasicConv2d(nn.Module):
    def __init__(self, inputs: int, outputs: int, **options: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, bias=False, **options)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    def __init__(self, inputs: int, c1: int, c3r: int, c3: int, c5r: int, c5: int, proj: int) -> None:
        super().__init__()
        self.branch1 = BasicConv2d(inputs, c1, kernel_size=1)
        self.branch2 = nn.Sequential(
            BasicConv2d(inputs, c3r, kernel_size=1), BasicConv2d(c3r, c3, kernel_size=3, padding=1)
        )
        self.branch3 = nn.Sequential(
            BasicConv2d(inputs, c5r, kernel_size=1), BasicConv2d(c5r, c5, kernel_size=3, padding=1)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1, ceil_mode=True), BasicConv2d(inputs, proj, kernel_size=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class GoogLeNet(nn.Module):
    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.conv1 = BasicConv2d(channels, 64, kernel_size=7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = BasicConv2d(64, 64, kernel_size=1)
        self.conv3 = BasicConv2d(64, 192, kernel_size=3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception3a = Inception(192, 64, 96, 128, 16, 32, 32)
        self.inception3b = Inception(256, 128, 128, 192, 32, 96, 64)
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64)
        self.inception4b = Inception(512, 160, 112, 224, 24, 64, 64)
        self.inception4c = Inception(512, 128, 128, 256, 24, 64, 64)
        self.inception4d = Inception(512, 112, 144, 288, 32, 64, 64)
        self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128)
        self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.inception5a = Inception(832, 256, 160, 320, 32, 128, 128)
        self.inception5b = Inception(832, 384, 192, 384, 48, 128, 128)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(1024, classes)

    def forward(self, x: Tensor) -> Tensor:
        # Without the auxiliary heads, the children are called one after the other.
        *layers, fc = self.children()
        for layer in layers:
            x = layer(x)
        return fc(torch.flatten(x, 1))


def test_the_published_number_of_parameters() -> None:
    entry = zoo.find("GoogLeNet")
    assert entry is not None
    assert entry.build().parameter_count == entry.published == 6_624_904


def test_the_channels_of_the_papers_table() -> None:
    shapes = zoo.build("googlenet").shapes
    stages = ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"]
    channels = [shapes[f"inception{stage}.concat"][0] for stage in stages]
    assert channels == [256, 480, 512, 512, 512, 528, 832, 832, 1024]
    assert [shapes[f"inception{stage}.concat"][1] for stage in ("3a", "4a", "5a")] == [28, 14, 7]


def test_tensors_are_called_as_in_torchvision() -> None:
    assert_same_structure("googlenet", GoogLeNet)


@pytest.mark.parametrize(("input", "classes"), [((3, 96, 96), 1000), ((1, 43, 62), 5)])
def test_outputs_are_those_of_a_plain_module(input: tuple[int, ...], classes: int) -> None:
    assert_same_outputs("googlenet", GoogLeNet, input, classes)


def test_images_must_reach_the_last_pooling() -> None:
    assert zoo.build("googlenet", (1, 15, 15), 5).output_shape == (5,)
    with pytest.raises(ShapeError, match=r"node 'maxpool3': the window of maxpool is larger") as caught:
        zoo.build("googlenet", (3, 14, 14))
    assert caught.value.write == "input=(3, 15, 15)"
