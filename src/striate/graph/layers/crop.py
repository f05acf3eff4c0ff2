"""Layers that cut off the edges of maps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import ShapeError
from striate.graph.attributes import (
    Pads,
    Sizes,
    check_choice,
    check_pads,
    check_sizes,
    fill,
    need_spatial,
    per_axis,
    per_axis_pads,
)
from striate.graph.footprint import VIEW, Footprint
from striate.graph.layer import SAME_PLACE, Indices, Layer, Reach, Step, axis_names
from striate.graph.likeness import need_alike
from striate.units import Shape, format_shape

__all__ = ["Crop", "CropLike"]


@dataclass(frozen=True)
class Crop(Layer):
    """Rows and columns cut off.

    Args:
        amount: how many, one number, one for each axis, or a (before, after) pair for each axis.

    >>> Crop(2).output_shape(((8, 32, 32),)), Crop([[0, 1], 0]).output_shape(((8, 32, 32),))
    ((8, 28, 28), (8, 31, 32))
    """

    amount: Pads

    kind: ClassVar[str] = "crop"
    aliases: ClassVar[tuple[str, ...]] = ("cropping", "cropping1d", "cropping2d", "cropping3d")
    positional: ClassVar[tuple[str, ...]] = ("amount",)

    def __post_init__(self) -> None:
        fill(self, amount=check_pads(self.kind, "amount", self.amount, ()))

    def amounts(self, rank: int) -> tuple[tuple[int, int], ...]:
        """What is cut off before and after, along each axis."""
        return per_axis_pads(self.kind, "amount", self.amount, rank)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """``n - before - after`` along each axis; channels stay."""
        (shape,) = inputs
        amounts = self.amounts(need_spatial(self.kind, shape))
        sizes = tuple(size - before - after for size, (before, after) in zip(shape[1:], amounts, strict=True))
        if min(sizes) < 1:
            axis = sizes.index(min(sizes))
            raise ShapeError(
                "crop cuts off the whole map",
                got=f"amount {amounts[axis][0]}+{amounts[axis][1]} of {shape[1 + axis]} pixels, "
                f"input {format_shape(shape)}",
                needs=f"at most {shape[1 + axis] - 1} in all",
                write=f"amount: {(min(shape[1:]) - 1) // 2}",
            )
        return (shape[0], *sizes)

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """None: numbers are left out."""
        return 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """A part of the input's memory, which stays as a whole."""
        return VIEW

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach:
        """Output y reads ``y + before``."""
        before = self.amounts(len(inputs[0]) - 1)[axis][0]
        return Reach(before, before, 1)

    def reads(self, inputs: tuple[Shape, ...], position: int, axis: int, outputs: Indices) -> Indices:
        """``y + before``."""
        before = self.amounts(len(inputs[0]) - 1)[axis][0]
        return frozenset(output + before for output in outputs)

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """The sizes that are left."""
        output = self.output_shape(inputs)
        rank = len(output) - 1
        rows = zip(axis_names(rank), inputs[0][1:], self.amounts(rank), output[1:], strict=True)
        for name, size, (before, after), out in rows:
            yield Step(f"output {name}", "n - before - after", f"{size} - {before} - {after}", str(out))
        yield Step("output shape", "channels × sizes", format_shape(output), format_shape(output))


@dataclass(frozen=True)
class CropLike(Layer):
    """The first map cut to the spatial size of the second, of which nothing else is taken.

    Args:
        offset: how much is cut off before: ``center`` (half of what is too much, rounded down; U-Net, Ronneberger
            et al. 2015) or a number, one for each axis (the fully convolutional networks of Long et al. 2015 use 5, 9
            and 19).

    >>> CropLike().output_shape(((64, 64, 64), (64, 56, 57)))
    (64, 56, 57)
    >>> CropLike().offsets(((64, 64, 64), (64, 56, 57)))
    (4, 3)
    """

    offset: str | Sizes = "center"

    kind: ClassVar[str] = "croplike"
    arity: ClassVar[int | None] = 2
    words: ClassVar[str | None] = "offset"
    roles: ClassVar[tuple[str, ...]] = ("like",)
    shape_only: ClassVar[tuple[int, ...]] = (1,)

    def __post_init__(self) -> None:
        if isinstance(self.offset, str):
            word = "center" if self.offset == "centre" else self.offset
            fill(self, offset=check_choice(self.kind, "offset", word, ("center",)))
        else:
            fill(self, offset=check_sizes(self.kind, "offset", self.offset, minimum=0))

    def offsets(self, inputs: tuple[Shape, ...]) -> tuple[int, ...]:
        """What is cut off before, along each axis."""
        rank = need_alike(self.kind, inputs)
        shape, reference = inputs
        if isinstance(self.offset, str):
            return tuple((size - wanted) // 2 for size, wanted in zip(shape[1:], reference[1:], strict=True))
        return per_axis(self.kind, "offset", self.offset, rank)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """The reference's size, which must fit into the map; channels stay."""
        offsets = self.offsets(inputs)
        shape, reference = inputs
        for size, wanted, offset in zip(shape[1:], reference[1:], offsets, strict=True):
            if size < wanted or offset + wanted > size:
                raise ShapeError(
                    "croplike cannot cut the reference's size out of its map",
                    got=f"{wanted} of {size} pixels at offset {offset}: {format_shape(shape)} to the size of "
                    f"{format_shape(reference)}",
                    needs="a map that is large enough along every axis, offset included",
                    write="offset: center" if size >= wanted else "resizelike, or the two layers the other way round",
                )
        return (shape[0], *reference[1:])

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """None: numbers are left out."""
        return 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """A part of the input's memory, which stays as a whole."""
        return VIEW

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach:
        """Output y reads ``y + offset``."""
        if position in self.shape_only:
            return SAME_PLACE
        offset = self.offsets(inputs)[axis]
        return Reach(offset, offset, 1)

    def reads(self, inputs: tuple[Shape, ...], position: int, axis: int, outputs: Indices) -> Indices:
        """``y + offset``; nothing of the reference, of which the size alone counts."""
        if position in self.shape_only:
            return frozenset()
        offset = self.offsets(inputs)[axis]
        return frozenset(output + offset for output in outputs)

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """Where the cut begins and how large it is."""
        output, offsets = self.output_shape(inputs), self.offsets(inputs)
        rows = zip(axis_names(len(output) - 1), inputs[0][1:], output[1:], offsets, strict=True)
        for name, size, out, offset in rows:
            formula = "floor((n - m) / 2)" if self.offset == "center" else "given"
            numbers = f"floor(({size} - {out}) / 2)" if self.offset == "center" else str(offset)
            yield Step(f"offset {name}", formula, numbers, str(offset))
            yield Step(f"output {name}", "the size of the reference", f"{size} → {out}", str(out))
        yield Step("output shape", "channels × sizes", format_shape(output), format_shape(output))
