"""What torch cannot compute, or computes to nothing, the graph refuses; what it accepts beyond torch, it computes."""

from __future__ import annotations

import math

import pytest
import torch

from striate.backend import build_module
from striate.errors import ShapeError
from striate.graph import network


def test_a_group_of_a_single_value_cannot_be_normalised() -> None:
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        torch.nn.GroupNorm(4, 4)(torch.zeros(1, 4, 1, 1))
    with pytest.raises(ShapeError, match="groupnorm has a single value in each group") as caught:
        network("net", (4, 8, 8)).globalavgpool(keep=True).groupnorm(4)
    assert caught.value.got == "4×1×1, groups: 4"
    with pytest.raises(ShapeError, match="groupnorm has a single value in each group"):
        network("net", (4, 8, 8)).globalavgpool().groupnorm(4)
    module = build_module(network("net", (4, 8, 8)).globalavgpool().groupnorm(2).build())
    assert module(torch.rand(1, 4, 8, 8)).shape == (1, 4)


def test_a_window_with_all_its_taps_in_the_padding_has_no_maximum() -> None:
    # Taps at -1 and 1 of a single pixel: the window covers it and reads nothing.
    empty = torch.nn.functional.max_pool1d(torch.zeros(1, 1, 1), 2, 1, padding=1, dilation=2)
    assert empty.tolist() == [[[-math.inf]]]
    with pytest.raises(ShapeError, match="a window of maxpool has all its taps in the padding") as caught:
        network("net", (1, 1)).maxpool(2, 1, padding=1, dilation=2)
    assert caught.value.got == "taps 2 apart on 1 pixels, input 1×1"
    assert network("net", (1, 1)).maxpool(3, 1, padding="same", dilation=2).shape == (1, 1)


def test_a_dilated_pooling_may_pad_half_its_span_where_torch_allows_half_its_kernel() -> None:
    with pytest.raises(RuntimeError, match="pad should be"):
        torch.nn.functional.max_pool2d(torch.zeros(1, 1, 9, 9), 3, 1, padding=2, dilation=2)
    x = torch.randn(1, 2, 9, 7, generator=torch.Generator().manual_seed(0))
    net = network("net", (2, 9, 7)).maxpool(3, 1, padding="same", dilation=2).build()
    padded = torch.nn.functional.pad(x, (2, 2, 2, 2), value=-math.inf)
    expected = torch.nn.functional.max_pool2d(padded, 3, 1, dilation=2)
    assert torch.equal(build_module(net)(x), expected)
