"""Where an image is too small for a network: the smallest that works, told with the error."""

from __future__ import annotations

from collections.abc import Callable

from striate.errors import NetworkError, ShapeError, UsageError
from striate.graph.graph import Graph
from striate.units import Shape, format_shape

__all__ = ["with_smallest_size"]

#: Sizes on which a text that names no input is tried, to find the smallest it runs on.
_TRIED = (64, 256, 1024)
_LARGEST = 1024


def with_smallest_size(
    error: NetworkError, shape: Shape | None, load: Callable[[Shape | None], Graph], *, anew: bool = False
) -> NetworkError:
    """The error, with the smallest image that works where a larger one than ``shape`` would help.

    Args:
        error: what was raised for ``shape``.
        shape: the input that was asked for; None where none was.
        load: the same network for another input, or for its own.
        anew: whether every size is built anew, because other sizes may have other layers, as in the zoo; else the
            layers of one size are tried on all.

    >>> from striate import zoo
    >>> from striate.errors import ShapeError
    >>> error = with_smallest_size(ShapeError("too small"), (3, 3, 9), lambda shape: zoo.build("simple-cnn", shape))
    >>> error.needs, error.write
    ('the smallest image that works is 3×4×9', 'input=(3, 4, 9)')
    """
    if shape is None or len(shape) < 2 or (error.write or "").startswith("input="):
        # An error that says which input to write knows better than a search.
        return error
    found = _smallest(shape, load, anew)
    if found is None:
        return error
    needs = f"{error.needs}; " if error.needs else ""
    return ShapeError(
        error.problem,
        where=error.where,
        got=error.got,
        needs=f"{needs}the smallest image that works is {format_shape(found)}",
        write=f"input={found}",
    )


def _smallest(shape: Shape, load: Callable[[Shape | None], Graph], anew: bool) -> Shape | None:
    """The smallest enlargement of a shape on which a network runs; None where no enlargement helps."""
    from striate.analysis.sizing import Sizing

    channels, *sizes = shape
    for tried in (None, *((channels, *(size,) * len(sizes)) for size in _TRIED)):
        try:
            sizing = Sizing(load(tried), load if anew else None)
        except (NetworkError, UsageError):
            continue
        if len(sizing.shape) != len(shape):
            continue
        for enlarge in (True, False):
            for size in range(min(sizes), _LARGEST + 1):
                other = (channels, *(max(size, old) if enlarge else size for old in sizes))
                if sizing.runs(other):
                    return other
        return None
    return None
