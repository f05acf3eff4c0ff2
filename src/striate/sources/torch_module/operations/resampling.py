"""Interpolation."""

from __future__ import annotations

from typing import Any

from striate.graph.layers.resample import Resize, Upsample
from striate.sources.torch_module.calls import Call
from striate.sources.torch_module.readers import is_map, on_map, reads
from striate.sources.torch_module.values import Found, Value

__all__ = ["interpolate"]

_MODES = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "trilinear": "linear"}


@reads("interpolate", "upsample")
def interpolate(
    call: Call,
    input: Value,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Found | None:
    """Nearest and linear interpolation to a size, or by whole factors."""
    if not is_map(input) or mode not in _MODES or antialias or input.layout is None:
        return None
    rank = len(input.layout.shape) - 1
    corners = bool(align_corners)
    if scale_factor is not None:
        factors = tuple(scale_factor) if isinstance(scale_factor, (list, tuple)) else (scale_factor,) * rank
        if any(factor != int(factor) or factor < 1 for factor in factors):
            return None
        layer = Upsample(tuple(int(factor) for factor in factors), _MODES[mode], corners)
        return on_map(call, layer, input)
    asked = tuple(size) if isinstance(size, (list, tuple)) else (size,) * rank
    if not all(isinstance(entry, int) for entry in asked) or len(asked) != rank:
        return None
    return on_map(call, Resize(asked, _MODES[mode], corners), input)


@reads("repeat_interleave")
def _repeated(call: Call, input: Value, repeats: Any, dim: int | None = None, *, output_size: Any = None) -> Any:
    """Each pixel several times along one spatial axis."""
    if not is_map(input) or not isinstance(repeats, int) or dim is None or input.layout is None:
        return None
    axis, rank = dim % input.tensor.dim() - 2, len(input.layout.shape) - 1
    if axis < 0 or repeats < 1:
        return None
    return on_map(call, Upsample(tuple(repeats if other == axis else 1 for other in range(rank))), input)
