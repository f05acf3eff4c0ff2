"""C3D: the paper's figure 3, counts by hand, and a narrow copy against a plain module."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from striate import zoo
from striate.errors import ShapeError
from zoo_networks.comparison import assert_equal_outputs, assert_equal_state

NAMES = ("1a", "2a", "3a", "3b", "4a", "4b", "5a", "5b")
WIDTHS = (64, 128, 256, 256, 512, 512, 512, 512)
NARROW = (2, 3, 4, 5, 6, 7, 8, 9)


class C3D(nn.Module):
    def __init__(self, channels: int, classes: int, widths: Sequence[int], hidden: int, last: int) -> None:
        super().__init__()
        for name, inputs, outputs in zip(NAMES, (channels, *widths), widths, strict=False):
            self.add_module(f"conv{name}", nn.Conv3d(inputs, outputs, 3, padding=1))
        self.fc6 = nn.Linear(widths[-1] * last, hidden)
        self.fc7 = nn.Linear(hidden, hidden)
        self.fc8 = nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        for name in NAMES:
            x = self.get_submodule(f"conv{name}")(x).relu()
            if name == "1a":
                x = nn.MaxPool3d((1, 2, 2), ceil_mode=True)(x)
            elif name not in ("3a", "4a", "5a"):
                x = nn.MaxPool3d(2, ceil_mode=True)(x)
        return self.fc8(self.fc7(self.fc6(x.flatten(1)).relu()).relu())


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("striate.zoo.c3d")
    widths = iter(NARROW)
    monkeypatch.setattr(module, "STAGES", tuple({name: next(widths) for name in stage} for stage in module.STAGES))
    monkeypatch.setattr(module, "HIDDEN", 12)


def test_parameters_by_hand() -> None:
    pairs = zip((3, *WIDTHS), WIDTHS, strict=False)
    convolutions = sum((27 * i + 1) * o for i, o in pairs)
    assert convolutions == 27_655_936
    dense = (8192 + 1) * 4096 + (4096 + 1) * 4096
    assert zoo.build("C3D").parameter_count == convolutions + dense + 4097 * 487 == 79_991_015
    # UCF101, the 78.4 million of the common ports.
    assert zoo.build("c3d", classes=101).parameter_count == convolutions + dense + 4097 * 101 == 78_409_573


def test_maps_are_those_of_the_paper() -> None:
    shapes = zoo.build("c3d").shapes
    assert [shapes[f"pool{stage}"] for stage in range(1, 6)] == [
        (64, 16, 56, 56),
        (128, 8, 28, 28),
        (256, 4, 14, 14),
        (512, 2, 7, 7),
        (512, 1, 4, 4),
    ]
    assert shapes["flatten"] == (8192,)


def test_tensors_have_the_names_and_order_of_a_plain_module() -> None:
    with torch.device("meta"):
        assert_equal_state(zoo.build("c3d"), C3D(3, 487, WIDTHS, 4096, 16))


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize(
    ("shape", "classes", "last"),
    [((3, 16, 112, 112), 487, 16), ((1, 9, 33, 70), 5, 1 * 2 * 3), ((2, 20, 16, 1), 3, 2), ((3, 1, 40, 20), 2, 2)],
)
def test_outputs_are_those_of_a_plain_module(shape: tuple[int, ...], classes: int, last: int) -> None:
    with torch.device("meta"):
        oracle = C3D(shape[0], classes, NARROW, 12, last)
    assert_equal_outputs(zoo.build("c3d", shape, classes), oracle)


def test_sizes_that_share_weights() -> None:
    wanted = zoo.build("c3d").parameter_count
    for shape, same in (((3, 1, 97, 128), True), ((3, 16, 96, 112), False), ((3, 17, 112, 112), False)):
        assert (zoo.build("c3d", shape).parameter_count == wanted) is same


def test_a_video_has_three_axes() -> None:
    with pytest.raises(ShapeError, match="c3d is made for images with three spatial axes"):
        zoo.build("c3d", (3, 112, 112))
