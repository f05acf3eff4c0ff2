"""The worked examples, "Convolution and pooling, by the numbers": each value comes out of a network that is run."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage

from worked_examples.kernels import KERNELS, Matrix, matrix, pooled, slid

VERTICAL_EDGES = matrix("1 0 -1 / 1 0 -1 / 1 0 -1")
FIVE = matrix("1 2 3 0 1 / 4 5 6 1 2 / 7 8 9 2 3 / 1 2 3 4 5 / 2 3 4 5 6")
COUNTED = np.arange(1.0, 26.0).reshape(5, 5)
SIXTEEN = np.arange(1.0, 17.0).reshape(4, 4)


@pytest.mark.parametrize(
    ("image", "kernel", "expected"),
    [
        pytest.param(
            matrix("1 1 1 0 0 / 0 1 1 1 0 / 0 0 1 1 1 / 0 0 1 1 0 / 0 1 1 0 0"),
            matrix("1 0 1 / 0 1 0 / 1 0 1"),
            matrix("4 3 4 / 2 4 3 / 2 3 4"),
            id="1: a cross of ones",
        ),
        pytest.param(
            matrix("1 2 0 / 0 -1 3 / 2 1 1"), matrix("0 1 0 / 1 0 -1 / 0 -1 1"), matrix("-1"), id="2: the sum is -1"
        ),
        pytest.param(matrix("1 2 3 / 4 5 6 / 7 8 9"), VERTICAL_EDGES, matrix("-6"), id="3: vertical edges"),
        pytest.param(COUNTED, VERTICAL_EDGES, np.full((3, 3), -6.0), id="4: the same everywhere"),
        pytest.param(FIVE, KERNELS["edge"], matrix("0 18 -18 / 27 41 -17 / -21 -13 -5"), id="5: edges all round"),
    ],
)
def test_convolution(image: Matrix, kernel: Matrix, expected: Matrix) -> None:
    np.testing.assert_array_equal(slid(image, kernel), expected)


def test_bias_then_relu() -> None:
    image, kernel = matrix("1 2 0 / 0 -1 3 / 2 1 1"), matrix("0 1 0 / 1 0 -1 / 0 -1 1")
    assert slid(image, kernel, bias=0.5) == -0.5
    assert slid(image, kernel, bias=0.5, relu=True) == 0


def test_what_seed_004_prints_for_the_edge_kernel_is_not_the_result() -> None:
    printed = matrix("-13 -15 -12 / -8 -9 -6 / -5 -6 0")
    assert not np.any(slid(FIVE, KERNELS["edge"]) == printed)
    # Its own products, of the first window, sum to 0.
    assert (FIVE[:3, :3] * KERNELS["edge"]).sum() == 0


@pytest.mark.parametrize(
    ("kind", "expected"), [("maxpool", matrix("6 8 / 14 16")), ("avgpool", matrix("3.5 5.5 / 11.5 13.5"))]
)
def test_pooling_two_by_two(kind: str, expected: Matrix) -> None:
    np.testing.assert_array_equal(pooled(SIXTEEN, kind, 2, 2), expected)


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_is_laid_on_as_it_is_written_and_not_flipped(name: str) -> None:
    image = np.random.default_rng(0).integers(-9, 10, (6, 7)).astype(float)
    expected = scipy.ndimage.correlate(image, KERNELS[name], mode="constant")
    np.testing.assert_allclose(slid(image, KERNELS[name], padding="same"), expected, atol=1e-12)


def test_the_identity_kernel_changes_nothing() -> None:
    np.testing.assert_array_equal(slid(FIVE, KERNELS["identity"], padding="same"), FIVE)


@pytest.mark.parametrize(
    ("mode", "numpy_mode"),
    [("zero", "constant"), ("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")],
)
@pytest.mark.parametrize(("padding", "pixels"), [("valid", 0), ("same", 1), ("full", 2), (1, 1)])
def test_padding_kinds(mode: str, numpy_mode: str, padding: str | int, pixels: int) -> None:
    kernel = KERNELS["sobel x"]
    expected = slid(np.pad(FIVE, pixels, mode=numpy_mode), kernel)  # type: ignore[call-overload]
    np.testing.assert_array_equal(slid(FIVE, kernel, padding=padding, padding_mode=mode), expected)
