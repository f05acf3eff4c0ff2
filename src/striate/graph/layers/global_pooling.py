"""Pooling to a size that does not depend on the input: global and adaptive."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal

from striate.graph.attributes import Sizes, check_flag, check_sizes, fill, need_spatial, per_axis
from striate.graph.footprint import KEEPS_INPUT, KEEPS_NOTHING, Extra, Footprint
from striate.graph.layer import EVERYTHING, Indices, Layer, Reach, Step, axis_names
from striate.units import Shape, format_shape

__all__ = ["AdaptiveAvgPool", "AdaptiveMaxPool", "AdaptivePool", "GlobalAvgPool", "GlobalMaxPool", "GlobalPool"]


class GlobalPool(Layer):
    """What both global poolings share."""

    keep: bool

    positional: ClassVar[tuple[str, ...]] = ("keep",)

    def __post_init__(self) -> None:
        fill(self, keep=check_flag(self.kind, "keep", self.keep))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """One number for each channel: a vector, or a map of size 1 with ``keep``."""
        (shape,) = inputs
        rank = need_spatial(self.kind, shape)
        return (shape[0], *(1,) * rank) if self.keep else (shape[0],)

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach | Literal["everything"]:
        """The whole map."""
        return EVERYTHING

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """One number for each channel."""
        output = format_shape(self.output_shape(inputs))
        yield Step("output shape", "one number for each channel", f"{format_shape(inputs[0])} → {output}", output)


@dataclass(frozen=True)
class GlobalAvgPool(GlobalPool):
    """The mean of each channel's whole map (Lin, Chen, Yan, "Network in network", 2014, section 3.2).

    Args:
        keep: keep the spatial axes at size 1, as a squeeze-and-excitation gate needs.

    >>> GlobalAvgPool().output_shape(((512, 7, 7),))
    (512,)
    """

    keep: bool = False

    kind: ClassVar[str] = "globalavgpool"
    aliases: ClassVar[tuple[str, ...]] = ("gap", "globalaveragepool", "globalaveragepooling")

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """n - 1 additions and a division for each mean of n numbers."""
        return math.prod(inputs[0])

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """Nothing: the gradient of a mean is the same for all its numbers."""
        return KEEPS_NOTHING


@dataclass(frozen=True)
class GlobalMaxPool(GlobalPool):
    """The largest value of each channel's whole map.

    Args:
        keep: keep the spatial axes at size 1.
    """

    keep: bool = False

    kind: ClassVar[str] = "globalmaxpool"
    aliases: ClassVar[tuple[str, ...]] = ("globalmaxpooling",)

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """n - 1 comparisons for each maximum of n numbers."""
        return math.prod(inputs[0]) - math.prod(output)

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """Input and output: the backward pass looks again for the numbers that are the maximum."""
        places = Extra("places of the maximum", math.prod(inputs[0]), "flag", kept=False, backward=True)
        return Footprint(inputs=(0,), output=True, extras=(places,))


class AdaptivePool(Layer):
    """What both adaptive poolings share: bin i of n covers ``floor(i·size/n)`` to ``ceil((i+1)·size/n) - 1``."""

    size: Sizes

    positional: ClassVar[tuple[str, ...]] = ("size",)

    def __post_init__(self) -> None:
        fill(self, size=check_sizes(self.kind, "size", self.size))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """The size asked for; channels stay."""
        (shape,) = inputs
        rank = need_spatial(self.kind, shape)
        return (shape[0], *per_axis(self.kind, "size", self.size, rank))

    def _bin(self, index: int, size: int, bins: int) -> tuple[int, int]:
        return index * size // bins, -(-(index + 1) * size // bins) - 1

    def _reads(self, shape: Shape, output: Shape) -> int:
        """How many numbers all bins read together; they overlap where the size is no multiple of the bins."""
        edges = ([self._bin(i, n, bins) for i in range(bins)] for n, bins in zip(shape[1:], output[1:], strict=True))
        return shape[0] * math.prod(sum(end - start + 1 for start, end in axis) for axis in edges)

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach | Literal["everything"]:
        """The hull over all bins; bins differ in size where n does not divide the input."""
        rank, size = len(inputs[0]) - 1, inputs[0][1 + axis]
        bins = per_axis(self.kind, "size", self.size, rank)[axis]
        if bins == 1:
            return EVERYTHING
        if size % bins == 0:
            return Reach(0, size // bins - 1, size // bins)
        step = Fraction(size, bins)
        edges = [self._bin(index, size, bins) for index in range(bins)]
        low = min(start - index * step for index, (start, _) in enumerate(edges))
        high = max(end - index * step for index, (_, end) in enumerate(edges))
        return Reach(low, high, step)

    def reads(self, inputs: tuple[Shape, ...], position: int, axis: int, outputs: Indices) -> Indices:
        """Exact bins."""
        rank, size = len(inputs[0]) - 1, inputs[0][1 + axis]
        bins = per_axis(self.kind, "size", self.size, rank)[axis]
        found: set[int] = set()
        for index in outputs:
            start, end = self._bin(index, size, bins)
            found.update(range(start, end + 1))
        return frozenset(found)

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """The size asked for, and how the bins are cut."""
        output = self.output_shape(inputs)
        for name, size, bins in zip(axis_names(len(output) - 1), inputs[0][1:], output[1:], strict=True):
            edges = ", ".join("{}-{}".format(*self._bin(index, size, bins)) for index in range(min(bins, 8)))
            yield Step(
                f"bins {name}",
                "floor(i·n/bins) to ceil((i+1)·n/bins) - 1",
                f"n = {size}, bins = {bins}",
                edges + (", …" if bins > 8 else ""),
            )
        yield Step("output shape", "channels × size", format_shape(output), format_shape(output))


@dataclass(frozen=True)
class AdaptiveAvgPool(AdaptivePool):
    """The mean over as many bins as asked for, whatever the input size.

    >>> AdaptiveAvgPool(7).output_shape(((512, 10, 13),))
    (512, 7, 7)
    """

    size: Sizes

    kind: ClassVar[str] = "adaptiveavgpool"
    aliases: ClassVar[tuple[str, ...]] = ("adaptiveaveragepool",)

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """n - 1 additions and a division for each bin of n numbers."""
        return self._reads(inputs[0], output)

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The input, of which only the shape counts, unless there is one bin for all."""
        return KEEPS_NOTHING if math.prod(output[1:]) == 1 else KEEPS_INPUT


@dataclass(frozen=True)
class AdaptiveMaxPool(AdaptivePool):
    """The maximum over as many bins as asked for, whatever the input size."""

    size: Sizes

    kind: ClassVar[str] = "adaptivemaxpool"

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """n - 1 comparisons for each bin of n numbers."""
        return self._reads(inputs[0], output) - math.prod(output)

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The input, and where each maximum was found."""
        return Footprint((0,), extras=(Extra("indices", math.prod(output), "index", inference=True),))
