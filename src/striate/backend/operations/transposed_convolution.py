"""Transposed convolution in PyTorch."""

from __future__ import annotations

import math

from torch import nn

from striate.backend.registry import Fans, Shapes, operation
from striate.graph.attributes import per_axis
from striate.graph.layers.transposed_convolution import ConvTranspose
from striate.units import Shape

__all__: list[str] = []

_MODULES: dict[int, type[nn.Module]] = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}


def _fans(layer: ConvTranspose, weight: Shape) -> Fans:
    """The weight is (channels, filters / groups, *kernel): the directions change places.

    An input reaches the whole window. An output sums, along each axis, only the taps that the stride lets land on it:
    k of them are shared among the min(k, s / gcd(s, d)) places of a stride that any tap lands on.
    """
    rank = len(weight) - 2
    taps = 1.0
    for axis, kernel in enumerate(weight[2:]):
        stride = per_axis(layer.kind, "stride", layer.stride, rank)[axis]
        dilation = per_axis(layer.kind, "dilation", layer.dilation, rank)[axis]
        taps *= kernel / min(kernel, stride // math.gcd(stride, dilation))
    return Fans(weight[0] // layer.groups * taps, weight[1] * math.prod(weight[2:]), layer.groups)


@operation(ConvTranspose, fans=_fans)
def _conv_transpose(layer: ConvTranspose, inputs: Shapes) -> nn.Module:
    channels, rank = inputs[0][0], len(inputs[0]) - 1
    return _MODULES[rank](
        channels,
        layer.filters,
        per_axis(layer.kind, "kernel", layer.kernel, rank),
        stride=per_axis(layer.kind, "stride", layer.stride, rank),
        padding=per_axis(layer.kind, "padding", layer.padding, rank),
        output_padding=per_axis(layer.kind, "output_padding", layer.output_padding, rank),
        dilation=per_axis(layer.kind, "dilation", layer.dilation, rank),
        groups=layer.groups,
        bias=layer.bias,
    )
