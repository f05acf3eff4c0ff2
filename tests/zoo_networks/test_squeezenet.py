"""SqueezeNet: published counts, torchvision's names, and the outputs of a plain module."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from striate import zoo
from striate.errors import ShapeError
from zoo_networks.matching import assert_same_outputs, assert_same_structure


class Fire(nn.Module):
    def __init__(self, inputs: int, squeeze: int, expand1x1: int, expand3x3: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, kernel_size=1)
        self.squeeze_activation = nn.ReLU()
        self.expand1x1 = nn.Conv2d(squeeze, expand1x1, kernel_size=1)
        self.expand1x1_activation = nn.ReLU()
        self.expand3x3 = nn.Conv2d(squeeze, expand3x3, kernel_size=3, padding=1)
        self.expand3x3_activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze_activation(self.squeeze(x))
        one = self.expand1x1_activation(self.expand1x1(x))
        return torch.cat([one, self.expand3x3_activation(self.expand3x3(x))], 1)


class SqueezeNet(nn.Module):
    def __init__(self, channels: int, classes: int, *, version: str) -> None:
        super().__init__()
        pool = partial(nn.MaxPool2d, kernel_size=3, stride=2, ceil_mode=True)
        if version == "1_0":
            self.features = nn.Sequential(
                nn.Conv2d(channels, 96, kernel_size=7, stride=2),
                nn.ReLU(),
                pool(),
                Fire(96, 16, 64, 64),
                Fire(128, 16, 64, 64),
                Fire(128, 32, 128, 128),
                pool(),
                Fire(256, 32, 128, 128),
                Fire(256, 48, 192, 192),
                Fire(384, 48, 192, 192),
                Fire(384, 64, 256, 256),
                pool(),
                Fire(512, 64, 256, 256),
            )
        else:
            self.features = nn.Sequential(
                nn.Conv2d(channels, 64, kernel_size=3, stride=2),
                nn.ReLU(),
                pool(),
                Fire(64, 16, 64, 64),
                Fire(128, 16, 64, 64),
                pool(),
                Fire(128, 32, 128, 128),
                Fire(256, 32, 128, 128),
                pool(),
                Fire(256, 48, 192, 192),
                Fire(384, 48, 192, 192),
                Fire(384, 64, 256, 256),
                Fire(512, 64, 256, 256),
            )
        self.classifier = nn.Sequential(
            nn.Dropout(p=0.5), nn.Conv2d(512, classes, kernel_size=1), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 1))
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.flatten(self.classifier(self.features(x)), 1)


@pytest.mark.parametrize(("name", "count"), [("squeezenet1_0", 1_248_424), ("squeezenet1_1", 1_235_496)])
def test_the_published_number_of_parameters(name: str, count: int) -> None:
    entry = zoo.find(name)
    assert entry is not None
    assert entry.build().parameter_count == entry.published == count


@pytest.mark.parametrize("version", ["1_0", "1_1"])
def test_tensors_are_called_as_in_torchvision(version: str) -> None:
    assert_same_structure(f"squeezenet{version}", partial(SqueezeNet, version=version))


@pytest.mark.parametrize(
    ("version", "input", "classes"),
    [("1_0", (3, 96, 96), 1000), ("1_0", (1, 47, 66), 5), ("1_1", (3, 64, 64), 10), ("1_1", (2, 51, 38), 3)],
)
def test_outputs_are_those_of_a_plain_module(version: str, input: tuple[int, ...], classes: int) -> None:
    assert_same_outputs(f"squeezenet{version}", partial(SqueezeNet, version=version), input, classes)


@pytest.mark.parametrize(("name", "smallest"), [("squeezenet1_0", 21), ("squeezenet1_1", 17)])
def test_images_must_reach_the_last_pooling(name: str, smallest: int) -> None:
    assert zoo.build(name, (1, smallest, smallest), 5).output_shape == (5,)
    with pytest.raises(ShapeError, match=f"{name}, node .*: the window of maxpool is larger") as caught:
        zoo.build(name, (3, smallest - 1, 64))
    assert (caught.value.needs or "").endswith(f"at least {smallest} pixels along each axis of the image")
