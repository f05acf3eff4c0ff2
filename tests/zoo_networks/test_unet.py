"""U-Net against plain PyTorch versions: the paper's figure, and the padded version as in the common port."""

from __future__ import annotations

import importlib
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate import zoo
from striate.analysis import inspect
from striate.errors import ShapeError
from zoo_networks.comparison import assert_equal_outputs, assert_equal_state

WIDTHS = (64, 128, 256, 512, 1024)
#: The same U, narrow enough to run at full size in a moment.
NARROW = (4, 6, 8, 10, 12)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("striate.zoo.unet"), "WIDTHS", NARROW)


class Pair(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3)
        self.conv2 = nn.Conv2d(outputs, outputs, 3)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv2(F.relu(self.conv1(x))))


class UpPair(Pair):
    def __init__(self, inputs: int, outputs: int) -> None:
        nn.Module.__init__(self)
        self.upconv = nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
        self.conv1 = nn.Conv2d(2 * outputs, outputs, 3)
        self.conv2 = nn.Conv2d(outputs, outputs, 3)

    def joined(self, skip: Tensor, x: Tensor) -> Tensor:
        x = self.upconv(x)
        top, left = (skip.shape[2] - x.shape[2]) // 2, (skip.shape[3] - x.shape[3]) // 2
        skip = skip[:, :, top : top + x.shape[2], left : left + x.shape[3]]
        return self.forward(torch.cat([skip, x], dim=1))


class UNet(nn.Module):
    """Figure 1."""

    def __init__(self, channels: int = 1, classes: int = 2, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        a, b, c, d, e = widths
        self.down1, self.down2, self.down3 = Pair(channels, a), Pair(a, b), Pair(b, c)
        self.down4, self.down5 = Pair(c, d), Pair(d, e)
        self.up4, self.up3, self.up2, self.up1 = UpPair(e, d), UpPair(d, c), UpPair(c, b), UpPair(b, a)
        self.output = nn.Conv2d(a, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        x1 = self.down1(x)
        x2 = self.down2(F.max_pool2d(x1, 2))
        x3 = self.down3(F.max_pool2d(x2, 2))
        x4 = self.down4(F.max_pool2d(x3, 2))
        x = self.up4.joined(x4, self.down5(F.max_pool2d(x4, 2)))
        x = self.up3.joined(x3, x)
        x = self.up2.joined(x2, x)
        return self.output(self.up1.joined(x1, x))


def padded_pair(inputs: int, outputs: int) -> nn.ModuleDict:
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.ModuleDict({"double_conv": nn.Sequential(*layers)})


class PaddedUNet(nn.Module):
    """The port's names, level by level."""

    def __init__(self, channels: int = 3, classes: int = 2, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.inc = padded_pair(channels, widths[0])
        for level, (upper, lower) in enumerate(pairwise(widths), start=1):
            pair = nn.ModuleDict({"0": nn.MaxPool2d(2), "1": padded_pair(upper, lower)})
            self.add_module(f"down{level}", nn.ModuleDict({"maxpool_conv": pair}))
        for level, (lower, upper) in enumerate(pairwise(reversed(widths)), start=1):
            up = nn.ConvTranspose2d(lower, upper, 2, stride=2)
            self.add_module(f"up{level}", nn.ModuleDict({"up": up, "conv": padded_pair(2 * upper, upper)}))
        self.outc = nn.ModuleDict({"conv": nn.Conv2d(widths[0], classes, 1)})

    def forward(self, x: Tensor) -> Tensor:
        pair = "double_conv"
        maps = [self.inc[pair](x)]
        for level in range(1, 5):
            pool, convolutions = self.get_submodule(f"down{level}.maxpool_conv").values()
            maps.append(convolutions[pair](pool(maps[-1])))
        x = maps.pop()
        for level in range(1, 5):
            up, convolutions = self.get_submodule(f"up{level}").values()
            skip, x = maps.pop(), up(x)
            lacks = [skip.shape[axis] - x.shape[axis] for axis in (3, 3, 2, 2)]
            x = F.pad(x, [lack // 2 if place % 2 == 0 else -(-lack // 2) for place, lack in enumerate(lacks)])
            x = convolutions[pair](torch.cat([skip, x], dim=1))
        return self.outc["conv"](x)


def test_the_published_numbers() -> None:
    report = inspect(zoo.build("U-Net"))
    assert (report.input, report.output) == ((1, 572, 572), (2, 388, 388))  # figure 1
    shapes = zoo.build("unet").shapes
    assert shapes["down5.relu2"] == (1024, 28, 28)
    assert [shapes[f"up{level}.concat"] for level in (4, 3, 2, 1)] == [
        (1024, 56, 56),
        (512, 104, 104),
        (256, 200, 200),
        (128, 392, 392),
    ]
    # Convolutions, transposed convolutions and the last 1×1 by hand: (9·in + 1)·out, (4·in + 1)·out.
    pairs = [(1, 64), (64, 128), (128, 256), (256, 512), (512, 1024)]
    down = sum((9 * i + 1) * o + (9 * o + 1) * o for i, o in pairs)
    up = sum((4 * i + 1) * o + (9 * i + 1) * o + (9 * o + 1) * o for o, i in pairs[1:])
    assert report.parameters == down + up + 2 * 65 == 31_030_658


def test_names_and_shapes_are_those_of_the_plain_version() -> None:
    with torch.device("meta"):
        assert_equal_state(zoo.build("unet"), UNet())
        assert_equal_state(zoo.build("unet_same"), PaddedUNet())
    assert zoo.build("unet_same").parameter_count == zoo.find("unet_same").published == 31_037_698


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize(("shape", "classes"), [((1, 572, 572), 2), ((3, 188, 204), 5)])
def test_it_equals_the_plain_version(shape: tuple[int, ...], classes: int) -> None:
    assert_equal_outputs(zoo.build("unet", shape, classes), UNet(shape[0], classes, NARROW))


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize(("shape", "classes"), [((3, 64, 64), 2), ((1, 47, 90), 5), ((2, 16, 31), 1)])
def test_the_padded_one_equals_the_plain_version(shape: tuple[int, ...], classes: int) -> None:
    graph = zoo.build("unet_same", shape, classes)
    assert graph.output_shape == (classes, *shape[1:])
    assert_equal_outputs(graph, PaddedUNet(shape[0], classes, NARROW))


@pytest.mark.parametrize(
    ("shape", "write"),
    [
        ((1, 512, 512), "1×508×508"),
        ((1, 516, 572), "1×524×572"),
        ((1, 172, 188), "1×188×188"),
        ((3, 1, 1), "3×188×188"),
    ],
)
def test_a_size_that_cannot_be_halved_is_refused(shape: tuple[int, ...], write: str) -> None:
    with pytest.raises(ShapeError, match="four times without a rest") as caught:
        zoo.build("unet", shape)
    assert caught.value.where == "unet"
    assert caught.value.write == f"input={tuple(int(size) for size in write.split('×'))}"
    # What is told to write works.
    zoo.build("unet", tuple(int(size) for size in write.split("×")))


@pytest.mark.usefixtures("narrow")
def test_every_size_it_takes_is_halved_without_a_rest() -> None:
    for size in range(1, 600):
        try:
            graph = zoo.build("unet", (1, size))
        except ShapeError:
            continue
        assert all(graph.shapes[f"down{level}.relu2"][1] % 2 == 0 for level in range(1, 5)), size
        assert graph.output_shape == (2, size - 184)


def test_images_that_are_too_small_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"node 'down4\.maxpool_conv\.0': the window of maxpool is larger"):
        zoo.build("unet_same", (3, 16, 15))


def test_the_two_lowest_levels_drop_out() -> None:
    graph = zoo.build("unet")
    assert [node.name for node in graph.nodes if node.layer.kind == "dropout"] == ["down4.dropout", "down5.dropout"]
    assert graph["up4.crop"].inputs == ("down4.dropout", "up4.upconv")
