"""What the values of a file are while it is read: maps of the network, stored tensors, known numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Known", "Map", "Missing", "Sizes", "Stored", "Value", "View", "transposed"]

Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class View:
    """Another look at a map that has not been written down as a node yet.

    Args:
        kind: ``transpose`` or ``reshape``.
        by: the order of the axes, or the new sizes, the batch included.
    """

    kind: str
    by: Sizes


@dataclass(frozen=True, slots=True)
class Map:
    """A value that depends on the images.

    Args:
        node: the node of the graph that makes it.
        base: the sizes of what the node makes, the batch included where there is one.
        sizes: the sizes of the value in the file: those of ``base`` behind the ``views``.
        batched: whether axis 0 of ``base`` is the batch, which the graph leaves out.
        views: what was done to it without computing anything.
    """

    node: str
    base: Sizes
    sizes: Sizes
    batched: bool = True
    views: tuple[View, ...] = ()

    @property
    def order(self) -> Sizes | None:
        """Which axis of ``base`` each axis of the value is; None where a reshape has mixed them.

        >>> transposed(Map("x", (1, 3, 8, 9), (1, 3, 8, 9)), (0, 2, 3, 1)).order
        (0, 2, 3, 1)
        """
        if not self.views:
            return tuple(range(len(self.base)))
        if len(self.views) == 1 and self.views[0].kind == "transpose":
            return self.views[0].by
        return None

    def on(self, node: str, base: Sizes) -> Map:
        """The same look at what another node makes of it, with as many axes."""
        order = self.order
        if order is None:
            return replace(self, node=node)
        return replace(self, node=node, base=base, sizes=tuple(base[axis] for axis in order))


@dataclass(frozen=True, slots=True)
class Stored:
    """A value that follows from a stored tensor alone, whose numbers are not looked at.

    Args:
        name: of the tensor, as the file's reader should know it.
        sizes: of the value.
        root: the tensor in the file.
        trained: whether it may be a parameter: floating-point or quantised numbers.
        constant: it stands inside of the graph as a constant, not among the tensors with names.
    """

    name: str
    sizes: Sizes
    root: str
    trained: bool = True
    constant: bool = False

    @property
    def count(self) -> int:
        """How many numbers it has."""
        return math.prod(self.sizes)


@dataclass(frozen=True)
class Known:
    """A value whose numbers are known, such as the shape that a reshape is given.

    Args:
        array: the numbers.
        stored: the tensor they stand in, where they are not computed.
    """

    array: NDArray[Any]
    stored: Stored | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A value that neither depends on the images nor is known: random numbers, or a shape nobody knows."""

    sizes: Sizes | None = None


Value = Map | Stored | Known | Missing


def transposed(value: Map, order: Sizes) -> Map:
    """The value with its axes in another order; nothing is left to do where that undoes what came before.

    >>> there = transposed(Map("x", (1, 3, 8, 9), (1, 3, 8, 9)), (0, 2, 3, 1))
    >>> there.sizes, transposed(there, (0, 3, 1, 2)).views
    ((1, 8, 9, 3), ())
    """
    sizes = tuple(value.sizes[axis] for axis in order)
    views = value.views
    if views and views[-1].kind == "transpose":
        order = tuple(views[-1].by[axis] for axis in order)
        views = views[:-1]
    if order != tuple(range(len(order))):
        views = (*views, View("transpose", order))
    return replace(value, sizes=sizes, views=views)
