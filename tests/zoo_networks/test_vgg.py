"""VGG: published counts, torchvision's names, and the outputs of a plain module."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from striate import zoo
from striate.analysis import inspect
from striate.errors import ShapeError
from zoo_networks.matching import assert_same_outputs, assert_same_structure

PUBLISHED = {
    "vgg11": 132_863_336,
    "vgg11_bn": 132_868_840,
    "vgg13": 133_047_848,
    "vgg13_bn": 133_053_736,
    "vgg16": 138_357_544,
    "vgg16_bn": 138_365_992,
    "vgg19": 143_667_240,
    "vgg19_bn": 143_678_248,
}

CONFIGURATIONS: dict[str, list[int | str]] = {
    "vgg11": [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "vgg13": [64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "vgg16": [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", *[512, 512, 512, "M"] * 2],
    "vgg19": [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", *[512, 512, 512, 512, "M"] * 2],
}


class VGG(nn.Module):
    def __init__(self, channels: int, classes: int, *, name: str) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for entry in CONFIGURATIONS[name.removesuffix("_bn")]:
            if isinstance(entry, str):
                layers.append(nn.MaxPool2d(2, 2))
                continue
            layers.append(nn.Conv2d(channels, entry, 3, padding=1))
            if name.endswith("_bn"):
                layers.append(nn.BatchNorm2d(entry))
            layers.append(nn.ReLU())
            channels = entry
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(4096, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_number_of_parameters(name: str) -> None:
    entry = zoo.find(name)
    assert entry is not None
    assert entry.build().parameter_count == entry.published == PUBLISHED[name]


def test_published_macs() -> None:
    assert inspect(zoo.build("vgg16")).macs == 15_470_264_320


@pytest.mark.parametrize("name", PUBLISHED)
def test_tensors_are_called_as_in_torchvision(name: str) -> None:
    assert_same_structure(name, partial(VGG, name=name))


@pytest.mark.parametrize(("name", "input", "classes"), [("vgg11_bn", (3, 64, 64), 1000), ("vgg16", (1, 39, 70), 5)])
def test_outputs_are_those_of_a_plain_module(name: str, input: tuple[int, ...], classes: int) -> None:
    assert_same_outputs(name, partial(VGG, name=name), input, classes)


def test_images_must_reach_the_last_pooling() -> None:
    assert zoo.build("vgg19_bn", (1, 32, 32), 5).output_shape == (5,)
    with pytest.raises(ShapeError, match=r"vgg16_bn, node 'features\.43': the window of maxpool is larger") as caught:
        zoo.build("vgg16_bn", (3, 31, 64))
    assert caught.value.got == "a window of 2 on 1 pixels, input 512×1×4"
    assert caught.value.needs == (
        "an input of at least 2 along every axis; at least 32 pixels along each axis of the image"
    )
    assert caught.value.write == "input=(3, 32, 64)"


def test_other_numbers_of_axes() -> None:
    assert zoo.build("vgg11", (2, 100), 3).shapes["avgpool"] == (512, 7)
