"""Normalisation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from striate.graph.layers.normalization import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from striate.graph.layers.response_norm import LocalResponseNorm
from striate.sources.onnx.faults import fault
from striate.sources.onnx.maps import Map, Stored, Value

if TYPE_CHECKING:
    from striate.sources.onnx.importer import Importer
    from striate.sources.onnx.model import Operation
    from striate.sources.onnx.operators import Rule

__all__ = ["RULES"]


def _tensors(importer: Importer, operation: Operation, first: int, last: int) -> list[Stored] | None:
    """The stored tensors at some inputs; None where one of them is none."""
    found = [importer.stored(operation, position) for position in range(first, last)]
    return [entry for entry in found if entry is not None] if None not in found else None


def _channelwise(operation: Operation, tensors: list[Stored], channels: int) -> bool:
    """Whether scale and shift are parameters, and not constants that an exporter put there for none."""
    for entry in tensors:
        if entry.count != channels:
            raise fault(
                f"a tensor of {operation.op} does not fit its input",
                got=f"{list(entry.sizes)} for {channels} channels",
                needs=f"[{channels}]",
            )
    return not any(entry.constant for entry in tensors)


def _batch(importer: Importer, operation: Operation) -> Value | None:
    value, tensors = importer.map(operation), _tensors(importer, operation, 1, 5)
    if value is None or tensors is None:
        return None
    if value.order is None:
        value = importer.straight(operation, value)
    order = value.order or ()
    if not value.batched or len(value.sizes) < 2 or order[:2] != (0, 1):
        value = importer.straight(operation, value)
    if not value.batched or len(value.sizes) < 2:
        return None
    affine = _channelwise(operation, tensors[:2], value.base[1])
    _channelwise(operation, tensors[2:], value.base[1])
    # PyTorch's momentum is the share of the new batch, ONNX's that of the old average.
    momentum = round(1 - operation.number("momentum", 0.9), 6)
    if not 0 <= momentum <= 1:
        raise fault("BatchNormalization cannot use this momentum", got=1 - momentum, needs="a number from 0 to 1")
    layer = BatchNorm(_epsilon(operation), momentum, affine)
    name, sizes = importer.emit(operation, layer, [value], tensors if affine else tensors[2:])
    return value.on(name, sizes)


def _epsilon(operation: Operation) -> float:
    # Stored in 32 bits: 1e-05 comes back as 9.999999747378752e-06.
    return float(f"{operation.number('epsilon', 1e-5):.6g}")


def _instance(importer: Importer, operation: Operation) -> Value | None:
    value, tensors = importer.plain(operation), _tensors(importer, operation, 1, 3)
    if value is None or tensors is None or math.prod(value.sizes[2:]) == 1:
        return None
    affine = _channelwise(operation, tensors, value.sizes[1])
    layer = InstanceNorm(_epsilon(operation), affine)
    name, sizes = importer.emit(operation, layer, [value], tensors if affine else ())
    return Map(name, sizes, sizes)


def _group(importer: Importer, operation: Operation) -> Value | None:
    value, tensors = importer.map(operation), _tensors(importer, operation, 1, 3)
    groups = operation.integer("num_groups", 0)
    if value is None or tensors is None or groups < 1:
        return None
    value = importer.straight(operation, value)
    if not value.batched or len(value.sizes) < 2 or math.prod(value.sizes[1:]) == groups:
        return None
    # Up to opset 20 there was one scale for each group. One for each channel may stand as wide as the map.
    if any(entry.count != value.sizes[1] or value.sizes[1] not in entry.sizes for entry in tensors):
        return None
    name, sizes = importer.emit(operation, GroupNorm(groups, _epsilon(operation)), [value], tensors)
    return Map(name, sizes, sizes)


def _layer(importer: Importer, operation: Operation) -> Value | None:
    value, scale, shift = importer.map(operation), importer.stored(operation, 1), importer.stored(operation, 2)
    if value is None or (len(operation.outputs) > 1 and any(importer.readers[name] for name in operation.outputs[1:])):
        return None
    if (scale is None) != (shift is None) or (scale is None and importer.given(operation, 1) is not None):
        return None
    value, order = importer.framed(operation, value)
    rank = len(value.sizes)
    first = operation.integer("axis", -1)
    if not value.batched or rank < 2 or not -rank <= first < rank:
        return None
    axes = {order[axis] for axis in range(first % rank, rank)}
    tensors = [entry for entry in (scale, shift) if entry is not None]
    if any(entry.sizes != value.sizes[first % rank :] for entry in tensors):
        return None
    if axes == {1}:
        over = "channels"
    elif axes == set(range(1, rank)) and order == tuple(range(rank)):
        over = "all"
    else:
        return None
    layer = LayerNorm(over, _epsilon(operation), bool(tensors))
    name, sizes = importer.emit(operation, layer, [value], tensors)
    return value.on(name, sizes)


def _local_response(importer: Importer, operation: Operation) -> Value | None:
    value, size, bias = importer.plain(operation), operation.integer("size", 0), operation.number("bias", 1.0)
    # ONNX leans to the channels behind where the size is even, the layer to those before.
    if value is None or size % 2 == 0 or size < 1 or bias < 1e-12:
        return None
    alpha, beta = (float(f"{operation.number(name, usual):.6g}") for name, usual in (("alpha", 1e-4), ("beta", 0.75)))
    if alpha < 0 or beta < 0:
        return None
    name, sizes = importer.emit(operation, LocalResponseNorm(size, alpha, beta, float(f"{bias:.6g}")), [value])
    return Map(name, sizes, sizes)


RULES: dict[str, Rule] = {
    "BatchNormalization": _batch,
    "InstanceNormalization": _instance,
    "GroupNormalization": _group,
    "LayerNormalization": _layer,
    "LRN": _local_response,
}
