"""How a tensor's axes lie in the map that a node gives: what views, permutations and reshapes do, without a node each.

A map's axes are cut into *atoms*, each a run of consecutive digits of the index; a tensor's axes are lists of atoms.
So ``x.view(b, g, c // g, h, w).transpose(1, 2).flatten(1, 2)`` is the map with its channels' two atoms in the other
order, which is a channel shuffle. Sizes of 1 have no atom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from striate.graph.layer import Layer
from striate.graph.layers.reshape import Flatten
from striate.graph.layers.shuffle import ChannelShuffle, PixelShuffle
from striate.units import Shape

__all__ = ["Layout", "plain_layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """A tensor's axes in terms of a map's.

    Args:
        base: for each axis of the map, its atoms, the slowest first.
        axes: for each axis of the tensor (the batch left out), its atoms.
        sizes: the size of each atom.
    """

    base: tuple[tuple[int, ...], ...]
    axes: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]

    @property
    def is_plain(self) -> bool:
        """Whether the tensor is the map as it is."""
        return self.axes == self.base

    @property
    def in_order(self) -> bool:
        """Whether the numbers lie in the map's own order, however they are grouped into axes."""
        return [atom for axis in self.axes for atom in axis] == [atom for axis in self.base for atom in axis]

    @property
    def shape(self) -> Shape:
        """The tensor's shape."""
        return tuple(math.prod(self.sizes[atom] for atom in axis) for axis in self.axes)

    def permuted(self, order: Sequence[int]) -> Layout:
        """The tensor with its axes in another order."""
        return Layout(self.base, tuple(self.axes[axis] for axis in order), self.sizes)

    def reshaped(self, shape: Shape) -> Layout | None:
        """The tensor with the same numbers in another shape; None where an axis would hold parts of atoms.

        >>> cut = plain_layout((6, 4)).reshaped((2, 3, 4))
        >>> cut.shape, cut.permuted((1, 0, 2)).reshaped((6, 4)).layer()
        ((2, 3, 4), ChannelShuffle(groups=2))
        """
        if not all(self.shape) or math.prod(shape) != math.prod(self.shape):
            return self if shape == self.shape else None
        sizes = list(self.sizes)
        parts: dict[int, list[int]] = {}
        waiting = [atom for axis in reversed(self.axes) for atom in reversed(axis)]
        axes: list[tuple[int, ...]] = []
        for size in shape:
            taken: list[int] = []
            left = size
            while left > 1:
                atom = waiting.pop()
                have = sizes[atom]
                if left % have and have % left:
                    return None
                if have > left:
                    # The slower part belongs here, the faster one to what follows.
                    sizes += [left, have // left]
                    parts[atom] = [len(sizes) - 2, len(sizes) - 1]
                    waiting.append(len(sizes) - 1)
                    atom, have = len(sizes) - 2, left
                taken.append(atom)
                left //= have
            axes.append(tuple(taken))
        base = tuple(tuple(last for atom in axis for last in _leaves(atom, parts)) for axis in self.base)
        return _renumbered(base, tuple(axes), sizes)

    def layer(self) -> Layer | None:
        """The layer that makes the tensor of the map; None where none does."""
        if len(self.axes) == 1 and len(self.base) > 1 and self.in_order:
            return Flatten()
        if len(self.axes) != len(self.base):
            return None
        channels, spatial = self.base[0], self.base[1:]
        if self.axes[1:] == spatial and len(channels) == 2 and self.axes[0] == channels[::-1]:
            return ChannelShuffle(self.sizes[channels[0]])
        count = len(spatial)
        inner = channels[len(channels) - count :] if 0 < count <= len(channels) else ()
        scales = {self.sizes[atom] for atom in inner}
        shuffled = tuple((*axis, atom) for axis, atom in zip(spatial, inner, strict=False))
        if len(scales) == 1 and self.axes == (channels[: len(channels) - count], *shuffled):
            return PixelShuffle(scales.pop())
        return None

    def holds_channels_at(self, axis: int) -> bool:
        """Whether an axis of the tensor is the map's channels, all of them and nothing else."""
        return self.axes[axis] == self.base[0]

    def with_channels(self, count: int) -> Layout:
        """The same arrangement of a map with another number of channels, which lie in one axis here."""
        old = self.base[0]
        new = (len(self.sizes),) if count > 1 else ()
        axes = tuple(new if axis == old else axis for axis in self.axes)
        return _renumbered((new, *self.base[1:]), axes, [*self.sizes, count])


def _leaves(atom: int, parts: dict[int, list[int]]) -> list[int]:
    return [leaf for part in parts[atom] for leaf in _leaves(part, parts)] if atom in parts else [atom]


def _renumbered(base: tuple[tuple[int, ...], ...], axes: tuple[tuple[int, ...], ...], sizes: Sequence[int]) -> Layout:
    """Atoms of one run that always stand together become one again, and all are counted from 0."""
    runs = [list(axis) for axis in base]
    places = [list(axis) for axis in axes]
    for run in runs:
        index = 0
        while index + 1 < len(run):
            first, second = run[index], run[index + 1]
            if any(first in axis and axis[axis.index(first) + 1 :][:1] == [second] for axis in places):
                sizes = [*sizes, sizes[first] * sizes[second]]
                run[index : index + 2] = [len(sizes) - 1]
                for axis in places:
                    if first in axis:
                        start = axis.index(first)
                        axis[start : start + 2] = [len(sizes) - 1]
            else:
                index += 1
    numbers = {atom: number for number, atom in enumerate(atom for run in runs for atom in run)}
    return Layout(
        tuple(tuple(numbers[atom] for atom in run) for run in runs),
        tuple(tuple(numbers[atom] for atom in axis) for axis in places),
        tuple(sizes[atom] for atom in numbers),
    )


def plain_layout(shape: Shape) -> Layout:
    """A map as it is.

    >>> plain_layout((6, 1, 4)).axes
    ((0,), (), (1,))
    """
    axes: list[tuple[int, ...]] = []
    sizes: list[int] = []
    for size in shape:
        axes.append(() if size == 1 else (len(sizes),))
        if size != 1:
            sizes.append(size)
    return Layout(tuple(axes), tuple(axes), tuple(sizes))
