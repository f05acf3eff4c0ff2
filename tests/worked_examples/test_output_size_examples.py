"""The worked examples, "Output sizes: floor((n + 2p - K) / s) + 1 with K = d(k-1)+1"."""

from __future__ import annotations

import pytest
import torch

import striate as st


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "expected"),
    [
        (28, 3, 1, 0, 26),
        (28, 3, 1, 1, 28),
        (28, 5, 2, 2, 14),
        (32, 3, 1, 1, 32),
        (64, 5, 2, 2, 32),
        (224, 3, 1, 1, 224),
        (5, 3, 1, 0, 3),
    ],
)
def test_convolution(size: int, kernel: int, stride: int, padding: int, expected: int) -> None:
    net = st.network("size", input=(1, size, size)).conv(1, kernel, stride=stride, padding=padding).build()
    assert st.inspect(net).output == (1, expected, expected)
    assert st.derive(net, "conv1").shape[0].result == str(expected)
    assert st.build(net)(torch.zeros(1, 1, size, size)).shape == (1, 1, expected, expected)


@pytest.mark.parametrize("size", [4, 28, 32, 224])
def test_max_pooling_by_two_halves(size: int) -> None:
    assert st.inspect("maxpool 2", input=(8, size, size)).output == (8, size // 2, size // 2)


def test_transposed_convolution_doubles() -> None:
    net = st.load("convtranspose 1 2 stride=2", input=(1, 4, 4))
    assert st.inspect(net).output == (1, 8, 8)
    assert st.build(net)(torch.zeros(1, 1, 4, 4)).shape == (1, 1, 8, 8)


@pytest.mark.parametrize(("dilation", "span"), [(1, 3), (2, 5), (3, 7)])
def test_dilation_spreads_the_kernel(dilation: int, span: int) -> None:
    report = st.inspect(f"conv 1 3 dilation={dilation}", input=(1, 16, 16))
    assert report.output == (1, 16 - span + 1, 16 - span + 1)
    assert [axis.size for axis in report.nodes[-1].field] == [span, span]


def test_a_dilated_convolution_that_keeps_the_size() -> None:
    assert st.inspect("conv 128 3 padding=2 dilation=2", input=(64, 64, 64)).output == (128, 64, 64)


@pytest.mark.parametrize(("padding", "expected"), [("valid", 26), ("same", 28), ("full", 30)])
def test_named_paddings(padding: str, expected: int) -> None:
    assert st.inspect(f"conv 4 3 {padding}", input=(1, 28, 28)).output == (4, expected, expected)
