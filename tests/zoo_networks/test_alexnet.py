"""AlexNet, both forms: counts, names, and the outputs of plain modules."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from striate import zoo
from striate.analysis import inspect
from striate.errors import ShapeError
from zoo_networks.matching import assert_same_outputs, assert_same_structure


class AlexNet(nn.Module):
    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 64, kernel_size=11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Linear(4096, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


def response_norm(x: Tensor) -> Tensor:
    """Section 3.3 of the paper, written out: b_i = a_i / (k + α Σ_j a_j²)^β over five channels around i."""
    k, n, alpha, beta = 2.0, 5, 1e-4, 0.75
    channels = x.shape[1]
    sums = [
        (x[:, max(0, i - n // 2) : min(channels - 1, i + n // 2) + 1] ** 2).sum(1, keepdim=True)
        for i in range(channels)
    ]
    return x / (k + alpha * torch.cat(sums, 1)) ** beta


class TwoTowers(nn.Module):
    """Figure 2: each GPU holds half of the channels; conv2, conv4 and conv5 see those of their own GPU alone."""

    def __init__(self, channels: int, classes: int, last: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 96, 11, 4)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=2)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, groups=2)
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1, groups=2)
        self.drop6 = nn.Dropout(0.5)
        self.drop7 = nn.Dropout(0.5)
        self.fc6 = nn.Linear(256 * last, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, classes)

    @staticmethod
    def towers(conv: nn.Conv2d, x: Tensor) -> Tensor:
        weights, biases = conv.weight.chunk(2), conv.bias.chunk(2)
        halves = zip(x.chunk(2, 1), weights, biases, strict=True)
        return torch.cat([nn.functional.conv2d(h, w, b, padding=conv.padding) for h, w, b in halves], 1)

    def forward(self, x: Tensor) -> Tensor:
        relu = nn.functional.relu

        def pool(value: Tensor) -> Tensor:
            return nn.functional.max_pool2d(value, 3, 2)

        x = pool(response_norm(relu(self.conv1(x))))
        x = pool(response_norm(relu(self.towers(self.conv2, x))))
        x = relu(self.conv3(x))
        x = relu(self.towers(self.conv4, x))
        x = pool(relu(self.towers(self.conv5, x)))
        x = relu(self.fc6(torch.flatten(x, 1)))
        return self.fc8(relu(self.fc7(x)))


def test_published_numbers_of_parameters() -> None:
    for name, count in (("alexnet", 61_100_840), ("alexnet_two_group", 60_965_224)):
        entry = zoo.find(name)
        assert entry is not None
        assert entry.build().parameter_count == entry.published == count


def test_the_two_groups_by_hand() -> None:
    conv1 = 96 * 11 * 11 * 3 + 96
    conv2 = 256 * 5 * 5 * 48 + 256
    conv3 = 384 * 3 * 3 * 256 + 384
    conv4 = 384 * 3 * 3 * 192 + 384
    conv5 = 256 * 3 * 3 * 192 + 256
    fc6, fc7, fc8 = 6 * 6 * 256 * 4096 + 4096, 4096 * 4096 + 4096, 4096 * 1000 + 1000
    report = inspect(zoo.build("alexnet_two_group"))
    found = [node.parameters for node in report.nodes if node.parameters]
    assert found == [conv1, conv2, conv3, conv4, conv5, fc6, fc7, fc8]
    assert report.macs == 724_406_816
    # Section 3.5 gives the neurons of each layer; its 253,440 for the first is not what 55×55 positions make.
    neurons = [math.prod(node.shape) for node in report.nodes if node.parameters]
    assert neurons == [96 * 55 * 55, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]


def test_tensors_have_the_names_and_order_of_a_plain_module() -> None:
    assert_same_structure("alexnet", AlexNet)
    assert_same_structure("alexnet_two_group", lambda channels, classes: TwoTowers(channels, classes, 36))


@pytest.mark.parametrize(("input", "classes"), [((3, 63, 63), 1000), ((1, 130, 97), 5)])
def test_outputs_are_those_of_a_plain_module(input: tuple[int, ...], classes: int) -> None:
    assert_same_outputs("alexnet", AlexNet, input, classes)


@pytest.mark.parametrize(("input", "classes", "last"), [((3, 67, 67), 10, 1), ((1, 99, 131), 5, 6)])
def test_outputs_of_the_two_groups(input: tuple[int, ...], classes: int, last: int) -> None:
    assert_same_outputs(
        "alexnet_two_group", lambda channels, classes: TwoTowers(channels, classes, last), input, classes
    )


@pytest.mark.parametrize(("name", "smallest"), [("alexnet", 63), ("alexnet_two_group", 67)])
def test_images_must_reach_the_last_pooling(name: str, smallest: int) -> None:
    assert zoo.build(name, (1, smallest, smallest), 5).output_shape == (5,)
    with pytest.raises(ShapeError, match=f"{name}, node .*: the window of maxpool is larger") as caught:
        zoo.build(name, (1, 300, smallest - 1), 5)
    assert (caught.value.needs or "").endswith(f"at least {smallest} pixels along each axis of the image")
    assert caught.value.write == f"input=(1, 300, {smallest})"
