"""Pooling over windows in PyTorch: its own modules; those below where the two sides of the padding differ."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from striate.backend.padding import flat_pads, symmetric_pads
from striate.backend.registry import Shapes, operation
from striate.graph.layers.pooling import AvgPool, MaxPool
from striate.graph.windows import Window

__all__ = ["PaddedAvgPool", "PaddedMaxPool"]

_MAX_MODULES: dict[int, type[nn.Module]] = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
_AVERAGE_MODULES: dict[int, type[nn.Module]] = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}
_MAX: dict[int, Callable[..., Tensor]] = {
    1: functional.max_pool1d,
    2: functional.max_pool2d,
    3: functional.max_pool3d,
}
_AVERAGE: dict[int, Callable[..., Tensor]] = {
    1: functional.avg_pool1d,
    2: functional.avg_pool2d,
    3: functional.avg_pool3d,
}


class PaddedMaxPool(nn.Module):
    """The largest value of each window, after a padding with -∞ on which torch's own pooling sets no limits.

    Args:
        windows: the window along each axis.
    """

    def __init__(self, windows: tuple[Window, ...]) -> None:
        super().__init__()
        self.windows = windows
        self.kernel, self.stride, self.dilation = _columns(windows)

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels, *spatial) → (batch, channels, *spatial)."""
        pads = flat_pads([_filled(window, size) for window, size in zip(self.windows, input.shape[2:], strict=True)])
        padded = functional.pad(input, pads, value=-math.inf)
        return _MAX[len(self.kernel)](padded, self.kernel, self.stride, dilation=self.dilation)

    def extra_repr(self) -> str:
        """The attributes."""
        pads = ", ".join(f"{window.before}+{window.after}" for window in self.windows)
        return f"kernel={self.kernel}, stride={self.stride}, dilation={self.dilation}, pads={pads}"


def _filled(window: Window, size: int) -> Window:
    """With ceil mode, the window whose padding behind is just enough for the last place; else the window itself."""
    if not window.ceil:
        return window
    needed = (window.outputs(size) - 1) * window.stride + window.span - size - window.before
    return replace(window, after=max(needed, 0))


class PaddedAvgPool(nn.Module):
    """The mean of each window, after a padding with 0 that may differ between the sides.

    Args:
        pads: as `torch.nn.functional.pad` takes them, the last axis first.
        kernel: window for each axis.
        stride: step for each axis.
        count_include_pad: divide by the whole window instead of by the pixels inside the input.
    """

    def __init__(self, pads: list[int], kernel: tuple[int, ...], stride: tuple[int, ...], count_include_pad: bool):
        super().__init__()
        self.pads, self.kernel, self.stride, self.count_include_pad = pads, kernel, stride, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels, *spatial) → (batch, channels, *spatial)."""
        means = self._mean(input)
        if self.count_include_pad:
            return means
        # The mean of an image of ones is the share of each window that lies inside.
        return means / self._mean(torch.ones_like(input[:1, :1]))

    def _mean(self, input: Tensor) -> Tensor:
        return _AVERAGE[len(self.kernel)](functional.pad(input, self.pads), self.kernel, self.stride)

    def extra_repr(self) -> str:
        """The attributes."""
        include = f"count_include_pad={self.count_include_pad}"
        return f"kernel={self.kernel}, stride={self.stride}, pads={self.pads}, {include}"


def _columns(windows: tuple[Window, ...]) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Kernel, stride and dilation for each axis."""
    return (
        tuple(window.kernel for window in windows),
        tuple(window.stride for window in windows),
        tuple(window.dilation for window in windows),
    )


@operation(MaxPool)
def _max_pool(layer: MaxPool, inputs: Shapes) -> nn.Module:
    rank = len(inputs[0]) - 1
    windows = layer.windows(rank)
    pads = symmetric_pads(windows)
    # torch measures its limit by the kernel, not by the span of the dilated window.
    if pads is None or any(window.before > window.kernel // 2 for window in windows):
        return PaddedMaxPool(windows)
    kernel, stride, dilation = _columns(windows)
    return _MAX_MODULES[rank](kernel, stride, padding=pads, dilation=dilation, ceil_mode=layer.ceil_mode)


@operation(AvgPool)
def _avg_pool(layer: AvgPool, inputs: Shapes) -> nn.Module:
    rank = len(inputs[0]) - 1
    windows = layer.windows(rank)
    kernel, stride, _ = _columns(windows)
    pads = symmetric_pads(windows)
    if pads is None:
        return PaddedAvgPool(flat_pads(windows), kernel, stride, layer.count_include_pad)
    return _AVERAGE_MODULES[rank](
        kernel, stride, padding=pads, ceil_mode=layer.ceil_mode, count_include_pad=layer.count_include_pad
    )
