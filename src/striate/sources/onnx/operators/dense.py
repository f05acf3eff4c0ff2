"""Matrix products: with a stored matrix a dense layer, of two maps only their multiply-adds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from striate.graph.layers.dense import Dense
from striate.sources.onnx.inference import infer
from striate.sources.onnx.maps import Map, Stored, Value

if TYPE_CHECKING:
    from striate.sources.onnx.importer import Importer
    from striate.sources.onnx.model import Operation
    from striate.sources.onnx.operators import Rule

__all__ = ["RULES"]


def _gemm(importer: Importer, operation: Operation) -> Value | None:
    value, weight, bias = importer.map(operation), importer.stored(operation, 1), None
    if value is None or weight is None or len(weight.sizes) != 2 or operation.integer("transA", 0):
        return None
    value = importer.straight(operation, value)
    if len(value.sizes) != 2:
        return None
    rows, columns = weight.sizes if operation.integer("transB", 0) else weight.sizes[::-1]
    if importer.given(operation, 2) is not None:
        bias = importer.stored(operation, 2)
        # A bias that is one number for all is none of a dense layer's.
        if bias is None or bias.count != rows or bias.sizes[-1:] != (rows,):
            return _gemm_of_another_kind(importer, operation, value, weight)
    factors = {operation.number("alpha", 1.0), operation.number("beta", 1.0) if bias is not None else 1.0}
    if columns != value.sizes[1] or factors != {1.0} or not value.batched:
        return _gemm_of_another_kind(importer, operation, value, weight)
    tensors = [entry for entry in (weight, bias) if entry is not None]
    name, sizes = importer.emit(operation, Dense(rows, bias is not None), [value], tensors)
    return Map(name, sizes, sizes)


def _gemm_of_another_kind(importer: Importer, operation: Operation, value: Map, weight: Stored) -> Value | None:
    """Scaled, with another summand, or of more rows than images: the multiply-adds are those of the product."""
    others = [importer.given(operation, 2)]
    maps = [value, *(entry for entry in others if isinstance(entry, Map))]
    extra = importer.stored(operation, 2)
    (sizes, *_) = infer(operation, [value.sizes, weight.sizes, ()], [None, None, None])
    if sizes is None:
        return None
    tensors = [weight, *([extra] if extra is not None else [])]
    cost = importer.per_image(math.prod(sizes) * value.sizes[1], value, sizes)
    return importer.opaque(operation, maps, sizes, tensors=tensors, cost=cost)


def _matmul(importer: Importer, operation: Operation) -> Value | None:
    left, right = importer.map(operation, 0), importer.map(operation, 1)
    weight = importer.stored(operation, 1)
    if left is not None and right is not None:
        return _of_two(importer, operation, left, right)
    if left is None or weight is None or len(weight.sizes) != 2:
        return None
    columns, units = weight.sizes
    value, order = importer.framed(operation, left)
    rank = len(value.sizes)
    if value.batched and rank == 2 and value.sizes[1] == columns:
        value = importer.straight(operation, value)
        name, sizes = importer.emit(operation, Dense(units, bias=False), [value], [weight])
        return Map(name, sizes, sizes)
    if value.batched and rank > 2 and order[-1] == 1 and value.sizes[-1] == columns:
        name, sizes = importer.emit(operation, Dense(units, bias=False, pointwise=True), [value], [weight])
        return value.on(name, sizes)
    value = importer.straight(operation, value)
    (sizes_left, *_) = infer(operation, [value.sizes, weight.sizes], [None, None])
    if sizes_left is None:
        return None
    cost = importer.per_image(math.prod(sizes_left) * columns, value, sizes_left)
    return importer.opaque(operation, [value], sizes_left, tensors=[weight], cost=cost)


def _of_two(importer: Importer, operation: Operation, left: Map, right: Map) -> Value | None:
    """Attention and the like: a product of two maps."""
    left, right = importer.straight(operation, left), importer.straight(operation, right)
    (sizes, *_) = infer(operation, [left.sizes, right.sizes], [None, None])
    if sizes is None or not left.sizes:
        return None
    cost = importer.per_image(math.prod(sizes) * left.sizes[-1], left, sizes)
    if importer.batch != 1 and not right.batched:
        cost = None
    return importer.opaque(operation, [left, right], sizes, cost=cost)


def _einsum(importer: Importer, operation: Operation) -> Value | None:
    """``ij,jk->ik``: every index runs through its size, and each step is one multiply-add (two factors only)."""
    maps = [importer.map(operation, position) for position in range(len(operation.inputs))]
    equation = operation.text("equation", "").replace(" ", "")
    inputs, arrow, output = equation.partition("->")
    terms = inputs.split(",")
    if not arrow or "." in equation or len(terms) != len(maps) or not 1 <= len(maps) <= 2:
        return None
    sizes: dict[str, int] = {}
    tensors, found = [], []
    for position, term in enumerate(terms):
        value, tensor = maps[position], importer.stored(operation, position)
        own = value.sizes if value is not None else tensor.sizes if tensor is not None else None
        if (
            own is None
            or len(own) != len(term)
            or any(sizes.setdefault(k, n) != n for k, n in zip(term, own, strict=True))
        ):
            return None
        if value is not None:
            found.append(value)
        elif tensor is not None:
            tensors.append(tensor)
    if not found or any(letter not in sizes for letter in output):
        return None
    left = tuple(sizes[letter] for letter in output)
    batch_first = all(value.batched for value in found) and len({t[0] for t in terms if t} | {output[:1]}) == 1
    batch_first = batch_first or (
        len(found) == 1 and found[0].batched and terms[maps.index(found[0])][:1] == output[:1]
    )
    cost = None
    if len(maps) == 2 and batch_first:
        cost = math.prod(size for letter, size in sizes.items() if letter != output[0])
    elif len(maps) == 2 and importer.batch == 1:
        cost = math.prod(sizes.values())
    return importer.opaque(operation, found, left, tensors=tensors, cost=cost)


RULES: dict[str, Rule] = {"Gemm": _gemm, "MatMul": _matmul, "Einsum": _einsum}
