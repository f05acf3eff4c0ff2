"""Layers that join several branches."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import ShapeError
from striate.graph.footprint import Extra, Footprint
from striate.graph.layer import SAME_PLACE, Layer, Reach, Step
from striate.units import Shape, format_shape

__all__ = ["Add", "Concat", "Merge", "Multiply"]


def _listed(inputs: tuple[Shape, ...]) -> str:
    return " and ".join(format_shape(shape) for shape in inputs)


class Merge(Layer):
    """What all share: two or more inputs, read at the same place."""

    arity: ClassVar[int | None] = None


@dataclass(frozen=True)
class Add(Merge):
    """The sum of maps of one shape, as at the end of a residual block (He et al. 2015, equation 1).

    >>> Add().output_shape(((64, 8, 8), (64, 8, 8)))
    (64, 8, 8)
    """

    kind: ClassVar[str] = "add"

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """The common shape."""
        if len(set(inputs)) != 1:
            first, other = inputs[0], next(shape for shape in inputs if shape != inputs[0])
            if len(first) != len(other):
                write = "globalavgpool or flatten in one branch, so that both are vectors"
            elif first[1:] == other[1:]:
                write = f"a 1×1 conv with {first[0]} filters in the second branch"
            else:
                write = (
                    "the same strides and paddings in both branches (a 1×1 conv with the same stride in the shortcut)"
                )
            raise ShapeError("these shapes cannot be added", got=_listed(inputs), needs="one shape", write=write)
        return inputs[0]

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """One addition less than there are inputs, for each number."""
        return (len(inputs) - 1) * math.prod(output)

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """Nothing is kept; three or more are added in turn, with one sum in between at a time."""
        partial = Extra("partial sum", math.prod(output), kept=False, inference=True)
        return Footprint(extras=(partial,) if len(inputs) > 2 else (), hands_on=True)

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """The common shape."""
        yield Step("output shape", "the common shape", _listed(inputs), format_shape(inputs[0]))


@dataclass(frozen=True)
class Multiply(Merge):
    """The product of maps; a map of size 1 along an axis is repeated there, as a squeeze-and-excitation gate is.

    >>> Multiply().output_shape(((64, 8, 8), (64, 1, 1)))
    (64, 8, 8)
    """

    kind: ClassVar[str] = "multiply"
    aliases: ClassVar[tuple[str, ...]] = ("mul",)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """The largest size along each spatial axis; the others must equal it or be 1."""
        same = len({len(shape) for shape in inputs}) == 1 and len({shape[0] for shape in inputs}) == 1
        axes = list(zip(*(shape[1:] for shape in inputs), strict=True)) if same else []
        if not same or any(len(set(sizes) - {1}) > 1 for sizes in axes):
            raise ShapeError(
                "these shapes cannot be multiplied",
                got=_listed(inputs),
                needs="the same channels, and along each spatial axis the same size or 1",
                write="globalavgpool with keep: true for a gate, or the same strides in both branches",
            )
        return (inputs[0][0], *(max(sizes) for sizes in axes))

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """One multiplication less than there are inputs, for each number of the product so far."""
        return sum(math.prod(shape) for shape in self._products(inputs))

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """For the gradient of a factor, the other: the maps are multiplied in turn, and each product so far is one."""
        kept: set[int] = set()
        extras = []
        flows = needs[0]
        products = (inputs[0], *self._products(inputs))
        for position in range(1, len(inputs)):
            if flows:
                kept.add(position)
            if position == 1:
                kept.update((0,) if needs[1] else ())
            else:
                # At inference a product is dropped as soon as the next is there.
                last = position == len(inputs) - 1
                count = math.prod(products[position - 1])
                extras.append(Extra("partial product", count, kept=needs[position], inference=last))
            flows = flows or needs[position]
        if any(needed and shape != output for needed, shape in zip(needs, inputs, strict=True)):
            extras.append(Extra("gradient before it is summed", math.prod(output), kept=False, backward=True))
        return Footprint(inputs=tuple(sorted(kept)), extras=tuple(extras))

    def _products(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        """The shape of the product after each of the further inputs."""
        return tuple(self.output_shape(inputs[:count]) for count in range(2, len(inputs) + 1))

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach:
        """The same place, or the single one of a gate."""
        return Reach(0, 0, 0) if self._repeated(inputs, position, axis) else SAME_PLACE

    def reads(self, inputs: tuple[Shape, ...], position: int, axis: int, outputs: frozenset[int]) -> frozenset[int]:
        """The same place, or the single one of a gate."""
        return frozenset({0} if outputs else ()) if self._repeated(inputs, position, axis) else outputs

    def _repeated(self, inputs: tuple[Shape, ...], position: int, axis: int) -> bool:
        return inputs[position][1 + axis] == 1 and self.output_shape(inputs)[1 + axis] > 1

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """The largest size along each axis."""
        output = format_shape(self.output_shape(inputs))
        yield Step("output shape", "the largest size along each axis", _listed(inputs), output)


@dataclass(frozen=True)
class Concat(Merge):
    """Channels of several maps, one after the other.

    >>> Concat().output_shape(((64, 8, 8), (32, 8, 8)))
    (96, 8, 8)
    """

    kind: ClassVar[str] = "concat"
    aliases: ClassVar[tuple[str, ...]] = ("concatenate", "cat")

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """Channels add up; the spatial sizes must agree."""
        if len({shape[1:] for shape in inputs}) != 1 or len({len(shape) for shape in inputs}) != 1:
            raise ShapeError(
                "these shapes cannot be concatenated",
                got=_listed(inputs),
                needs="the same spatial size in every branch",
                write="the same strides and paddings in every branch, or an upsample in the smaller one",
            )
        return (sum(shape[0] for shape in inputs), *inputs[0][1:])

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """None: numbers are only moved."""
        return 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """Nothing."""
        return Footprint(hands_on=True)

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """The sum of the channels."""
        output = self.output_shape(inputs)
        numbers = " + ".join(str(shape[0]) for shape in inputs)
        yield Step("output channels", "sum of the channels", numbers, str(output[0]))
        yield Step("output shape", "channels × the common size", format_shape(output), format_shape(output))
