"""Pooling: over windows, over whole maps, and means and maxima over axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.graph.layer import Layer
from striate.graph.layers.global_pooling import GlobalAvgPool, GlobalMaxPool
from striate.graph.layers.norm_pooling import LPPool
from striate.graph.layers.pooling import AvgPool, MaxPool
from striate.graph.windows import Window
from striate.sources.onnx.inference import infer
from striate.sources.onnx.maps import Map, Value, transposed
from striate.sources.onnx.windows import axes_of

if TYPE_CHECKING:
    from striate.sources.onnx.importer import Importer
    from striate.sources.onnx.model import Operation
    from striate.sources.onnx.operators import Rule

__all__ = ["RULES"]


def _windowed(importer: Importer, operation: Operation) -> Value | None:
    value = importer.plain(operation)
    kernel = operation.integers("kernel_shape")
    if value is None or kernel is None:
        return None
    layer = _layer(operation, axes_of(operation, value.sizes[2:], kernel))
    if layer is None or (len(operation.outputs) > 1 and importer.readers[operation.outputs[1]]):
        (sizes, *_) = infer(operation, [value.sizes], [None])
        return None if sizes is None else importer.opaque(operation, [value], sizes, cost=0)
    name, sizes = importer.emit(operation, layer, [value])
    return Map(name, sizes, sizes)


def _layer(operation: Operation, windows: tuple[Window, ...]) -> Layer | None:
    """The layer, where it computes the same: PyTorch's limits on paddings are its own."""
    kernel, stride = tuple(w.kernel for w in windows), tuple(w.stride for w in windows)
    pads, dilation = tuple((w.before, w.after) for w in windows), tuple(w.dilation for w in windows)
    ceil = any(w.ceil for w in windows)
    uneven = any(w.before != w.after for w in windows)
    if any(max(w.before, w.after) > w.span // 2 for w in windows) or (ceil and uneven):
        return None
    if operation.op == "MaxPool":
        return MaxPool(kernel, stride, pads, dilation, ceil)
    if set(dilation) != {1}:
        return None
    if operation.op == "AveragePool":
        return AvgPool(kernel, stride, pads, ceil, bool(operation.integer("count_include_pad", 0)))
    if any(w.before or w.after for w in windows) or ceil:
        return None
    return LPPool(operation.number("p", 2), kernel, stride)


def _whole(importer: Importer, operation: Operation) -> Value | None:
    value = importer.plain(operation)
    if value is None:
        return None
    layer = GlobalAvgPool(keep=True) if operation.op == "GlobalAveragePool" else GlobalMaxPool(keep=True)
    name, sizes = importer.emit(operation, layer, [value])
    return Map(name, sizes, sizes)


def _reduced(importer: Importer, operation: Operation) -> Value | None:
    """A mean or maximum over all spatial axes is global pooling."""
    value = importer.map(operation)
    if value is None:
        return None
    value, order = importer.framed(operation, value)
    rank = len(value.sizes)
    axes = importer.known(operation, 1)
    given = operation.integers("axes") if axes is None else tuple(int(axis) for axis in axes.reshape(-1))
    if not value.batched or not 3 <= rank <= 5 or not given or not all(-rank <= axis < rank for axis in given):
        return None
    if {order[axis] for axis in given} != set(range(2, rank)):
        return None
    keep = bool(operation.integer("keepdims", 1))
    layer = GlobalAvgPool(keep) if operation.op == "ReduceMean" else GlobalMaxPool(keep)
    name, sizes = importer.emit(operation, layer, [value])
    result = Map(name, sizes, sizes)
    # Batch and channels stay in this order whatever stood between them.
    return transposed(result, order) if keep else result


RULES: dict[str, Rule] = {
    "MaxPool": _windowed,
    "AveragePool": _windowed,
    "LpPool": _windowed,
    "GlobalAveragePool": _whole,
    "GlobalMaxPool": _whole,
    "ReduceMean": _reduced,
    "ReduceMax": _reduced,
}
