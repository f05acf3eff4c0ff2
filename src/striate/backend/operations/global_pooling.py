"""Global and adaptive pooling in PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from striate.backend.registry import Shapes, operation
from striate.graph.attributes import per_axis
from striate.graph.layers.global_pooling import AdaptiveAvgPool, AdaptiveMaxPool, GlobalAvgPool, GlobalMaxPool

__all__ = ["GlobalPooling"]

_AVERAGE: dict[int, type[nn.Module]] = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}
_MAX: dict[int, type[nn.Module]] = {1: nn.AdaptiveMaxPool1d, 2: nn.AdaptiveMaxPool2d, 3: nn.AdaptiveMaxPool3d}


class GlobalPooling(nn.Module):
    """One number for each channel's whole map: its mean, or its largest value, whose equals share the gradient.

    Args:
        reduce: ``torch.mean`` or ``torch.amax``.
        axes: the spatial axes, counted with the batch and the channels.
        keep: keep them at size 1.
    """

    def __init__(self, reduce: Callable[..., Tensor], axes: tuple[int, ...], keep: bool) -> None:
        super().__init__()
        self.reduce, self.axes, self.keep = reduce, axes, keep

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels, *spatial) → (batch, channels), or with axes of size 1."""
        return self.reduce(input, dim=self.axes, keepdim=self.keep)

    def extra_repr(self) -> str:
        """The attributes."""
        return f"{self.reduce.__name__}, axes={self.axes}, keep={self.keep}"


def _spatial_axes(inputs: Shapes) -> tuple[int, ...]:
    return tuple(range(2, 1 + len(inputs[0])))


@operation(GlobalAvgPool)
def _global_average(layer: GlobalAvgPool, inputs: Shapes) -> nn.Module:
    return GlobalPooling(torch.mean, _spatial_axes(inputs), layer.keep)


@operation(GlobalMaxPool)
def _global_maximum(layer: GlobalMaxPool, inputs: Shapes) -> nn.Module:
    return GlobalPooling(torch.amax, _spatial_axes(inputs), layer.keep)


@operation(AdaptiveAvgPool)
def _adaptive_average(layer: AdaptiveAvgPool, inputs: Shapes) -> nn.Module:
    rank = len(inputs[0]) - 1
    return _AVERAGE[rank](per_axis(layer.kind, "size", layer.size, rank))


@operation(AdaptiveMaxPool)
def _adaptive_maximum(layer: AdaptiveMaxPool, inputs: Shapes) -> nn.Module:
    rank = len(inputs[0]) - 1
    return _MAX[rank](per_axis(layer.kind, "size", layer.size, rank))
