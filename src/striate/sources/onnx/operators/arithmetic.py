"""Sums and products: of maps, of a map and a stored tensor; and joining maps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from striate.graph.layers.convolution import Conv
from striate.graph.layers.dense import Dense
from striate.graph.layers.layer_scale import LayerScale
from striate.graph.layers.merge import Add, Concat, Multiply
from striate.sources.onnx.maps import Map, Stored, Value

if TYPE_CHECKING:
    from striate.sources.onnx.importer import Importer
    from striate.sources.onnx.model import Operation
    from striate.sources.onnx.operators import Rule

__all__ = ["RULES"]


def _together(importer: Importer, operation: Operation, maps: list[Map]) -> list[Map]:
    """The maps with their axes in one order, so that they can be joined where they stand."""
    first = maps[0]
    alike = all(value.order == first.order and value.batched for value in maps) and first.order is not None
    if alike or all(value.views == first.views and value.base == first.base for value in maps):
        return maps
    return [importer.straight(operation, value) for value in maps]


def _maps(importer: Importer, operation: Operation) -> list[Map] | None:
    """All inputs, where all are maps."""
    found = [importer.map(operation, position) for position in range(len(operation.inputs))]
    return [value for value in found if value is not None] if found and None not in found else None


def _add(importer: Importer, operation: Operation) -> Value | None:
    maps = _maps(importer, operation)
    if maps is None:
        return _with_stored(importer, operation)
    if len(maps) == 1:
        return maps[0]
    maps = _together(importer, operation, maps)
    if len({importer.shape(value.node) for value in maps}) > 1 or not all(value.batched for value in maps):
        return None
    name, sizes = importer.emit(operation, Add(), maps)
    return maps[0].on(name, sizes)


def _multiply(importer: Importer, operation: Operation) -> Value | None:
    maps = _maps(importer, operation)
    if maps is None:
        return _with_stored(importer, operation)
    maps = _together(importer, operation, maps)
    shapes = [importer.shape(value.node) for value in maps]
    if len({len(shape) for shape in shapes}) > 1 or len({shape[0] for shape in shapes}) > 1:
        return None
    if not all(value.batched for value in maps):
        return None
    axes = list(zip(*(shape[1:] for shape in shapes), strict=True))
    if any(len(set(sizes) - {1}) > 1 for sizes in axes):
        return None
    name, sizes = importer.emit(operation, Multiply(), maps)
    return maps[0].on(name, sizes)


def _with_stored(importer: Importer, operation: Operation) -> Value | None:
    """A map and a stored tensor: the bias of the layer before, or a factor for each channel."""
    if len(operation.inputs) != 2:
        return None
    place = 0 if importer.map(operation, 0) is not None else 1
    value, tensor = importer.map(operation, place), importer.stored(operation, 1 - place)
    if value is None or tensor is None or not tensor.trained:
        return None
    order = value.order
    if order is None or not value.batched or len(order) < 2 or len(tensor.sizes) > len(order):
        return None
    wide = (1,) * (len(order) - len(tensor.sizes)) + tensor.sizes
    placed = {order[axis]: size for axis, size in enumerate(wide)}
    if tensor.count != value.base[1] or placed[1] != value.base[1]:
        return None
    if operation.op == "Add":
        return _bias(importer, operation.inputs[place], value, tensor)
    if operation.op == "Mul" and not tensor.constant and tensor.count > 1:
        return _factor(importer, operation, value, tensor)
    return None


def _bias(importer: Importer, source: str, value: Map, tensor: Stored) -> Value | None:
    """What is added for each channel belongs to the layer before, where nothing else reads that."""
    layer = importer.layer(value.node)
    if importer.readers[source] != 1 or not isinstance(layer, (Conv, Dense)) or layer.bias:
        return None
    if importer.shares(value.node):
        return None
    importer.change(value.node, replace(layer, bias=True), [tensor])
    return value


def _factor(importer: Importer, operation: Operation, value: Map, tensor: Stored) -> Value:
    last = tensor.name.rpartition(".")[2]
    good = last.isascii() and last.isidentifier() and not last.startswith("_") and "." in tensor.name
    layer = LayerScale(parameter=last if good else "weight")
    name, sizes = importer.emit(operation, layer, [value], [tensor])
    return value.on(name, sizes)


def _concat(importer: Importer, operation: Operation) -> Value | None:
    maps = _maps(importer, operation)
    if maps is None:
        return None
    if len(maps) == 1:
        return maps[0]
    maps = _together(importer, operation, maps)
    order, axis = maps[0].order, operation.integer("axis", 1)
    rank = len(maps[0].sizes)
    if order is None or not -rank <= axis < rank or order[axis] != 1 or not all(value.batched for value in maps):
        return None
    shapes = [importer.shape(value.node) for value in maps]
    if len({shape[1:] for shape in shapes}) > 1:
        return None
    name, sizes = importer.emit(operation, Concat(), maps)
    return maps[0].on(name, sizes)


RULES: dict[str, Rule] = {"Add": _add, "Sum": _add, "Mul": _multiply, "Concat": _concat}
