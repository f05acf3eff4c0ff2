"""Kernels of CUDA: fp32 that is fp32, and the same bits every time where that is asked for."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import torch

from striate.errors import UsageError

__all__ = ["kernels_as"]

#: cuBLAS gives the same bits every time only with a workspace of a fixed size, and reads this when it starts.
_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


@contextlib.contextmanager
def kernels_as(device: torch.device, *, deterministic: bool) -> Iterator[None]:
    """How CUDA computes in the block; afterwards torch's settings are the caller's again. Elsewhere nothing changes.

    torch lets convolutions round their inputs to TF32 (10 bits of fraction instead of 23) unless it is told not to;
    here fp32 is fp32. Algorithms are not chosen by timing them, so that the next process chooses the same ones.

    Args:
        device: where is computed.
        deterministic: only kernels whose sums are always added in the same order. The kernels of the processor that a
            network uses are such in any case.

    Raises:
        UsageError: a layer has no such kernel.
    """
    if device.type != "cuda":
        yield
        return
    with _precise(), _repeatable() if deterministic else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def _precise() -> Iterator[None]:
    # torch has older and newer switches for TF32 and refuses to read the older ones where they contradict the newer;
    # torch.compile reads the older ones. So both are set, and both put back.
    cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
    newer: tuple[Any, ...] = (cudnn.conv, cudnn.rnn, products)  # type: ignore[attr-defined]
    before = [switch.fp32_precision for switch in newer]
    older, benchmark, product = _older_tf32(), cudnn.benchmark, torch.get_float32_matmul_precision()
    try:
        cudnn.allow_tf32, cudnn.benchmark = False, False
        torch.set_float32_matmul_precision("highest")
        for switch in newer:
            switch.fp32_precision = "ieee"
        yield
    finally:
        cudnn.allow_tf32, cudnn.benchmark = older, benchmark
        torch.set_float32_matmul_precision(product)
        for switch, precision in zip(newer, before, strict=True):
            switch.fp32_precision = precision


def _older_tf32() -> bool:
    try:
        return torch.backends.cudnn.allow_tf32
    except RuntimeError:
        # The caller has set convolutions and recurrent layers apart, which the older switch cannot say.
        return True


@contextlib.contextmanager
def _repeatable() -> Iterator[None]:
    algorithms = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    cudnn, workspace = torch.backends.cudnn.deterministic, os.environ.get(_WORKSPACE)
    try:
        os.environ.setdefault(_WORKSPACE, ":4096:8")
        torch.backends.cudnn.deterministic = True
        torch.use_deterministic_algorithms(True)
        yield
    except RuntimeError as error:
        said = str(error).partition("\n")[0]
        if "deterministic" not in said:
            raise
        raise UsageError(
            "a layer of this network has no kernel on CUDA that gives the same bits every time",
            where="deterministic",
            got=said[:200],
            write="no deterministic, or device: cpu, which always gives the same bits",
        ) from None
    finally:
        torch.use_deterministic_algorithms(algorithms, warn_only=warned)
        torch.backends.cudnn.deterministic = cudnn
        if workspace is None:
            os.environ.pop(_WORKSPACE, None)
