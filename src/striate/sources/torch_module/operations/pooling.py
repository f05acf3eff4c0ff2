"""Pooling over windows, adaptive and global."""

from __future__ import annotations

from typing import Any

from striate.graph.layer import Layer
from striate.graph.layers.global_pooling import AdaptiveAvgPool, AdaptiveMaxPool, GlobalAvgPool, GlobalMaxPool
from striate.graph.layers.norm_pooling import LPPool
from striate.graph.layers.pooling import AvgPool, MaxPool
from striate.sources.torch_module.calls import Call
from striate.sources.torch_module.layout import Layout
from striate.sources.torch_module.readers import is_map, on_map, reads, sizes
from striate.sources.torch_module.values import Found, Value

__all__ = ["adaptive", "average", "maximum"]


def _rank(call: Call) -> int:
    return int(next(letter for letter in call.name if letter.isdigit()))


@reads("max_pool1d", "max_pool2d", "max_pool3d")
def maximum(
    call: Call,
    input: Value,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Found | None:
    """The largest number of each window."""
    rank = _rank(call)
    if not is_map(input, rank) or return_indices:
        return None
    kernel = sizes(kernel_size, rank)
    step = kernel if stride is None or stride == () or stride == [] else sizes(stride, rank)
    layer = MaxPool(kernel, step, sizes(padding, rank), sizes(dilation, rank), ceil_mode)
    return on_map(call, layer, input)


@reads("avg_pool1d", "avg_pool2d", "avg_pool3d")
def average(
    call: Call,
    input: Value,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Found | None:
    """The mean of each window."""
    rank = _rank(call)
    if not is_map(input, rank) or divisor_override is not None:
        return None
    kernel = sizes(kernel_size, rank)
    step = kernel if stride is None or stride == () or stride == [] else sizes(stride, rank)
    return on_map(call, AvgPool(kernel, step, sizes(padding, rank), ceil_mode, count_include_pad), input)


@reads("lp_pool1d", "lp_pool2d", "lp_pool3d")
def _norm(
    call: Call, input: Value, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Found | None:
    rank = _rank(call)
    if not is_map(input, rank):
        return None
    kernel = sizes(kernel_size, rank)
    return on_map(call, LPPool(norm_type, kernel, kernel if stride is None else sizes(stride, rank), ceil_mode), input)


@reads(*(f"adaptive_{kind}_pool{rank}d" for kind in ("avg", "max") for rank in (1, 2, 3)))
def adaptive(call: Call, input: Value, output_size: Any, return_indices: bool = False) -> Found | None:
    """A pooling to a size; to one number for each channel it is the global one."""
    rank = _rank(call)
    if not is_map(input, rank) or return_indices or input.layout is None:
        return None
    asked = output_size if isinstance(output_size, (list, tuple)) else (output_size,) * rank
    known = input.layout.shape[1:]
    size = tuple(known[axis] if entry is None else int(entry) for axis, entry in enumerate(asked))
    mean = "avg" in call.name
    if all(entry == 1 for entry in size):
        layer: Layer = GlobalAvgPool(keep=True) if mean else GlobalMaxPool(keep=True)
    else:
        layer = AdaptiveAvgPool(size) if mean else AdaptiveMaxPool(size)
    return on_map(call, layer, input)


@reads("mean")
def _mean(call: Call, input: Value, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Found | None:
    return _reduced(call, input, dim, keepdim, mean=True) if dtype is None else None


@reads("amax")
def _amax(call: Call, input: Value, dim: Any = None, keepdim: bool = False) -> Found | None:
    return _reduced(call, input, dim, keepdim, mean=False)


def _reduced(call: Call, input: Value, dim: Any, keepdim: bool, *, mean: bool) -> Found | None:
    """A mean or maximum over exactly the spatial axes is a global pooling, whatever order the axes have here."""
    layout = input.layout
    if not is_map(input) or layout is None or len(layout.base) < 2 or input.stale or input.node is None:
        return None
    given = dim if isinstance(dim, (list, tuple)) else (dim,)
    if None in given or not given:
        return None
    axes = sorted(int(entry) % input.tensor.dim() - 1 for entry in given)
    if axes[0] < 0 or not _spatial(layout, axes):
        return None
    kept = [axis for axis in range(len(layout.axes)) if axis not in axes]
    if keepdim:
        # Whatever the order, each axis that is gone stands at size 1.
        if not layout.is_plain:
            return None
        return Found(GlobalAvgPool(keep=True) if mean else GlobalMaxPool(keep=True), (input.node,))
    if len(kept) != 1:
        return None
    return Found(GlobalAvgPool() if mean else GlobalMaxPool(), (input.node,))


def _spatial(layout: Layout, axes: list[int]) -> bool:
    """Whether these axes hold all spatial atoms, and the one other axis the channels."""
    others = [layout.axes[axis] for axis in range(len(layout.axes)) if axis not in axes]
    gone = sorted(atom for axis in axes for atom in layout.axes[axis])
    return others == [layout.base[0]] and gone == sorted(atom for run in layout.base[1:] for atom in run)
