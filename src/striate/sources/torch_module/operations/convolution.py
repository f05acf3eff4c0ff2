"""Convolution, transposed convolution and dense layers."""

from __future__ import annotations

from typing import Any

from striate.graph.layers.convolution import Conv
from striate.graph.layers.dense import Dense
from striate.graph.layers.transposed_convolution import ConvTranspose
from striate.sources.torch_module.calls import Call
from striate.sources.torch_module.faults import channels_misfit
from striate.sources.torch_module.readers import is_map, on_map, reads, sizes
from striate.sources.torch_module.values import Found, Value

__all__ = ["convolution", "dense", "transposed_convolution"]


@reads("conv1d", "conv2d", "conv3d")
def convolution(
    call: Call,
    input: Value,
    weight: Value,
    bias: Value | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Found | None:
    """A convolution."""
    rank = weight.tensor.dim() - 2
    _check_channels(call, input, weight, weight.tensor.shape[1] * groups)
    if not is_map(input, rank) or not _fixed(weight, bias) or input.tensor.dtype != weight.tensor.dtype:
        return None
    pads = padding if isinstance(padding, str) else sizes(padding, rank)
    layer = Conv(
        weight.tensor.shape[0],
        tuple(weight.tensor.shape[2:]),
        stride=sizes(stride, rank),
        padding=pads,
        dilation=sizes(dilation, rank),
        groups=groups,
        bias=bias is not None,
    )
    return on_map(call, layer, input, weight, bias)


@reads("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def transposed_convolution(
    call: Call,
    input: Value,
    weight: Value,
    bias: Value | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Found | None:
    """A transposed convolution."""
    rank = weight.tensor.dim() - 2
    _check_channels(call, input, weight, weight.tensor.shape[0])
    if not is_map(input, rank) or not _fixed(weight, bias) or input.tensor.dtype != weight.tensor.dtype:
        return None
    layer = ConvTranspose(
        weight.tensor.shape[1] * groups,
        tuple(weight.tensor.shape[2:]),
        stride=sizes(stride, rank),
        padding=sizes(padding, rank),
        output_padding=sizes(output_padding, rank),
        dilation=sizes(dilation, rank),
        groups=groups,
        bias=bias is not None,
    )
    return on_map(call, layer, input, weight, bias)


@reads("linear")
def dense(call: Call, input: Value, weight: Value, bias: Value | None = None) -> Found | None:
    """A dense layer: on a vector, or at each position over the channels of a map whose last axis they are."""
    if not is_map(input) or not _fixed(weight, bias) or input.tensor.dtype != weight.tensor.dtype:
        return None
    layout = input.layout
    units = weight.tensor.shape[0]
    if layout is None or weight.tensor.dim() != 2:
        return None
    if len(layout.axes) == 1:
        return on_map(call, Dense(units, bias=bias is not None), input, weight, bias)
    channels_last = layout.axes.count(layout.base[0]) == 1 and layout.holds_channels_at(-1) and len(layout.base) > 1
    if not channels_last or input.stale or input.node is None:
        return None
    layer = Dense(units, bias=bias is not None, pointwise=True)
    weights = (weight,) if bias is None else (weight, bias)
    return Found(layer, (input.node,), weights, layout.with_channels(units))


def _check_channels(call: Call, input: Value, weight: Value, channels: int) -> None:
    """On the device meta, torch does not look at the channels of every convolution."""
    rank, shape = weight.tensor.dim() - 2, tuple(input.tensor.shape)
    if len(shape) > rank and shape[-rank - 1] != channels:
        wanted = (*weight.tensor.shape,)
        raise channels_misfit(call.name, call.recorder.place(), shape, wanted, channels)


def _fixed(*weights: Value | None) -> bool:
    """Whether weights do not depend on the image."""
    return all(value is None or value.node is None for value in weights)
