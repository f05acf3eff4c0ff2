"""Normalisation."""

from __future__ import annotations

from typing import Any

from striate.graph.layer import Layer
from striate.graph.layers.normalization import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from striate.graph.layers.response_norm import LocalResponseNorm
from striate.sources.torch_module.calls import Call
from striate.sources.torch_module.layout import Layout
from striate.sources.torch_module.readers import is_map, on_map, reads
from striate.sources.torch_module.values import Found, Value

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "response_norm"]


@reads("batch_norm")
def batch_norm(
    call: Call,
    input: Value,
    running_mean: Value | None,
    running_var: Value | None,
    weight: Value | None = None,
    bias: Value | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Found | None:
    """A batch normalisation with running averages."""
    if not is_map(input) or running_mean is None or (weight is not None and bias is None):
        return None
    layer = BatchNorm(eps, momentum, affine=bias is not None, scale=bias is None or weight is not None)
    return on_map(call, layer, input, weight, bias)


@reads("layer_norm")
def layer_norm(
    call: Call,
    input: Value,
    normalized_shape: Any,
    weight: Value | None = None,
    bias: Value | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Found | None:
    """A layer normalisation over the whole image, or over the channels where they are the last axis."""
    if not is_map(input) or (weight is None) != (bias is None):
        return None
    layout = input.layout
    wanted, affine = tuple(normalized_shape), weight is not None
    if layout is None:
        return None
    weights = tuple(entry for entry in (weight, bias) if entry is not None)
    if wanted == layout.shape and not _channels_last(layout):
        return on_map(call, LayerNorm("all", eps, affine), input, *weights)
    if len(wanted) == 1 and _channels_last(layout) and not input.stale and input.node is not None:
        return Found(LayerNorm("channels", eps, affine), (input.node,), weights, layout)
    return None


def _channels_last(layout: Layout) -> bool:
    return len(layout.axes) > 1 and layout.axes.count(layout.base[0]) == 1 and layout.holds_channels_at(-1)


@reads("group_norm")
def group_norm(
    call: Call,
    input: Value,
    num_groups: int,
    weight: Value | None = None,
    bias: Value | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Found | None:
    """A group normalisation."""
    if not is_map(input) or (weight is None) != (bias is None):
        return None
    return on_map(call, GroupNorm(num_groups, eps, weight is not None), input, weight, bias)


@reads("instance_norm")
def instance_norm(
    call: Call,
    input: Value,
    running_mean: Value | None = None,
    running_var: Value | None = None,
    weight: Value | None = None,
    bias: Value | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Found | None:
    """An instance normalisation without running averages."""
    if not is_map(input) or not use_input_stats or running_mean is not None or (weight is None) != (bias is None):
        return None
    return on_map(call, InstanceNorm(eps, weight is not None), input, weight, bias)


@reads("local_response_norm")
def response_norm(
    call: Call, input: Value, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Found | None:
    """A local response normalisation."""
    layer: Layer = LocalResponseNorm(size, alpha, beta, k)
    return on_map(call, layer, input) if is_map(input) else None
