"""Convolution in PyTorch: its own modules; those below where the two sides of the padding differ."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from striate.backend.padding import flat_pads, symmetric_pads
from striate.backend.registry import Fans, Shapes, operation
from striate.graph.layers.convolution import Conv
from striate.units import Shape

__all__ = ["PaddedConv1d", "PaddedConv2d", "PaddedConv3d"]

_TORCH_MODES = {"zero": "zeros", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}
_PAD_MODES = {"zero": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


class _Padded(nn.Module):
    """What the three share: pad, then convolve.

    Args:
        pads: as `torch.nn.functional.pad` takes them, the last axis first.
        pad_mode: as `torch.nn.functional.pad` names it.
        attributes: the arguments of the convolution, whose own padding is 0.
    """

    weight: Tensor
    bias: Tensor | None
    _conv_forward: Callable[[Tensor, Tensor, Tensor | None], Tensor]

    def __init__(self, *, pads: list[int], pad_mode: str, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.pads, self.pad_mode = pads, pad_mode

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels, *spatial) → (batch, filters, *spatial)."""
        return self._conv_forward(functional.pad(input, self.pads, self.pad_mode), self.weight, self.bias)

    def extra_repr(self) -> str:
        """The convolution's, and the pads."""
        return f"{super().extra_repr()}, pads={self.pads}, pad_mode={self.pad_mode}"


class PaddedConv1d(_Padded, nn.Conv1d):
    """`torch.nn.Conv1d` after a padding that may differ between the sides."""


class PaddedConv2d(_Padded, nn.Conv2d):
    """`torch.nn.Conv2d` after a padding that may differ between the sides."""


class PaddedConv3d(_Padded, nn.Conv3d):
    """`torch.nn.Conv3d` after a padding that may differ between the sides."""


_PLAIN: dict[int, type[nn.Module]] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_PADDED: dict[int, type[nn.Module]] = {1: PaddedConv1d, 2: PaddedConv2d, 3: PaddedConv3d}


def _fans(layer: Conv, weight: Shape) -> Fans:
    """A filter sees channels / groups; an input channel feeds filters / groups. Strides are not counted, as usual."""
    window = math.prod(weight[2:])
    return Fans(weight[1] * window, weight[0] // layer.groups * window, layer.groups)


@operation(Conv, fans=_fans)
def _conv(layer: Conv, inputs: Shapes) -> nn.Module:
    channels, rank = inputs[0][0], len(inputs[0]) - 1
    windows = layer.windows(rank)
    attributes: dict[str, Any] = {
        "in_channels": channels,
        "out_channels": layer.filters,
        "kernel_size": tuple(window.kernel for window in windows),
        "stride": tuple(window.stride for window in windows),
        "dilation": tuple(window.dilation for window in windows),
        "groups": layer.groups,
        "bias": layer.bias,
    }
    pads = symmetric_pads(windows)
    if pads is None:
        return _PADDED[rank](pads=flat_pads(windows), pad_mode=_PAD_MODES[layer.padding_mode], **attributes)
    return _PLAIN[rank](padding=pads, padding_mode=_TORCH_MODES[layer.padding_mode], **attributes)
