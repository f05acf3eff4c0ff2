"""FCN against a plain PyTorch version, layer by layer as the authors' Caffe network."""

from __future__ import annotations

import importlib

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate import zoo
from zoo_networks.comparison import assert_equal_outputs, assert_equal_state

VGG16 = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
#: The same layers, narrow enough to run in a moment.
NARROW = ((2, 3), (4, 4), (5, 5, 6), (7, 7, 7), (8, 8, 8))


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("striate.zoo.fcn")
    monkeypatch.setattr(module, "STAGES", NARROW)
    monkeypatch.setattr(module, "HIDDEN", 16)


class FCN(nn.Module):
    def __init__(
        self, channels: int = 3, classes: int = 21, stages: tuple[tuple[int, ...], ...] = VGG16, hidden: int = 4096
    ) -> None:
        super().__init__()
        inputs = channels
        for i, widths in enumerate(stages, start=1):
            for j, width in enumerate(widths, start=1):
                padding = 100 if (i, j) == (1, 1) else 1
                setattr(self, f"conv{i}_{j}", nn.Conv2d(inputs, width, 3, padding=padding))
                inputs = width
        self.fc6 = nn.Conv2d(inputs, hidden, 7)
        self.fc7 = nn.Conv2d(hidden, hidden, 1)
        self.score_fr = nn.Conv2d(hidden, classes, 1)
        self.depths = [len(widths) for widths in stages]

    def trunk(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pools = []
        for i, depth in enumerate(self.depths, start=1):
            for j in range(1, depth + 1):
                x = F.relu(getattr(self, f"conv{i}_{j}")(x))
            x = F.max_pool2d(x, 2, stride=2, ceil_mode=True)
            pools.append(x)
        return pools[2], pools[3], self.score_fr(F.relu(self.fc7(F.relu(self.fc6(x)))))


class FCN32s(FCN):
    def __init__(self, channels: int = 3, classes: int = 21, *sizes) -> None:
        super().__init__(channels, classes, *sizes)
        self.upscore = nn.ConvTranspose2d(classes, classes, 64, stride=32, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        _, _, score = self.trunk(x)
        return self.upscore(score)[:, :, 19 : 19 + x.size(2), 19 : 19 + x.size(3)]


class FCN8s(FCN):
    def __init__(self, channels: int = 3, classes: int = 21, *sizes) -> None:
        super().__init__(channels, classes, *sizes)
        stages = sizes[0] if sizes else VGG16
        self.upscore2 = nn.ConvTranspose2d(classes, classes, 4, stride=2, bias=False)
        self.score_pool4 = nn.Conv2d(stages[3][-1], classes, 1)
        self.upscore_pool4 = nn.ConvTranspose2d(classes, classes, 4, stride=2, bias=False)
        self.score_pool3 = nn.Conv2d(stages[2][-1], classes, 1)
        self.upscore8 = nn.ConvTranspose2d(classes, classes, 16, stride=8, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        pool3, pool4, score = self.trunk(x)
        upscore2 = self.upscore2(score)
        score_pool4 = self.score_pool4(pool4)[:, :, 5 : 5 + upscore2.size(2), 5 : 5 + upscore2.size(3)]
        upscore_pool4 = self.upscore_pool4(upscore2 + score_pool4)
        score_pool3 = self.score_pool3(pool3)
        score_pool3 = score_pool3[:, :, 9 : 9 + upscore_pool4.size(2), 9 : 9 + upscore_pool4.size(3)]
        return self.upscore8(upscore_pool4 + score_pool3)[:, :, 31 : 31 + x.size(2), 31 : 31 + x.size(3)]


VERSIONS = pytest.mark.parametrize(("name", "version"), [("fcn32s", FCN32s), ("fcn8s", FCN8s)])


@VERSIONS
def test_names_and_shapes_are_those_of_the_plain_version(name: str, version: type[FCN]) -> None:
    with torch.device("meta"):
        assert_equal_state(zoo.build(name), version())


def test_the_published_number() -> None:
    graph = zoo.build("FCN-32s")
    trunk = sum(parameter.count for name, parameter in graph.parameters() if not name.startswith("upscore"))
    # Table 1: 134 million. VGG-16 with its last layer scoring 21 classes instead of 1000.
    assert trunk == 138_357_544 - 1000 * 4097 + 21 * 4097
    assert round(trunk / 1e6) == 134
    assert graph.parameter_count - trunk == 21 * 21 * 64 * 64


@VERSIONS
@pytest.mark.parametrize(("shape", "classes"), [((3, 64, 64), 21), ((1, 50, 83), 5), ((3, 9, 7), 2)])
@pytest.mark.usefixtures("narrow")
def test_it_equals_the_plain_version(name: str, version: type[FCN], shape: tuple[int, ...], classes: int) -> None:
    graph = zoo.build(name, shape, classes)
    assert graph.output_shape == (classes, *shape[1:])
    assert_equal_outputs(graph, version(shape[0], classes, NARROW, 16))


@VERSIONS
@pytest.mark.usefixtures("narrow")
def test_every_size_fits(name: str, version: type[FCN]) -> None:
    for size in range(1, 130):
        assert zoo.build(name, (1, size), 2).output_shape == (2, size)
