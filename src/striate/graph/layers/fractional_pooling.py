"""Maximum over windows whose step is not a whole number."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from striate.errors import LayerError, ShapeError
from striate.graph.attributes import Sizes, check_number, check_sizes, fill, need_spatial, per_axis
from striate.graph.footprint import Extra, Footprint
from striate.graph.layer import Indices, Layer, Reach, Step, axis_names
from striate.units import Shape, format_shape

__all__ = ["FractionalMaxPool"]


@dataclass(frozen=True)
class FractionalMaxPool(Layer):
    """The largest value of each window, with windows as far apart as the size needs (Graham 2014, section 2).

    Along an axis of n pixels with m outputs, windows of k pixels begin at ``floor((i + u)·a) - floor(u·a)``, with
    ``a = (n - k) / (m - 1)``, and the last one at ``n - k``: PyTorch's sequence. While training, u is drawn from [0, 1)
    for each image, channel and axis. At inference u is 1/2, so that the result is always the same (PyTorch draws there
    too); what is said about receptive fields holds for that.

    Args:
        kernel: window size.
        size: of the output, one number or one for each axis.
        ratio: of the output's size to the input's, rounded down, instead of ``size``; below 1.

    >>> layer = FractionalMaxPool(2, ratio=0.7)
    >>> layer.output_shape(((16, 10, 10),)), layer.starts(10, 7, 2)
    ((16, 7, 7), [0, 2, 3, 4, 6, 7, 8])
    """

    kernel: Sizes
    size: Sizes | None = None
    ratio: float | None = None

    kind: ClassVar[str] = "fractionalmaxpool"
    aliases: ClassVar[tuple[str, ...]] = ("fractionalmaxpool2d", "fractionalmaxpool3d")
    positional: ClassVar[tuple[str, ...]] = ("kernel", "size")

    def __post_init__(self) -> None:
        if (self.size is None) == (self.ratio is None):
            raise LayerError(
                "fractionalmaxpool needs the size or the ratio of its output",
                got="neither" if self.size is None else f"size: {self.size}, ratio: {self.ratio}",
                needs="one of them",
                write="fractionalmaxpool: {kernel: 2, ratio: 0.7}",
            )
        fill(self, kernel=check_sizes(self.kind, "kernel", self.kernel))
        if self.size is not None:
            fill(self, size=check_sizes(self.kind, "size", self.size))
        if self.ratio is not None:
            fill(self, ratio=check_number(self.kind, "ratio", self.ratio, low=0.001, high=1.0, below=True))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """The size asked for; channels stay."""
        (shape,) = inputs
        rank = need_spatial(self.kind, shape)
        kernels = self.kernels(rank)
        if self.ratio is not None:
            sizes = tuple(int(size * self.ratio) for size in shape[1:])
        else:
            sizes = per_axis(self.kind, "size", self.size or 1, rank)
        for size, out, kernel in zip(shape[1:], sizes, kernels, strict=True):
            if out < 1 or out + kernel - 1 > size:
                raise ShapeError(
                    "fractionalmaxpool cannot place its windows",
                    got=f"{out} windows of {kernel} on {size} pixels, input {format_shape(shape)}",
                    needs=f"at least 1 window, and at most {max(size - kernel + 1, 0)}: n - kernel + 1",
                    write=f"size: {max(1, (min(shape[1:]) - max(kernels) + 1) // 2)}",
                )
        return (shape[0], *sizes)

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """k - 1 comparisons for each output, of the k pixels of its window."""
        return math.prod(output) * (math.prod(self.kernels(len(output) - 1)) - 1)

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The input, and where each maximum was found; at inference, the pixels of each tap along an axis, twice."""
        sizes, most = list(inputs[0]), 0
        for axis, kernel in enumerate(self.kernels(len(output) - 1), start=1):
            before = math.prod(sizes) if axis > 1 else 0
            sizes[axis] = output[axis]
            # The output, which is counted by itself, is not there yet.
            most = max(most, before + 2 * kernel * math.prod(sizes) - math.prod(output))
        indices, taps = Extra("indices", math.prod(output), "index"), Extra("taps", most, kept=False, inference=True)
        return Footprint((0,), extras=(indices, taps))

    def kernels(self, rank: int) -> tuple[int, ...]:
        """The window along each axis."""
        return per_axis(self.kind, "kernel", self.kernel, rank)

    def starts(self, size: int, outputs: int, kernel: int) -> list[int]:
        """Where each window of an axis begins at inference."""
        return [_start(output, size, outputs, kernel) for output in range(outputs)]

    def _axis(self, inputs: tuple[Shape, ...], axis: int) -> tuple[int, int, int]:
        """Input size, output size and window of one axis."""
        return inputs[0][1 + axis], self.output_shape(inputs)[1 + axis], self.kernels(len(inputs[0]) - 1)[axis]

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach:
        """The hull over all windows: a step of a, and a place that varies by less than a pixel."""
        size, outputs, kernel = self._axis(inputs, axis)
        room, gaps = size - kernel, outputs - 1
        if gaps == 0:
            return Reach(room, size - 1, 0)
        if room % gaps == 0:
            return Reach(0, kernel - 1, room // gaps)
        # floor((i + 1/2)·a) is i·a + a/2 less a remainder of /(2·gaps) that takes every value it can.
        spacing = 2 * math.gcd(room, gaps)
        least = room % spacing
        most = 2 * gaps - spacing + least
        begin = Fraction(room, 2 * gaps) - room // (2 * gaps)
        low, high = begin - Fraction(most, 2 * gaps), begin - Fraction(least, 2 * gaps)
        return Reach(low, high + kernel - 1, Fraction(room, gaps))

    def reads(self, inputs: tuple[Shape, ...], position: int, axis: int, outputs: Indices) -> Indices:
        """Exact, at inference."""
        size, count, kernel = self._axis(inputs, axis)
        starts = (_start(output, size, count, kernel) for output in outputs)
        return frozenset(start + tap for start in starts for tap in range(kernel))

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """The size asked for, and where the windows begin."""
        output = self.output_shape(inputs)
        for axis, name in enumerate(axis_names(len(output) - 1)):
            size, outputs, kernel = self._axis(inputs, axis)
            if self.ratio is not None:
                yield Step(f"output {name}", "floor(n · ratio)", f"floor({size} · {self.ratio:g})", str(outputs))
            begins = ", ".join(str(_start(output, size, outputs, kernel)) for output in range(min(outputs, 8)))
            yield Step(
                f"windows {name}",
                "floor((i + 1/2)·a) - floor(a/2), a = (n - k) / (m - 1)",
                f"n = {size}, k = {kernel}, m = {outputs}",
                begins + (", …" if outputs > 8 else ""),
            )
        yield Step("output shape", "channels × size", format_shape(output), format_shape(output))


def _start(output: int, size: int, outputs: int, kernel: int) -> int:
    room, gaps = size - kernel, outputs - 1
    if output == gaps:
        return room
    return (2 * output + 1) * room // (2 * gaps) - room // (2 * gaps)
