"""Sums, products and concatenations, and arithmetic with constants."""

from __future__ import annotations

import math
from typing import Any

from striate.graph.layer import Layer
from striate.graph.layers.channel_padding import ChannelPad
from striate.graph.layers.layer_scale import LayerScale
from striate.graph.layers.merge import Add, Concat, Multiply
from striate.graph.layers.rescale import Rescale
from striate.graph.layers.reshape import Identity
from striate.sources.torch_module.calls import Call
from striate.sources.torch_module.layout import plain_layout
from striate.sources.torch_module.readers import arranged, is_map, on_map, reads
from striate.sources.torch_module.values import Found, Value

__all__ = ["concatenate"]


@reads("add", "radd")
def _add(call: Call, input: Any, other: Any, *, alpha: float = 1) -> Any:
    if alpha != 1:
        return None
    return _joined(call, Add(), input, other, neutral=0)


@reads("mul", "rmul", "multiply")
def _multiply(call: Call, input: Any, other: Any) -> Any:
    if isinstance(input, Value) and isinstance(other, Value):
        for map_, factor in ((input, other), (other, input)):
            found = _scaled(call, map_, factor)
            if found is not None:
                return found
    constant = _constant(input, other) or _constant(other, input)
    if constant is not None:
        return constant
    return _joined(call, Multiply(), input, other, neutral=1)


@reads("truediv", "div", "divide")
def _divide(call: Call, input: Any, other: Any, *, rounding_mode: Any = None) -> Any:
    if isinstance(other, Value) or rounding_mode is not None:
        return None
    return _unchanged(call, input) if other == 1 else _constant(input, other and 1 / other)


@reads("sub", "subtract")
def _subtract(call: Call, input: Any, other: Any, *, alpha: float = 1) -> Any:
    return _unchanged(call, input) if not isinstance(other, Value) and other == 0 else None


def _joined(call: Call, layer: Layer, first: Any, second: Any, neutral: int) -> Any:
    for value, other in ((first, second), (second, first)):
        if isinstance(value, Value) and isinstance(other, (int, float)) and other == neutral:
            return _unchanged(call, value)
    if not (is_map(first) and is_map(second)):
        return None
    layouts = arranged(first), arranged(second)
    same = layouts[0] is not None and layouts[0] == layouts[1] and first.node is not None and second.node is not None
    if same:
        return Found(layer, (first.node, second.node), (), layouts[0])
    plain = call.recorder.nodes.plain
    left, right = plain(first), plain(second)
    shapes = call.recorder.nodes.shape(left), call.recorder.nodes.shape(right)
    if isinstance(layer, Add) and shapes[0] != shapes[1]:
        return None
    return Found(layer, (left, right))


def _unchanged(call: Call, value: Any) -> Any:
    """Nothing was added, or multiplied with 1, as ``sum()`` begins."""
    if not is_map(value) or call.in_place:
        return None
    return call.recorder.view(call, value.tensor.detach(), value.layout)


def _constant(map_: Any, factor: Any) -> Found | None:
    """A map times a number above 0, and other than 1."""
    number = isinstance(factor, (int, float)) and not isinstance(factor, bool)
    if not number or not 0 < factor < math.inf or factor == 1 or not is_map(map_):
        return None
    layout = map_.layout
    if layout is None or not layout.is_plain or map_.stale or map_.node is None:
        return None
    return Found(Rescale(float(factor)), (map_.node,))


def _scaled(call: Call, map_: Value, factor: Value) -> Found | None:
    """A parameter with a factor for each channel."""
    layout = map_.layout
    if not is_map(map_) or factor.parameter is None or layout is None or not layout.is_plain or map_.stale:
        return None
    name = factor.parameter.rpartition(".")[2]
    if tuple(factor.tensor.shape) != (layout.shape[0], *(1,) * (len(layout.shape) - 1)) or map_.node is None:
        return None
    return Found(LayerScale(parameter=name), (map_.node,), (factor,))


@reads("cat", "concat", "concatenate")
def concatenate(call: Call, tensors: Any, dim: int = 0, *, axis: int | None = None) -> Any:
    """Channels of several maps; of a single one, the map itself."""
    dim = dim if axis is None else axis
    if len(tensors) == 2 and all(isinstance(value, Value) for value in tensors):
        for place, value in enumerate(tensors):
            if value.zero and value.node is None and is_map(tensors[1 - place]):
                return _with_zeros(call, tensors[1 - place], value, dim, before=place == 0)
    if not all(is_map(value) for value in tensors):
        return None
    if dim % tensors[0].tensor.dim() != 1:
        return None
    plain = tuple(call.recorder.nodes.plain(value) for value in tensors)
    return Found(Identity() if len(plain) == 1 else Concat(), plain)


def _with_zeros(call: Call, map_: Value, zeros: Value, dim: int, *, before: bool) -> Found | None:
    shapes = tuple(map_.tensor.shape), tuple(zeros.tensor.shape)
    if dim % len(shapes[0]) != 1 or (shapes[0][0], *shapes[0][2:]) != (shapes[1][0], *shapes[1][2:]):
        return None
    count = shapes[1][1]
    return on_map(call, ChannelPad(0 if before else count, count if before else 0), map_)


@reads("stack")
def _stacked(call: Call, tensors: Any, dim: int = 0) -> Found | None:
    """Maps along a new axis are their channels one after the other, taken apart again."""
    if len(tensors) < 2 or not all(is_map(value) for value in tensors):
        return None
    place = dim % (tensors[0].tensor.dim() + 1) - 1
    if place < 0 or len({tuple(value.tensor.shape) for value in tensors}) != 1:
        return None
    plain = tuple(call.recorder.nodes.plain(value) for value in tensors)
    shape = call.recorder.nodes.shape(plain[0])
    cut = plain_layout((len(plain) * shape[0], *shape[1:])).reshaped((len(plain), *shape))
    if cut is None:
        return None
    order = [*range(1, place + 1), 0, *range(place + 1, len(shape) + 1)]
    return Found(Concat(), plain, (), cut.permuted(order))
