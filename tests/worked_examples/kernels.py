"""Named kernels, and running one of them over an image by a network made of one layer."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

import striate as st

__all__ = ["KERNELS", "matrix", "pooled", "slid"]

Matrix = NDArray[np.float64]


def matrix(text: str) -> Matrix:
    """``1 2 / 3 4`` as an array of two rows."""
    return np.array([[float(entry) for entry in row.split()] for row in text.split("/")])


KERNELS = {
    "identity": matrix("0 0 0 / 0 1 0 / 0 0 0"),
    "sobel x": matrix("-1 0 1 / -2 0 2 / -1 0 1"),
    "sobel y": matrix("-1 -2 -1 / 0 0 0 / 1 2 1"),
    "box blur": matrix("1 1 1 / 1 1 1 / 1 1 1") / 9,
    "sharpen": matrix("0 -1 0 / -1 5 -1 / 0 -1 0"),
    "edge": matrix("-1 -1 -1 / -1 8 -1 / -1 -1 -1"),
}


def slid(image: Matrix, kernel: Matrix, *, bias: float = 0.0, relu: bool = False, **attributes: object) -> Matrix:
    """What one filter makes of one image: a convolution (and a ReLU) with these weights, run by torch."""
    chain = st.network("kernel", input=(1, *image.shape)).conv(1, kernel.shape, **attributes)
    module = st.build((chain.relu() if relu else chain).build()).double()
    with torch.no_grad():
        module.get_parameter("conv1.weight").copy_(torch.from_numpy(kernel)[None, None])
        module.get_parameter("conv1.bias").fill_(bias)
        result: Matrix = module(torch.from_numpy(image)[None, None])[0, 0].numpy()
    return result


def pooled(image: Matrix, kind: str, kernel: int, stride: int) -> Matrix:
    """What a pooling layer makes of one image."""
    net = st.load(f"{kind} {kernel} stride={stride}", input=(1, *image.shape))
    result: Matrix = st.build(net).double()(torch.from_numpy(image)[None, None])[0, 0].numpy()
    return result
