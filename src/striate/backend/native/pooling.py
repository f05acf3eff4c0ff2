"""Maximum pooling over 2×2 windows with ReLU behind it, as one operation.

torch pools with a 64-bit place for each maximum, rectifies in a second pass, and in the backward pass fills the
gradient with zeros before it adds to it. Here the forward pass reads each number once, the place is a byte that also
says where ReLU lets no gradient through, and the backward pass writes each number once.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from striate.backend.native.compiling import RowFunction, compiled
from striate.backend.native.pooling_source import BACKWARD, FORWARD, pooling_source

__all__ = ["FusedPooling", "agrees_with_torch", "pooling_functions"]

_BITS = {torch.bfloat16: 16, torch.float32: 32}
#: Numbers in a map below which one thread has done the work before another has begun.
_SMALL = 1 << 15


@functools.cache
def pooling_functions(dtype: torch.dtype) -> tuple[RowFunction, ...]:
    """Forward and backward for bfloat16 or float32, compiled at the first call.

    Raises:
        ImportError, RuntimeError: as :func:`striate.backend.native.compiling.compiled`.
    """
    return compiled(pooling_source(_BITS[dtype]), (FORWARD, BACKWARD))


@functools.cache
def agrees_with_torch(dtype: torch.dtype) -> bool:
    """Whether the compiled kernel gives torch's bits here, on small odd maps with ties, NaN and both zeros."""
    numbers = torch.arange(2 * 37 * 5 * 7).mul(7919).remainder(23).sub(11).to(dtype)
    numbers[::29], numbers[::31] = math.nan, -0.0
    maps = numbers.reshape(2, 37, 5, 7).contiguous(memory_format=torch.channels_last)
    answers = []
    with torch.enable_grad():
        for pool in (FusedPooling(), _torch_pooling):
            leaf = maps.clone().requires_grad_()
            pooled = pool(leaf)
            weights = torch.arange(pooled.numel(), dtype=dtype).remainder(5).sub(2).reshape(pooled.shape)
            (gradient,) = torch.autograd.grad(pooled, leaf, weights)
            answers.append((pooled.detach(), gradient))
    return all(torch.equal(one.nan_to_num(99), other.nan_to_num(99)) for one, other in zip(*answers, strict=True))


def _torch_pooling(input: Tensor) -> Tensor:
    return functional.relu(functional.max_pool2d(input, 2))


class FusedPooling(nn.Module):
    """``relu(max_pool2d(x, 2))`` with the same bits, outputs and gradients, in channels-last order.

    What the kernel does not know (another number format, another device, a map smaller than a window) is left to
    torch. A second derivative is not defined.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, channels, height // 2, width // 2)."""
        known = input.dtype in _BITS and input.device.type == "cpu" and input.dim() == 4
        if not known or input.numel() == 0 or min(input.shape[2:]) < 2:
            return _torch_pooling(input)
        pooled: Tensor = _PoolRectify.apply(input)  # type: ignore[no-untyped-call]
        return pooled


class _PoolRectify(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, input: Tensor) -> Tensor:
        batch, channels, height, width = input.shape
        map_bchw = input.contiguous(memory_format=torch.channels_last)
        pooled = torch.empty(
            (batch, channels, height // 2, width // 2), dtype=input.dtype, memory_format=torch.channels_last
        )
        places = torch.empty(pooled.numel(), dtype=torch.uint8)
        _run(pooling_functions(input.dtype)[0], map_bchw, pooled, places)
        ctx.save_for_backward(places)
        ctx.shape = input.shape
        return pooled

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (places,) = ctx.saved_tensors
        given = gradient.contiguous(memory_format=torch.channels_last)
        result = torch.empty(ctx.shape, dtype=gradient.dtype, memory_format=torch.channels_last)
        _run(pooling_functions(gradient.dtype)[1], result, given, places)
        # The last row and column of an odd map lie in no window.
        height, width = ctx.shape[2:]
        result[:, :, height // 2 * 2 :].zero_()
        result[:, :, :, width // 2 * 2 :].zero_()
        return result


def _run(function: RowFunction, map_bchw: Tensor, pooled: Tensor, places: Tensor) -> None:
    batch, channels, height, width = map_bchw.shape
    numbers = (map_bchw.data_ptr(), pooled.data_ptr(), places.data_ptr(), height, width, channels)
    function(numbers, batch * (height // 2), share=map_bchw.numel() > _SMALL)
