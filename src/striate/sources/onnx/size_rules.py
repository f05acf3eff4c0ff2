"""How the sizes of single operations follow, batch included (ONNX operator specification)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from striate.sources.onnx.maps import Sizes
from striate.sources.onnx.resolving import (
    Arrays,
    broadcast,
    numbers_in,
    place_of,
    places_of,
    resolve_order,
    resolve_reshape,
    resolve_slices,
)
from striate.sources.onnx.windows import slide_sizes, transposed_sizes

if TYPE_CHECKING:
    from striate.sources.onnx.model import Operation

__all__ = [
    "arg_rule",
    "block_rule",
    "concat_rule",
    "conv_transpose_rule",
    "expand_rule",
    "flatten_rule",
    "gather_rule",
    "gemm_rule",
    "grid_sample_rule",
    "matmul_rule",
    "pad_rule",
    "reduce_rule",
    "reshape_rule",
    "resize_rule",
    "slice_rule",
    "split_rule",
    "squeeze_rule",
    "tile_rule",
    "topk_rule",
    "transpose_rule",
    "unsqueeze_rule",
    "windows_rule",
]

Found = tuple[Sizes | None, ...]


def reshape_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """Sizes that are given, with 0 and -1 replaced."""
    if arrays[1] is None:
        return (None,)
    return (resolve_reshape(sizes[0], numbers_in(arrays[1]), bool(operation.integer("allowzero", 0))),)


def transpose_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """Axes in another order."""
    return (tuple(sizes[0][axis] for axis in resolve_order(operation, len(sizes[0]))),)


def squeeze_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """Axes of size 1 left out."""
    axes = places_of(operation, arrays, len(sizes[0]))
    if axes is None:
        axes = [axis for axis, size in enumerate(sizes[0]) if size == 1]
    if any(sizes[0][axis] != 1 for axis in axes):
        raise ValueError(f"axes {axes} are not all of size 1")
    return (tuple(size for axis, size in enumerate(sizes[0]) if axis not in axes),)


def unsqueeze_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """Axes of size 1 put in."""
    given = numbers_in(arrays[1]) if len(arrays) > 1 and arrays[1] is not None else operation.integers("axes")
    if given is None:
        return (None,)
    rank = len(sizes[0]) + len(given)
    axes = {place_of(axis, rank) for axis in given}
    if rank > 16 or len(axes) != len(given):
        raise ValueError(f"axes {list(given)}")
    rest = iter(sizes[0])
    return (tuple(1 if axis in axes else next(rest) for axis in range(rank)),)


def flatten_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """Two axes: all before the given one, and all from it on."""
    axis = operation.integer("axis", 1)
    axis = axis if axis == len(sizes[0]) else place_of(axis, len(sizes[0]))
    return ((math.prod(sizes[0][:axis]), math.prod(sizes[0][axis:])),)


def concat_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """The sum along one axis."""
    axis = place_of(operation.integer("axis", 0), len(sizes[0]))
    rests = {(*entry[:axis], *entry[axis + 1 :]) for entry in sizes}
    if len(rests) > 1 or len({len(entry) for entry in sizes}) > 1:
        raise ValueError("sizes that differ besides the axis that is joined")
    return ((*sizes[0][:axis], sum(entry[axis] for entry in sizes), *sizes[0][axis + 1 :]),)


def gather_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """One axis replaced by those of the places."""
    axis = place_of(operation.integer("axis", 0), len(sizes[0]))
    return ((*sizes[0][:axis], *sizes[1], *sizes[0][axis + 1 :]),)


def reduce_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """Axes left out, or of size 1."""
    axes, keep = places_of(operation, arrays, len(sizes[0])), operation.integer("keepdims", 1)
    if not axes:
        if operation.integer("noop_with_empty_axes", 0):
            return (sizes[0],)
        if axes is None and len(operation.inputs) > 1 and operation.inputs[1]:
            return (None,)
        axes = list(range(len(sizes[0])))
    if keep:
        return (tuple(1 if axis in axes else size for axis, size in enumerate(sizes[0])),)
    return (tuple(size for axis, size in enumerate(sizes[0]) if axis not in axes),)


def arg_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """One axis left out, or of size 1."""
    axis = place_of(operation.integer("axis", 0), len(sizes[0]))
    rest = (1,) if operation.integer("keepdims", 1) else ()
    return ((*sizes[0][:axis], *rest, *sizes[0][axis + 1 :]),)


def slice_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """What lies between the bounds."""
    cuts = resolve_slices(operation, sizes[0], arrays)
    if cuts is None:
        return (None,)
    result = list(sizes[0])
    for axis, start, stop, step in cuts:
        result[axis] = len(range(start, stop, step))
    return (tuple(result),)


def split_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """Parts along one axis."""
    axis = place_of(operation.integer("axis", 0), len(sizes[0]))
    parts: Sequence[int] | None = operation.integers("split")
    if len(operation.inputs) > 1 and operation.inputs[1]:
        if arrays[1] is None:
            return (None,)
        parts = numbers_in(arrays[1])
    size, count = sizes[0][axis], len(operation.outputs)
    if parts is None:
        each = -(-size // count)
        parts = [each] * (count - 1) + [size - each * (count - 1)]
    if sum(parts) != size or min(parts) < 0 or len(parts) != count:
        raise ValueError(f"parts of {list(parts)} of {size}")
    return tuple((*sizes[0][:axis], part, *sizes[0][axis + 1 :]) for part in parts)


def matmul_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """Rows of the left, columns of the right, and what both are repeated to."""
    left, right = sizes[0], sizes[1]
    wide_left, wide_right = (1, *left) if len(left) == 1 else left, (*right, 1) if len(right) == 1 else right
    if wide_left[-1] != wide_right[-2]:
        raise ValueError(f"{wide_left[-1]} columns meet {wide_right[-2]} rows")
    result = (*broadcast(wide_left[:-2], wide_right[:-2]), wide_left[-2], wide_right[-1])
    result = result if len(right) > 1 else result[:-1]
    if len(left) == 1:
        result = (*result[: -1 if len(right) == 1 else -2], *(() if len(right) == 1 else result[-1:]))
    return (result,)


def gemm_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """Rows of the left, columns of the right."""
    left = sizes[0][::-1] if operation.integer("transA", 0) else sizes[0]
    right = sizes[1][::-1] if operation.integer("transB", 0) else sizes[1]
    if len(left) != 2 or len(right) != 2 or left[1] != right[0]:
        raise ValueError("matrices that cannot be multiplied")
    return ((left[0], right[1]),)


def expand_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """Repeated to the given sizes."""
    return (None,) if arrays[1] is None else (broadcast(sizes[0], tuple(numbers_in(arrays[1]))),)


def tile_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """Repeated as often as given."""
    if arrays[1] is None:
        return (None,)
    return (tuple(size * max(times, 0) for size, times in zip(sizes[0], numbers_in(arrays[1]), strict=True)),)


def pad_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """With what is put around it."""
    if len(arrays) < 2 or arrays[1] is None or (len(arrays) > 3 and arrays[3] is None and operation.inputs[3]):
        return (None,)
    rank, amounts = len(sizes[0]), numbers_in(arrays[1])
    axes = (
        [place_of(axis, rank) for axis in numbers_in(arrays[3])] if len(arrays) > 3 and arrays[3] is not None else None
    )
    axes = list(range(rank)) if axes is None else axes
    if len(amounts) != 2 * len(axes):
        raise ValueError(f"{len(amounts)} amounts for {len(axes)} axes")
    result = list(sizes[0])
    for place, axis in enumerate(axes):
        result[axis] += amounts[place] + amounts[place + len(axes)]
    return (tuple(result),)


def block_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """Channels for pixels, or pixels for channels."""
    batch, channels, height, width = sizes[0]
    scale = operation.integer("blocksize", 1)
    if operation.op == "DepthToSpace":
        return ((batch, channels // scale**2, height * scale, width * scale),)
    return ((batch, channels * scale**2, height // scale, width // scale),)


def topk_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """As many along one axis as asked for."""
    if arrays[1] is None:
        return (None, None)
    axis = place_of(operation.integer("axis", -1), len(sizes[0]))
    result = (*sizes[0][:axis], *numbers_in(arrays[1])[:1], *sizes[0][axis + 1 :])
    return (result, result)


def resize_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """The given sizes, or the given factors rounded down."""
    if operation.integers("axes") is not None or operation.text("keep_aspect_ratio_policy", "stretch") != "stretch":
        return (None,)
    rank, last = len(sizes[0]), len(arrays) - 1
    wanted, scales = (arrays[3] if last >= 3 else None), (arrays[2] if last >= 2 else None)
    if wanted is not None and wanted.size == rank:
        return (tuple(numbers_in(wanted)),)
    if scales is not None and scales.size == rank:
        return (tuple(math.floor(n * float(s)) for n, s in zip(sizes[0], scales.reshape(-1), strict=True)),)
    return (None,)


def grid_sample_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """As many places as the grid has."""
    return ((*sizes[0][:2], *sizes[1][1:-1]),)


def windows_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """As many places as the window takes."""
    channels = sizes[0][1]
    if operation.op in ("Conv", "ConvInteger", "QLinearConv", "DeformConv"):
        weight = sizes[3] if operation.op == "QLinearConv" else sizes[1]
        channels, kernel = weight[0], weight[2:]
    else:
        kernel = operation.integers("kernel_shape") or ()
    result = (sizes[0][0], channels, *slide_sizes(operation, sizes[0][2:], kernel))
    return (result, result) if operation.op == "MaxPool" else (result,)


def conv_transpose_rule(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> Found:
    """As far as the windows reach."""
    filters = sizes[1][1] * operation.integer("group", 1)
    return ((sizes[0][0], filters, *transposed_sizes(operation, sizes[0][2:], sizes[1][2:])),)
