"""What layers share that bring one map to the size of another, of which they take nothing but its size."""

from __future__ import annotations

from striate.errors import ShapeError
from striate.graph.attributes import need_spatial
from striate.units import Shape, format_shape

__all__ = ["need_alike"]


def need_alike(kind: str, inputs: tuple[Shape, ...]) -> int:
    """The number of spatial axes of a map and its reference, which must be the same.

    Raises:
        ShapeError: it is not.
    """
    shape, reference = inputs
    rank = need_spatial(kind, shape)
    if len(reference) != len(shape):
        raise ShapeError(
            f"{kind} needs a reference with the axes of its map",
            got=f"{format_shape(shape)} and the reference {format_shape(reference)}",
            needs=f"a reference with {rank} spatial {'axis' if rank == 1 else 'axes'}",
            write="as reference a layer before flatten or global pooling",
        )
    return rank
