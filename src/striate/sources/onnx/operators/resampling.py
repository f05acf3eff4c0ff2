"""Maps made larger, smaller, padded, or cut."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from striate.graph.layer import Layer
from striate.graph.layers.crop import Crop
from striate.graph.layers.padding import Pad
from striate.graph.layers.resample import Resize, Upsample
from striate.graph.layers.slicing import Slice
from striate.sources.onnx.inference import infer
from striate.sources.onnx.maps import Sizes, Value
from striate.sources.onnx.resolving import resolve_slices

if TYPE_CHECKING:
    from striate.sources.onnx.importer import Importer
    from striate.sources.onnx.model import Operation
    from striate.sources.onnx.operators import Rule

__all__ = ["RULES"]

_PAD_MODES = {"constant": "zero", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}


def _resize(importer: Importer, operation: Operation) -> Value | None:
    value = importer.map(operation)
    if value is None or operation.integer("antialias", 0):
        return None
    value, order = importer.framed(operation, value)
    arrays = [importer.known(operation, position) for position in range(len(operation.inputs))]
    sizes = [value.sizes, *((),) * (len(operation.inputs) - 1)]
    (found, *_) = infer(operation, sizes, arrays)
    if found is None or not value.batched or not 3 <= len(found) <= 5:
        return None
    goal = tuple(found[order.index(axis)] for axis in range(len(found)))
    if goal[:2] != value.base[:2] or min(goal) < 1:
        return None
    layer = _resampling(operation, value.base[2:], goal[2:], _scales(arrays, order))
    if layer is None:
        return None
    name, base = importer.emit(operation, layer, [value])
    return value.on(name, base)


def _scales(arrays: Sequence[Any], order: Sizes) -> tuple[float, ...] | None:
    """The factors that are given, in the order of the axes of the node; None where sizes are given."""
    array = arrays[2] if len(arrays) > 2 else None
    if array is None or array.size != len(order):
        return None
    factors = [float(factor) for factor in array.reshape(-1)]
    return tuple(factors[order.index(axis)] for axis in range(2, len(order)))


def _resampling(operation: Operation, sizes: Sizes, goal: Sizes, scales: tuple[float, ...] | None) -> Layer | None:
    """The layer that takes the same places: PyTorch's two ways, and what agrees with them."""
    mode = operation.text("mode", "nearest")
    places = operation.text("coordinate_transformation_mode", "half_pixel")
    if operation.integer("exclude_outside", 0) or mode not in ("nearest", "linear"):
        return None
    # Factors that do not divide evenly give other places than sizes do.
    if scales and any(n * s != m for n, s, m in zip(sizes, scales, goal, strict=True)):
        return None
    factors = tuple(m // n for n, m in zip(sizes, goal, strict=True))
    whole = all(n * factor == m for n, factor, m in zip(sizes, factors, goal, strict=True))
    if mode == "nearest":
        if not _nearest_agrees(operation, places, whole):
            return None
        return Upsample(factors) if whole else Resize(goal)
    corners = places == "align_corners"
    halves = places == "half_pixel" or (places == "pytorch_half_pixel" and min(goal) > 1)
    if not corners and not halves:
        return None
    return Upsample(factors, "linear", corners) if whole else Resize(goal, "linear", corners)


def _nearest_agrees(operation: Operation, places: str, whole: bool) -> bool:
    """Whether the nearest number is ``floor(y · n / m)``."""
    rounding = operation.text("nearest_mode", "round_prefer_floor")
    if places == "asymmetric":
        return rounding == "floor"
    # For a whole factor s, (y + 1/2) / s - 1/2 is nearest to floor(y / s); a tie is rounded down to it, or never met.
    return whole and places in ("half_pixel", "pytorch_half_pixel") and rounding == "round_prefer_floor"


def _pad(importer: Importer, operation: Operation) -> Value | None:
    value, amounts = importer.map(operation), importer.known(operation, 1)
    mode = _PAD_MODES.get(operation.text("mode", "constant"))
    fill = 0.0 if importer.given(operation, 2) is None else importer.scalar(operation, 2)
    if value is None or amounts is None or mode is None or fill is None:
        return None
    value, order = importer.framed(operation, value)
    arrays = [None, amounts, *(importer.known(operation, position) for position in range(2, len(operation.inputs)))]
    (found, *_) = infer(operation, [value.sizes, *((),) * (len(operation.inputs) - 1)], arrays)
    rank = len(value.sizes)
    if found is None or not value.batched or not 3 <= rank <= 5 or not math.isfinite(fill) or abs(fill) > 1e30:
        return None
    axes = range(rank) if len(arrays) < 4 or arrays[3] is None else [int(a) % rank for a in arrays[3].reshape(-1)]
    numbers, placed = [int(amount) for amount in amounts.reshape(-1)], {}
    for place, axis in enumerate(axes):
        placed[order[axis]] = (numbers[place], numbers[place + len(numbers) // 2])
    pairs = tuple(placed.get(axis, (0, 0)) for axis in range(rank))
    if any(pair != (0, 0) for pair in pairs[:2]):
        return None
    if all(amount == 0 for pair in pairs for amount in pair):
        return value
    if all(amount <= 0 for pair in pairs for amount in pair) and mode == "zero":
        layer: Layer = Crop(tuple((-before, -after) for before, after in pairs[2:]))
    elif all(amount >= 0 for pair in pairs for amount in pair):
        layer = Pad(pairs[2:], mode, fill if mode == "zero" else 0.0)
    else:
        return None
    name, base = importer.emit(operation, layer, [value])
    return value.on(name, base)


def _slice(importer: Importer, operation: Operation) -> Value | None:
    value = importer.map(operation)
    if value is None:
        return None
    value, order = importer.framed(operation, value)
    arrays = [None, *(importer.known(operation, position) for position in range(1, len(operation.inputs)))]
    infer(operation, [value.sizes, *((),) * (len(operation.inputs) - 1)], arrays)
    cuts = resolve_slices(operation, value.sizes, arrays)
    if cuts is None or not value.batched:
        return None
    wanted = []
    for axis, start, stop, step in cuts:
        if (start, stop, step) == (0, value.sizes[axis], 1):
            continue
        if order[axis] == 0 or step < 1 or stop <= start:
            return None
        wanted.append(Slice(order[axis] - 1, start, stop, step))
    for layer in wanted:
        name, base = importer.emit(operation, layer, [value])
        value = value.on(name, base)
    return value


def _split(importer: Importer, operation: Operation) -> tuple[Value | None, ...] | None:
    value = importer.map(operation)
    if value is None:
        return None
    value, order = importer.framed(operation, value)
    arrays = [None, *(importer.known(operation, position) for position in range(1, len(operation.inputs)))]
    parts = infer(operation, [value.sizes, *((),) * (len(operation.inputs) - 1)], arrays)
    rank, axis = len(value.sizes), operation.integer("axis", 0)
    if not value.batched or not -rank <= axis < rank or order[axis] == 0:
        return None
    found: list[Value | None] = []
    start = 0
    for output, part in zip(operation.outputs, parts, strict=False):
        if part is None or part[axis] < 1:
            return None
        stop = start + part[axis]
        if importer.readers[output]:
            name, base = importer.emit(operation, Slice(order[axis] - 1, start, stop), [value])
            found.append(value.on(name, base))
        else:
            found.append(None)
        start = stop
    return tuple(found)


RULES: dict[str, Rule] = {"Resize": _resize, "Pad": _pad, "Slice": _slice, "Split": _split}
