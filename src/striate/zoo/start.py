"""How a network of the zoo begins: its name, and how many axes its images have."""

from __future__ import annotations

from striate.errors import ShapeError
from striate.graph import Chain, network
from striate.units import Shape, format_shape

__all__ = ["start"]

_AXES = {1: "one", 2: "two", 3: "three"}


def start(name: str, input: Shape, classes: int | None, *, axes: int | None = None, smallest: int = 1) -> Chain:
    """Begin a network. That an image is too small says the layer that no pixel reaches.

    Args:
        name: what people call it.
        input: the shape of one image, ``(channels, *spatial)``.
        classes: how many classes it tells apart; None where it tells none apart.
        axes: the number of spatial axes, for a network whose windows differ from axis to axis.
        smallest: the fewest pixels along each axis; an error about the axes names a size that works.

    Raises:
        ShapeError: when the image has another number of axes.

    >>> start("net", (3, 32, 32), 10).shape
    (3, 32, 32)
    """
    x = network(name, input, classes)
    spatial = x.shape[1:]
    if axes is not None and len(spatial) != axes:
        one = axes == 1
        raise ShapeError(
            f"{name} is made for images with {_AXES[axes]} spatial {'axis' if one else 'axes'}",
            where=name,
            got=f"input {format_shape(x.shape)}",
            needs=f"channels and {_AXES[axes]} {'size' if one else 'sizes'} of at least {smallest}",
            write=f"input={(x.channels, *(max(spatial[0], smallest),) * axes)}",
        )
    return x
