"""The network of airbench94: the published count, and the outputs of a plain module written like the author's."""

from __future__ import annotations

import pytest
import torch.nn.functional as F
from torch import Tensor, nn

from striate import zoo
from striate.errors import ShapeError
from zoo_networks.comparison import assert_equal_outputs, assert_equal_state


class Norm(nn.BatchNorm2d):
    """The author freezes the weight at 1; here it is missing, which torch reads as 1."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=1e-12, momentum=0.4)
        self.weight = None  # type: ignore[assignment]


class Block(nn.Module):
    def __init__(self, arriving: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(arriving, width, 3, padding="same", bias=False)
        self.norm1 = Norm(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding="same", bias=False)
        self.norm2 = Norm(width)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.norm1(F.max_pool2d(self.conv1(x), 2)))
        return F.gelu(self.norm2(self.conv2(x)))


class Airbench(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.whiten = nn.Conv2d(3, 24, 2, padding=0, bias=True)
        self.block1, self.block2, self.block3 = Block(24, 64), Block(64, 256), Block(256, 256)
        self.head = nn.Linear(256, 10, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.block3(self.block2(self.block1(F.gelu(self.whiten(x)))))
        return self.head(F.max_pool2d(x, 3).flatten(1)) / 9


def test_the_published_count() -> None:
    graph = zoo.build("airbench94")
    assert round(graph.parameter_count / 1e6, 2) == 1.97
    assert graph.parameter_count == sum(entry.numel() for entry in Airbench().parameters())
    # 24 filters and 24 biases of 2·2·3, then the blocks without scales, then the head.
    blocks = sum(9 * a * b + 9 * b * b + 2 * b for a, b in ((24, 64), (64, 256), (256, 256)))
    assert graph.parameter_count == 24 * 12 + 24 + blocks + 2560


def test_the_same_network_as_the_plain_module() -> None:
    graph = zoo.build("airbench94")
    assert_equal_state(graph, Airbench())
    assert_equal_outputs(graph, Airbench())


def test_it_takes_any_size_from_nine_pixels_on() -> None:
    for shape in ((1, 28, 28), (3, 20, 20), (3, 9, 40)):
        graph = zoo.build("airbench94", shape, 4)
        assert graph.output_shape == (4,)
        assert graph.shapes["whiten"][0] == 8 * shape[0]
    with pytest.raises(ShapeError, match=r"node '[a-z0-9.]+': the window of [a-z]+ is larger"):
        zoo.build("airbench94", (3, 8, 32))
