"""What operations are given, made definite: axes from the front, sizes without -1, bounds inside of the map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from striate.sources.onnx.maps import Sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from striate.sources.onnx.model import Operation

__all__ = [
    "Arrays",
    "broadcast",
    "numbers_in",
    "place_of",
    "places_of",
    "resolve_order",
    "resolve_reshape",
    "resolve_slices",
]

Arrays = Sequence["NDArray[Any] | None"]


def broadcast(*sizes: Sizes) -> Sizes:
    """The common shape of several, right-aligned, a size of 1 being repeated.

    Raises:
        ValueError: there is none.

    >>> broadcast((1, 64, 8, 8), (64, 1, 1))
    (1, 64, 8, 8)
    """
    rank = max(len(entry) for entry in sizes)
    result = []
    for column in zip(*((1,) * (rank - len(entry)) + tuple(entry) for entry in sizes), strict=True):
        wide = {size for size in column if size != 1}
        if len(wide) > 1:
            raise ValueError(f"sizes of {' and '.join(map(str, sorted(wide)))} along one axis")
        result.append(wide.pop() if wide else 1)
    return tuple(result)


def resolve_order(operation: Operation, rank: int) -> Sizes:
    """The order of the axes that a Transpose asks for; without one they are turned round.

    Raises:
        ValueError: it is no order of the axes.
    """
    given = operation.integers("perm", rank)
    order = tuple(range(rank))[::-1] if given is None else tuple(place_of(axis, rank) for axis in given)
    if len(set(order)) != rank:
        raise ValueError(f"perm {list(order)}")
    return order


def resolve_reshape(sizes: Sizes, wanted: Sequence[int], allow_zero: bool) -> Sizes:
    """The sizes that a reshape asks for, with 0 (as before) and -1 (what is left) replaced.

    Raises:
        ValueError: another amount of numbers.

    >>> resolve_reshape((1, 512, 7, 7), (0, -1), False)
    (1, 25088)
    """
    if len(wanted) > 16:
        raise ValueError(f"{len(wanted)} axes")
    result = [sizes[axis] if size == 0 and not allow_zero else int(size) for axis, size in enumerate(wanted)]
    total = math.prod(sizes)
    if result.count(-1) == 1:
        rest = math.prod(size for size in result if size != -1)
        if rest < 1 or total % rest:
            raise ValueError(f"{total} numbers do not divide into {list(wanted)}")
        result[result.index(-1)] = total // rest
    if min(result, default=1) < 0 or math.prod(result) != total:
        raise ValueError(f"{total} numbers do not fit into {list(wanted)}")
    return tuple(result)


def resolve_slices(operation: Operation, sizes: Sizes, arrays: Arrays) -> list[tuple[int, int, int, int]] | None:
    """``(axis, start, stop, step)`` of a Slice, bounds as Python's ``slice.indices`` gives them; None: not known."""
    if len(arrays) < 3 or any(arrays[position] is None for position in (1, 2)):
        return None
    starts, stops = (numbers_in(arrays[position]) for position in (1, 2))
    axes, steps = list(range(len(starts))), [1] * len(starts)
    for position, target in ((3, axes), (4, steps)):
        if len(operation.inputs) > position and operation.inputs[position]:
            if arrays[position] is None:
                return None
            target[:] = numbers_in(arrays[position])
    cuts = []
    for start, stop, axis, step in zip(starts, stops, axes, steps, strict=True):
        place = place_of(axis, len(sizes))
        cuts.append((place, *slice(start, stop, step).indices(sizes[place])))
    return cuts


def numbers_in(array: Any) -> list[int]:
    """The whole numbers in an array, one after the other."""
    return [int(value) for value in array.reshape(-1)]


def place_of(axis: int, rank: int) -> int:
    """An axis counted from the front.

    Raises:
        ValueError: there is no such axis.
    """
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} of {rank}")
    return axis % rank


def places_of(operation: Operation, arrays: Arrays, rank: int) -> list[int] | None:
    """Axes from the attribute (up to opset 12 or 17) or the second input; None: neither says."""
    axes: Sequence[int] | None = operation.integers("axes")
    if len(arrays) > 1 and arrays[1] is not None:
        axes = numbers_in(arrays[1])
    return None if axes is None else [place_of(axis, rank) for axis in axes]
