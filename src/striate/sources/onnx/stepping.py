"""One operation of the file: computed if its numbers are known, else a layer, else ``Opaque``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate.sources.onnx.checks import Checks
from striate.sources.onnx.families import DERIVED, MOVES, NO_MACS, POINTWISE
from striate.sources.onnx.faults import fault, short
from striate.sources.onnx.folding import fold, foldable
from striate.sources.onnx.importer import Importer
from striate.sources.onnx.inference import infer
from striate.sources.onnx.maps import Known, Map, Missing, Sizes, Stored, Value
from striate.sources.onnx.model import DEFAULT_DOMAINS, Operation, StoredTensor
from striate.sources.onnx.numbers import FLOATING, numbers_of
from striate.sources.onnx.operators import rules

__all__ = ["step"]


def step(importer: Importer, operation: Operation, checks: Checks) -> None:
    """Read one operation.

    Raises:
        NetworkError: it does not fit what it is given.
    """
    values = [importer.given(operation, position) for position in range(len(operation.inputs))]
    if operation.op == "Constant" and operation.domain in DEFAULT_DOMAINS:
        importer.set(operation.outputs[0], _constant(operation))
        return
    if operation.op == "CastLike" and values and not isinstance(values[0], Map):
        # Only the type follows from the second input, and types are not kept.
        importer.set(operation.outputs[0], values[0] or Missing())
        return
    if not any(isinstance(value, Map) for value in values) and not _inside(importer, operation):
        for name, value in zip(operation.outputs, _without_images(importer, operation, values), strict=False):
            importer.set(name, value)
        return
    found = _shape_of_map(operation, values) or _by_rule(importer, operation) or _opaque(importer, operation, checks)
    for name, result in zip(operation.outputs, found, strict=False):
        if isinstance(result, Map):
            if min(result.sizes, default=1) < 1:
                raise fault("nothing is left of a map here", got=list(result.sizes), needs="sizes of at least 1")
            checks.compare(name, result.sizes)
        if result is not None:
            importer.set(name, result)


def _inside(importer: Importer, operation: Operation) -> bool:
    """Whether a graph inside of an operation takes a map from outside."""
    inner = operation.reads()[sum(1 for name in operation.inputs if name) :]
    return any(isinstance(importer.value(name), Map) for name in inner)


def _constant(operation: Operation) -> Value:
    import numpy as np

    value: Any = operation.attributes.get("value")
    name = operation.outputs[0]
    if isinstance(value, StoredTensor):
        stored = Stored(name, value.sizes, name, value.kind in FLOATING, constant=True)
        numbers = numbers_of(value, None)
        return stored if numbers is None else Known(numbers, stored)
    for attribute, kind in (
        ("value_int", np.int64),
        ("value_ints", np.int64),
        ("value_float", np.float32),
        ("value_floats", np.float32),
    ):
        if attribute in operation.attributes:
            try:
                return Known(np.array(operation.attributes[attribute], kind))
            except (TypeError, ValueError, OverflowError) as error:
                raise fault("this constant is no number", got=str(error)) from None
    return Missing()


def _without_images(importer: Importer, operation: Operation, values: Sequence[Value | None]) -> Sequence[Value]:
    """What follows from stored tensors and known numbers alone."""
    first = values[0] if values else None
    if isinstance(first, (Known, Stored)) and operation.op == "Identity":
        return [_renamed(importer, operation, first)]
    arrays = [value.array if isinstance(value, Known) else None for value in values]
    all_known = all(value is None or isinstance(value, Known) for value in values) and values
    if all_known and foldable(operation) and operation.domain in DEFAULT_DOMAINS:
        folded = fold(operation, arrays, importer.model.opset)
        if folded is not None:
            return [Known(array, _kept(operation, values, array.shape)) for array in folded]
    sizes = [_sizes_of(value) for value in values]
    if any(entry is None for entry in sizes) or operation.domain not in DEFAULT_DOMAINS:
        return [Missing() for _ in operation.outputs]
    shape = _shape_of_stored(operation, sizes[0] if sizes else None)
    if shape is not None:
        return [shape]
    found = infer(operation, [entry or () for entry in sizes], arrays)
    root = _root(values) if operation.op in DERIVED else None
    return [_derived(root, entry) for entry in found]


def _sizes_of(value: Value | None) -> Sizes | None:
    if isinstance(value, Known):
        return tuple(value.array.shape)
    return () if value is None else value.sizes


def _root(values: Sequence[Value | None]) -> Stored | None:
    """The stored tensor that a value is made of: the largest."""
    stored = [value.stored if isinstance(value, Known) else value for value in values]
    found = [value for value in stored if isinstance(value, Stored)]
    return max(found, key=lambda value: value.count, default=None)


def _derived(root: Stored | None, sizes: Sizes | None) -> Value:
    if root is None or sizes is None:
        return Missing(sizes)
    return Stored(root.name, sizes, root.root, root.trained, root.constant)


def _kept(operation: Operation, values: Sequence[Value | None], sizes: Sizes) -> Stored | None:
    """A small tensor that was only looked at in another way is still that tensor."""
    root = _root(values) if operation.op in DERIVED else None
    return None if root is None else Stored(root.name, sizes, root.root, root.trained, root.constant)


def _renamed(importer: Importer, operation: Operation, value: Known | Stored) -> Value:
    """Another name for a stored tensor. Vectors count for each name: equal ones were merged for their numbers."""
    stored = value.stored if isinstance(value, Known) else value
    name = operation.outputs[0]
    if stored is None or name.startswith("/"):
        return value
    importer.merged[name] = stored.root
    root = name if sum(size != 1 for size in stored.sizes) < 2 else stored.root
    own = Stored(name, stored.sizes, root, stored.trained, stored.constant)
    return Known(value.array, own) if isinstance(value, Known) else own


def _shape_of_map(operation: Operation, values: Sequence[Value | None]) -> list[Value | None] | None:
    first = values[0] if values else None
    if not isinstance(first, Map) or operation.domain not in DEFAULT_DOMAINS:
        return None
    shape = _shape_of_stored(operation, first.sizes)
    return None if shape is None else [shape]


def _shape_of_stored(operation: Operation, sizes: Sizes | None) -> Known | None:
    import math

    import numpy as np

    if sizes is None or operation.op not in ("Shape", "Size"):
        return None
    if operation.op == "Size":
        return Known(np.array(math.prod(sizes), np.int64))
    start, stop = operation.integer("start", 0), operation.integer("end", len(sizes))
    return Known(np.array(sizes[start:stop], np.int64))


def _by_rule(importer: Importer, operation: Operation) -> Sequence[Value | None] | None:
    rule = rules().get(operation.op) if operation.domain in DEFAULT_DOMAINS else None
    found = None if rule is None or not operation.outputs else rule(importer, operation)
    return found if found is None or isinstance(found, tuple) else [found]


def _at_its_place(importer: Importer, operation: Operation, values: Sequence[Value], sizes: Sizes) -> Map | None:
    """A function of each number of one map alone: the order of the axes does not matter, views stay aside."""
    maps = [value for value in values if isinstance(value, Map)]
    if len(maps) != 1 or maps[0].order is None or sizes != maps[0].sizes or not maps[0].batched:
        return None
    bare = Map(maps[0].node, maps[0].base, maps[0].base)
    made = importer.opaque(operation, [bare], bare.sizes, tensors=_own(values), cost=0, nature="pointwise")
    return maps[0].on(made.node, made.base)


def _opaque(importer: Importer, operation: Operation, checks: Checks) -> list[Value | None]:
    """What no layer describes: its sizes by ONNX's rules, else as the file states them."""
    values = [importer.value(name) for name in operation.reads()]
    maps = [value for value in values if isinstance(value, Map)]
    plain = operation.domain in DEFAULT_DOMAINS
    inputs = [importer.given(operation, position) for position in range(len(operation.inputs))]
    sizes = [_sizes_of(value) for value in inputs]
    arrays = [value.array if isinstance(value, Known) else None for value in inputs]
    known = plain and all(entry is not None for entry in sizes)
    inferred = infer(operation, [entry or () for entry in sizes], arrays) if known else ()
    cost = 0 if plain and operation.op in NO_MACS else None
    pointwise = plain and operation.op in POINTWISE
    if pointwise and inferred and inferred[0] is not None:
        kept = _at_its_place(importer, operation, values, inferred[0])
        if kept is not None:
            return [kept]
    nature = "pointwise" if pointwise else "moves" if plain and operation.op in MOVES else "unknown"
    tensors = _own(values)
    found: list[Value | None] = []
    for position, name in enumerate(operation.outputs):
        if not name or not importer.readers[name]:
            found.append(None)
            continue
        own = inferred[position] if position < len(inferred) else None
        result = own if own is not None else checks.sizes(name)
        if result is None:
            raise fault(
                f"how large what leaves {short(operation.op)} is cannot be told, and the file does not state it",
                got=f"the value {short(name)}",
                needs="sizes in the file, for the input it was exported with",
                write="onnx.shape_inference.infer_shapes(model), or onnxsim, before it is saved",
            )
        found.append(
            importer.opaque(operation, maps, result, tensors=tensors, cost=cost, nature=nature)  # type: ignore[arg-type]
        )
        tensors = []
    return found


def _own(values: Sequence[Value]) -> list[Stored]:
    """The stored tensors among the inputs that may be parameters: no single numbers, no constants."""
    stored = [value.stored if isinstance(value, Known) else value for value in values]
    tensors = [value for value in stored if isinstance(value, Stored)]
    return [value for value in dict.fromkeys(tensors) if value.trained and not value.constant and value.count > 1]
