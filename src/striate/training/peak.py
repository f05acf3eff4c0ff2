"""The fastest this machine multiplies: what a training step is measured against."""

from __future__ import annotations

import time

import torch

from striate.training.devices import CPU, synchronize

__all__ = ["matrix_peak"]

#: Rows and columns of the matrices: large enough that starting a product costs nothing, small enough for a second.
SIZE = 2048


def matrix_peak(dtype: torch.dtype, *, repeats: int = 5, size: int = SIZE, device: torch.device = CPU) -> float:
    """Multiply-adds a second of a product of two square matrices, with as many threads as torch is set to.

    The fastest of the repeats counts: everything else on a machine only slows one down.

    Args:
        dtype: of the matrices.
        repeats: how many products are timed, after one that is not.
        size: rows and columns.
        device: what multiplies.

    >>> matrix_peak(torch.float32, repeats=1, size=64) > 0
    True
    """
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(size, size, generator=generator).to(device, dtype) for _ in range(2))
    out = torch.empty(size, size, dtype=dtype, device=device)
    seconds = []
    for _ in range(repeats + 1):
        synchronize(device)
        start = time.perf_counter()
        torch.mm(left, right, out=out)
        synchronize(device)
        seconds.append(time.perf_counter() - start)
    return float(size) ** 3 / min(seconds[1:])
