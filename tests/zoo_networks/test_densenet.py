"""DenseNet: the published count, torchvision's names, and the outputs of a plain module that concatenates lists."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from striate import zoo
from striate.analysis import inspect
from striate.errors import ShapeError
from zoo_networks.matching import assert_same_outputs, assert_same_structure


class DenseLayer(nn.Module):
    def __init__(self, inputs: int, growth: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, features: list[Tensor]) -> Tensor:
        y = self.conv1(functional.relu(self.norm1(torch.cat(features, 1))))
        return self.conv2(functional.relu(self.norm2(y)))


class DenseBlock(nn.ModuleDict):
    def __init__(self, layers: int, inputs: int, growth: int) -> None:
        super().__init__()
        for index in range(layers):
            self.add_module(f"denselayer{index + 1}", DenseLayer(inputs + index * growth, growth))

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for layer in self.values():
            features.append(layer(features))
        return torch.cat(features, 1)


class Transition(nn.Sequential):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.pool = nn.AvgPool2d(2, 2)


class DenseNet121(nn.Module):
    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv2d(channels, 64, 7, 2, 3, bias=False))
        self.features.add_module("norm0", nn.BatchNorm2d(64))
        self.features.add_module("relu0", nn.ReLU())
        self.features.add_module("pool0", nn.MaxPool2d(3, 2, 1))
        width = 64
        for index, layers in enumerate((6, 12, 24, 16)):
            self.features.add_module(f"denseblock{index + 1}", DenseBlock(layers, width, 32))
            width += layers * 32
            if index < 3:
                self.features.add_module(f"transition{index + 1}", Transition(width, width // 2))
                width //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(width))
        self.classifier = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.features(x))
        return self.classifier(torch.flatten(functional.adaptive_avg_pool2d(x, (1, 1)), 1))


def test_published_numbers() -> None:
    entry = zoo.find("densenet121")
    assert entry is not None
    graph = entry.build()
    assert graph.parameter_count == entry.published == 7_978_856
    assert inspect(graph).macs == 2_834_161_664
    # The sizes of the paper's table 1.
    assert [graph.shapes[f"features.transition{i}.pool"] for i in (1, 2, 3)] == [
        (128, 28, 28),
        (256, 14, 14),
        (512, 7, 7),
    ]
    assert graph.shapes["features.norm5"] == (1024, 7, 7)


def test_tensors_are_called_as_in_torchvision() -> None:
    assert_same_structure("densenet121", DenseNet121)


@pytest.mark.parametrize(("input", "classes"), [((3, 64, 64), 1000), ((1, 35, 58), 5)])
def test_outputs_are_those_of_a_plain_module(input: tuple[int, ...], classes: int) -> None:
    assert_same_outputs("densenet121", DenseNet121, input, classes)


def test_images_must_reach_the_last_transition() -> None:
    assert zoo.build("densenet121", (1, 29, 29), 5).output_shape == (5,)
    with pytest.raises(
        ShapeError, match=r"node 'features\.transition3\.pool': the window of avgpool is larger"
    ) as caught:
        zoo.build("densenet121", (3, 28, 40))
    assert caught.value.write == "input=(3, 29, 40)"
