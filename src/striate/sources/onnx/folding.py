"""Operations on known numbers: what exporters write to compute a shape."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.sources.onnx.faults import fault
from striate.sources.onnx.numbers import NUMBERS_LIMIT, numbers_of, type_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from striate.sources.onnx.model import Operation

__all__ = ["fold", "foldable"]

_Arrays = Sequence[Any]


def foldable(operation: Operation) -> bool:
    """Whether numbers are computed for this operation."""
    return operation.op in _RULES


def fold(operation: Operation, arrays: Sequence[NDArray[Any] | None], opset: int) -> tuple[NDArray[Any], ...] | None:
    """What an operation makes of known numbers; None where it would be too much to hold.

    Args:
        operation: one that :func:`foldable` knows.
        arrays: its inputs; None for one that is left out.
        opset: the version of the operations.

    Raises:
        SourceError: the numbers do not fit the operation.
    """
    try:
        with np.errstate(all="ignore"):
            found = _RULES[operation.op](operation, arrays, opset)
    except (ValueError, IndexError, TypeError, OverflowError, ZeroDivisionError, AttributeError, MemoryError) as error:
        raise fault(f"{operation.op} cannot be computed for what it is given", got=str(error)) from None
    results = found if isinstance(found, tuple) else (found,)
    if any(value is None or value.size > NUMBERS_LIMIT or value.ndim > 16 for value in results):
        return None
    return results


def _axes(operation: Operation, arrays: _Arrays, position: int = 1) -> tuple[int, ...] | None:
    """Axes, which stand among the attributes up to opset 12 and among the inputs from 13 on."""
    if len(arrays) > position and arrays[position] is not None:
        return tuple(int(axis) for axis in arrays[position].reshape(-1))
    return operation.integers("axes")


def _gather(operation: Operation, arrays: _Arrays, opset: int) -> Any:
    data, places = arrays[0], arrays[1].astype(np.int64)
    axis = operation.integer("axis", 0)
    if data.size * max(places.size, 1) > NUMBERS_LIMIT**2:
        return None
    return np.take(data, places, axis)


def _unsqueeze(operation: Operation, arrays: _Arrays, opset: int) -> Any:
    return np.expand_dims(arrays[0], _axes(operation, arrays) or ())


def _squeeze(operation: Operation, arrays: _Arrays, opset: int) -> Any:
    axes = _axes(operation, arrays)
    return np.squeeze(arrays[0], axes)


def _slice(operation: Operation, arrays: _Arrays, opset: int) -> Any:
    data, starts, stops = arrays[:3]
    axes = arrays[3].reshape(-1) if len(arrays) > 3 and arrays[3] is not None else np.arange(starts.size)
    steps = arrays[4].reshape(-1) if len(arrays) > 4 and arrays[4] is not None else np.ones(starts.size, np.int64)
    cut = [slice(None)] * data.ndim
    for start, stop, axis, step in zip(starts.reshape(-1), stops.reshape(-1), axes, steps, strict=True):
        low = -data.shape[int(axis)] - 1
        # A stop before the beginning means "the first included" for steps backwards, which Python writes as None.
        end = None if step < 0 and int(stop) <= low else int(stop)
        cut[int(axis)] = slice(int(start), end, int(step))
    return data[tuple(cut)]


def _range(operation: Operation, arrays: _Arrays, opset: int) -> Any:
    start, limit, step = (value.reshape(-1)[0].item() for value in arrays)
    count = max(math.ceil((limit - start) / step), 0)
    return None if count > NUMBERS_LIMIT else start + step * np.arange(count, dtype=arrays[0].dtype)


def _filled(operation: Operation, arrays: _Arrays, opset: int) -> Any:
    sizes = tuple(int(size) for size in arrays[0].reshape(-1))
    value: Any = operation.attributes.get("value")
    number = np.zeros(1, np.float32) if value is None else numbers_of(value, None)
    if min(sizes, default=0) < 0:
        raise ValueError(f"a size of {min(sizes)}")
    return None if number is None or math.prod(sizes) > NUMBERS_LIMIT else np.full(sizes, number.reshape(-1)[0])


def _reshape(operation: Operation, arrays: _Arrays, opset: int) -> Any:
    data, wanted = arrays[0], [int(size) for size in arrays[1].reshape(-1)]
    if not operation.integer("allowzero", 0):
        wanted = [data.shape[axis] if size == 0 else size for axis, size in enumerate(wanted)]
    return data.reshape(wanted)


def _expand(operation: Operation, arrays: _Arrays, opset: int) -> Any:
    sizes = np.broadcast_shapes(arrays[0].shape, tuple(int(size) for size in arrays[1].reshape(-1)))
    return None if math.prod(sizes) > NUMBERS_LIMIT else np.broadcast_to(arrays[0], sizes)


def _tile(operation: Operation, arrays: _Arrays, opset: int) -> Any:
    times = [int(count) for count in arrays[1].reshape(-1)]
    too_many = arrays[0].size * math.prod(times) > NUMBERS_LIMIT or min(times, default=1) < 0
    return None if too_many else np.tile(arrays[0], times)


def _cast(operation: Operation, arrays: _Arrays, opset: int) -> Any:
    kind = type_of(operation.integer("to", 1))
    return None if kind is None else arrays[0].astype(kind)


def _concat(operation: Operation, arrays: _Arrays, opset: int) -> Any:
    return None if sum(a.size for a in arrays) > NUMBERS_LIMIT else np.concatenate(arrays, operation.integer("axis", 0))


def _split(operation: Operation, arrays: _Arrays, opset: int) -> Any:
    axis, parts = operation.integer("axis", 0), operation.integers("split")
    if len(arrays) > 1 and arrays[1] is not None:
        parts = tuple(int(part) for part in arrays[1].reshape(-1))
    if parts is None:
        return tuple(np.array_split(arrays[0], len(operation.outputs), axis))
    return tuple(np.split(arrays[0], np.cumsum(parts)[:-1], axis))


def _divide(operation: Operation, arrays: _Arrays, opset: int) -> Any:
    left, right = _broadcast(arrays)
    if left.dtype.kind not in "iu":
        return left / right
    # Whole numbers are divided towards zero.
    if not right.all():
        raise ZeroDivisionError("a division by 0")
    return (np.sign(left) * np.sign(right) * (np.abs(left) // np.abs(right))).astype(left.dtype)


def _modulo(operation: Operation, arrays: _Arrays, opset: int) -> Any:
    left, right = _broadcast(arrays)
    if left.dtype.kind in "iu" and not right.all():
        raise ZeroDivisionError("a division by 0")
    return np.fmod(left, right) if operation.integer("fmod", 0) else np.mod(left, right)


def _broadcast(arrays: _Arrays) -> Any:
    sizes = np.broadcast_shapes(*(array.shape for array in arrays))
    if math.prod(sizes) > NUMBERS_LIMIT:
        raise ValueError("more numbers than are computed")
    return arrays


def _of_two(function: Callable[[Any, Any], Any]) -> Callable[[Operation, _Arrays, int], Any]:
    return lambda operation, arrays, opset: function(*_broadcast(arrays[:2]))


def _of_many(function: Any) -> Callable[[Operation, _Arrays, int], Any]:
    def rule(operation: Operation, arrays: _Arrays, opset: int) -> Any:
        result = arrays[0]
        for array in _broadcast(arrays)[1:]:
            result = function(result, array)
        return result

    return rule


def _of_one(function: Callable[[Any], Any]) -> Callable[[Operation, _Arrays, int], Any]:
    return lambda operation, arrays, opset: np.asarray(function(arrays[0])).astype(arrays[0].dtype)


def _reduced(function: Callable[..., Any]) -> Callable[[Operation, _Arrays, int], Any]:
    def rule(operation: Operation, arrays: _Arrays, opset: int) -> Any:
        keep, axes = bool(operation.integer("keepdims", 1)), _axes(operation, arrays)
        if not axes and operation.integer("noop_with_empty_axes", 0):
            return arrays[0]
        return np.asarray(function(arrays[0], axis=axes or None, keepdims=keep)).astype(arrays[0].dtype)

    return rule


_RULES: dict[str, Callable[[Operation, _Arrays, int], Any]] = {
    "Identity": lambda operation, arrays, opset: arrays[0],
    "Gather": _gather,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Slice": _slice,
    "Range": _range,
    "ConstantOfShape": _filled,
    "Reshape": _reshape,
    "Expand": _expand,
    "Tile": _tile,
    "Cast": _cast,
    "Concat": _concat,
    "Split": _split,
    "Shape": lambda operation, arrays, opset: np.array(arrays[0].shape, np.int64)[
        operation.integer("start", 0) : operation.attributes.get("end")
    ],
    "Size": lambda operation, arrays, opset: np.array(arrays[0].size, np.int64),
    "Transpose": lambda operation, arrays, opset: np.transpose(arrays[0], operation.integers("perm")),
    "Flatten": lambda operation, arrays, opset: arrays[0].reshape(
        math.prod(arrays[0].shape[: operation.integer("axis", 1)]), -1
    ),
    "Add": _of_two(np.add),
    "Sub": _of_two(np.subtract),
    "Mul": _of_two(np.multiply),
    "Div": _divide,
    "Mod": _modulo,
    "Pow": _of_two(lambda left, right: np.power(left.astype(float), right).astype(left.dtype)),
    "Min": _of_many(np.minimum),
    "Max": _of_many(np.maximum),
    "And": _of_two(np.logical_and),
    "Or": _of_two(np.logical_or),
    "Not": lambda operation, arrays, opset: np.logical_not(arrays[0]),
    "Equal": _of_two(np.equal),
    "Greater": _of_two(np.greater),
    "GreaterOrEqual": _of_two(np.greater_equal),
    "Less": _of_two(np.less),
    "LessOrEqual": _of_two(np.less_equal),
    "Where": lambda operation, arrays, opset: np.where(*_broadcast(arrays)),
    "Neg": _of_one(np.negative),
    "Abs": _of_one(np.abs),
    "Floor": _of_one(np.floor),
    "Ceil": _of_one(np.ceil),
    "Round": _of_one(np.round),
    "Sqrt": _of_one(np.sqrt),
    "Exp": _of_one(np.exp),
    "Log": _of_one(np.log),
    "Reciprocal": _of_one(lambda value: 1 / value),
    "ReduceProd": _reduced(np.prod),
    "ReduceSum": _reduced(np.sum),
    "ReduceMin": _reduced(np.min),
    "ReduceMax": _reduced(np.max),
    "ReduceMean": _reduced(np.mean),
}
