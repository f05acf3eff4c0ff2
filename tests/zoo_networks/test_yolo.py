"""YOLO and Darknet-53: counts by hand, structure at full size, and narrow copies against plain modules."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate import zoo
from striate.analysis import inspect
from striate.backend import build_module
from striate.errors import ShapeError
from zoo_networks.comparison import assert_equal_outputs, assert_equal_state, filled
from zoo_networks.matching import assert_same_structure

WIDTHS = (32, 64, 128, 256, 512, 1024)
NARROW = (4, 6, 8, 10, 12, 14)
BLOCKS = (1, 2, 8, 8, 4)

#: Figure 3 written out, (kernel, filters, stride); M is a pooling.
FIGURE = (
    *((7, 64, 2), "M", (3, 192, 1), "M", (1, 128, 1), (3, 256, 1), (1, 256, 1), (3, 512, 1), "M"),
    *((1, 256, 1), (3, 512, 1), (1, 256, 1), (3, 512, 1), (1, 256, 1), (3, 512, 1), (1, 256, 1), (3, 512, 1)),
    *((1, 512, 1), (3, 1024, 1), "M", (1, 512, 1), (3, 1024, 1), (1, 512, 1), (3, 1024, 1)),
    *((3, 1024, 1), (3, 1024, 2), (3, 1024, 1), (3, 1024, 1)),
)


class YOLOv1(nn.Module):
    def __init__(self, channels: int, classes: int, cells: int, thin: int = 1, hidden: int = 4096) -> None:
        super().__init__()
        convolutions = [entry for entry in FIGURE if entry != "M"]
        for number, (kernel, wide, stride) in enumerate(convolutions, start=1):
            filters = wide // thin
            self.add_module(f"conv{number}", nn.Conv2d(channels, filters, kernel, stride, kernel // 2))
            channels = filters
        self.fc1 = nn.Linear(channels * cells, hidden)
        self.fc2 = nn.Linear(hidden, cells * (2 * 5 + classes))

    def forward(self, x: Tensor) -> Tensor:
        number = 0
        for entry in FIGURE:
            if entry == "M":
                x = F.max_pool2d(x, 2, 2)
                continue
            number += 1
            x = F.leaky_relu(self.get_submodule(f"conv{number}")(x), 0.1)
        return self.fc2(F.leaky_relu(self.fc1(x.flatten(1)), 0.1))


class Unit(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.bn(self.conv(x)), 0.1)


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.unit1, self.unit2 = Unit(width, width // 2, 1), Unit(width // 2, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.unit2(self.unit1(x))


class Trunk(nn.Module):
    def __init__(self, channels: int, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        self.stem = Unit(channels, widths[0], 3)
        for stage, count in enumerate(BLOCKS, start=1):
            parts: dict[str, nn.Module] = {"down": Unit(widths[stage - 1], widths[stage], 3, 2)}
            parts |= {str(number): Block(widths[stage]) for number in range(count)}
            self.add_module(f"stage{stage}", nn.ModuleDict(parts))

    def maps(self, x: Tensor) -> Iterator[Tensor]:
        x = self.stem(x)
        for stage in range(1, 6):
            for part in self.get_submodule(f"stage{stage}").children():
                x = part(x)
            yield x


class Darknet53(Trunk):
    def __init__(self, channels: int, classes: int, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__(channels, widths)
        self.fc = nn.Linear(widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        *_, x = self.maps(x)
        return self.fc(x.mean((2, 3)))


def head(inputs: int, width: int, outputs: int) -> nn.ModuleDict:
    pairs = [(inputs, width), (width, 2 * width), (2 * width, width), (width, 2 * width), (2 * width, width)]
    pairs.append((width, 2 * width))
    units = {f"unit{n}": Unit(i, o, 1 if n % 2 else 3) for n, (i, o) in enumerate(pairs, start=1)}
    return nn.ModuleDict({**units, "output": nn.Conv2d(2 * width, outputs, 1)})


class YOLOv3(nn.Module):
    def __init__(self, channels: int, classes: int, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        *_, fine, middle, coarse = widths
        outputs = 3 * (4 + 1 + classes)
        self.trunk = Trunk(channels, widths)
        self.head1 = head(coarse, coarse // 2, outputs)
        self.up2 = Unit(coarse // 2, middle // 2, 1)
        self.head2 = head(middle // 2 + middle, middle // 2, outputs)
        self.up3 = Unit(middle // 2, fine // 2, 1)
        self.head3 = head(fine // 2 + fine, fine // 2, outputs)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        *_, fine, middle, x = self.trunk.maps(x)
        found = []
        for skip, up, layers in (
            (None, None, self.head1),
            (middle, self.up2, self.head2),
            (fine, self.up3, self.head3),
        ):
            if skip is not None:
                x = torch.cat([F.interpolate(up(x), scale_factor=2, mode="nearest"), skip], 1)
            for number in range(1, 6):
                x = layers[f"unit{number}"](x)
            found.append(layers["output"](layers["unit6"](x)))
        return tuple(found)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("striate.zoo.darknet53"), "WIDTHS", NARROW)
    first = importlib.import_module("striate.zoo.yolov1")
    thin = tuple(tuple((k, filters // 16, s) for k, filters, s in stage) for stage in first.STAGES)
    monkeypatch.setattr(first, "STAGES", thin)
    monkeypatch.setattr(first, "HIDDEN", 20)


def test_the_published_numbers() -> None:
    for name in ("yolov3", "darknet53"):
        assert zoo.build(name).parameter_count == zoo.find(name).published
    assert zoo.find("Darknet-53").published == 41_609_928
    assert zoo.find("YOLOv3").published == 61_949_149
    # Billions of operations on the authors' pages, a multiply-add as two: at 256×256 and at 416×416.
    assert round(2 * inspect(zoo.build("darknet53")).macs / 1e9, 2) == 18.57
    assert round(2 * inspect(zoo.build("yolov3")).macs / 1e9, 2) == 65.86


def test_yolov1_by_hand() -> None:
    graph = zoo.build("YOLO-v1")
    convolutions, channels = 0, 3
    for kernel, filters, _ in (entry for entry in FIGURE if entry != "M"):
        convolutions += (kernel * kernel * channels + 1) * filters
        channels = filters
    assert sum(node.layer.kind == "conv" for node in graph.nodes) == 24
    dense = (7 * 7 * 1024 + 1) * 4096 + 4097 * 7 * 7 * 30
    assert graph.parameter_count == convolutions + dense == 271_703_550
    assert graph.shapes["leaky24"] == (1024, 7, 7)
    assert graph.output_shape == (7 * 7 * 30,)
    with torch.device("meta"):
        assert_equal_state(graph, YOLOv1(3, 20, 49))


def test_tensors_have_the_names_and_order_of_plain_modules() -> None:
    assert_same_structure("darknet53", Darknet53)
    assert_same_structure("yolov3", YOLOv3)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize(("shape", "classes", "cells"), [((3, 448, 448), 20, 49), ((1, 100, 200), 5, 2 * 3)])
def test_yolov1_equals_a_plain_module(shape: tuple[int, ...], classes: int, cells: int) -> None:
    with torch.device("meta"):
        oracle = YOLOv1(shape[0], classes, cells, thin=16, hidden=20)
    assert_equal_outputs(zoo.build("yolov1", shape, classes), oracle)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize(("shape", "classes"), [((3, 64, 64), 1000), ((1, 37, 50), 5), ((2, 1, 1), 3)])
def test_darknet53_equals_a_plain_module(shape: tuple[int, ...], classes: int) -> None:
    with torch.device("meta"):
        oracle = Darknet53(shape[0], classes, NARROW)
    assert_equal_outputs(zoo.build("darknet53", shape, classes), oracle)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize(("shape", "classes"), [((3, 64, 64), 80), ((1, 96, 32), 5)])
def test_yolov3_equals_a_plain_module(shape: tuple[int, ...], classes: int) -> None:
    with torch.device("meta"):
        oracle = YOLOv3(shape[0], classes, NARROW)
    oracle = filled(oracle)
    graph = zoo.build("yolov3", shape, classes)
    module = build_module(graph, device="meta").double()
    module.load_state_dict(oracle.state_dict(), strict=True, assign=True)
    module.eval()
    images = torch.rand((2, *shape), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    with torch.inference_mode():
        ours, theirs = module(images), oracle(images)
    for output, mine, plain, step in zip(graph.outputs, ours, theirs, (32, 16, 8), strict=True):
        assert graph.shapes[output] == (3 * (5 + classes), shape[1] // step, shape[2] // step)
        assert mine.shape == (2, *graph.shapes[output])
        assert (plain[0] - plain[1]).abs().max() > 1e-5 * plain.abs().max()
        torch.testing.assert_close(mine, plain, rtol=1e-9, atol=1e-9 * float(plain.abs().max()))


def test_yolov3_has_three_outputs_for_coco() -> None:
    graph = zoo.build("yolov3")
    assert [graph.shapes[name] for name in graph.outputs] == [(255, 13, 13), (255, 26, 26), (255, 52, 52)]
    assert (graph.classes, zoo.build("yolov1", classes=3).output_shape) == (80, (7 * 7 * 13,))


@pytest.mark.parametrize(("shape", "write"), [((3, 416, 400), "3×416×416"), ((1, 7, 64), "1×32×64")])
def test_yolov3_refuses_what_leaves_a_rest(shape: tuple[int, ...], write: str) -> None:
    with pytest.raises(ShapeError, match="five times without a rest") as caught:
        zoo.build("yolov3", shape)
    assert (caught.value.where, caught.value.write) == (
        "yolov3",
        f"input={tuple(int(size) for size in write.split('×'))}",
    )
    zoo.build("yolov3", tuple(int(size) for size in write.split("×")))


def test_yolov1_needs_one_cell() -> None:
    assert zoo.build("yolov1", (1, 31, 31), 5).output_shape == (15,)
    with pytest.raises(ShapeError, match="node 'pool4': the window of maxpool is larger"):
        zoo.build("yolov1", (1, 30, 64))
    with pytest.raises(ShapeError, match="yolov1 is made for images with two spatial axes"):
        zoo.build("yolov1", (1, 64))
