"""Layers that move channels: into the map, or among each other."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from striate.errors import ShapeError
from striate.graph.attributes import check_count, fill, need_spatial
from striate.graph.footprint import KEEPS_NOTHING, VIEW, Footprint
from striate.graph.layer import SAME_PLACE, Indices, Layer, Reach, Step, axis_names
from striate.units import Shape, format_shape

__all__ = ["ChannelShuffle", "PixelShuffle"]


@dataclass(frozen=True)
class PixelShuffle(Layer):
    """Channels become pixels: every ``scale × scale`` of them one block (Shi et al. 2016, section 3.2).

    ``out[c, y·r + i, x·r + j] = in[c·r² + i·r + j, y, x]``, with r = ``scale``; on maps with one or three axes
    likewise with r or r³ channels for one.

    Args:
        scale: whole factor of every axis.

    >>> PixelShuffle(2).output_shape(((64, 8, 8),))
    (16, 16, 16)
    """

    scale: int

    kind: ClassVar[str] = "pixelshuffle"
    positional: ClassVar[tuple[str, ...]] = ("scale",)

    def __post_init__(self) -> None:
        fill(self, scale=check_count(self.kind, "scale", self.scale))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """Channels / scale^axes, and every size × scale."""
        (shape,) = inputs
        rank = need_spatial(self.kind, shape)
        block = self.scale**rank
        if shape[0] % block:
            wanted = block * max(1, round(shape[0] / block))
            raise ShapeError(
                "pixelshuffle cannot divide its channels into blocks of pixels",
                got=f"{format_shape(shape)}, scale: {self.scale}",
                needs=f"channels that are a multiple of {block} ({self.scale} along each of {rank} axes)",
                write=f"a conv with {wanted} filters before it",
            )
        return (shape[0] // block, *(size * self.scale for size in shape[1:]))

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """None: numbers are only moved."""
        return 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """Nothing."""
        return VIEW if self.scale == 1 and len(output) != 3 else KEEPS_NOTHING

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach:
        """Output y reads ``floor(y / scale)``: the hull over the phases."""
        if self.scale == 1:
            return SAME_PLACE
        return Reach(Fraction(1 - self.scale, self.scale), 0, Fraction(1, self.scale))

    def reads(self, inputs: tuple[Shape, ...], position: int, axis: int, outputs: Indices) -> Indices:
        """``floor(y / scale)``."""
        return frozenset(output // self.scale for output in outputs)

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """Channels and sizes."""
        output, rank = self.output_shape(inputs), len(inputs[0]) - 1
        block = " · ".join([str(self.scale)] * rank)
        yield Step("output channels", "channels / scale^axes", f"{inputs[0][0]} / ({block})", str(output[0]))
        for name, size, out in zip(axis_names(rank), inputs[0][1:], output[1:], strict=True):
            yield Step(f"output {name}", "n · scale", f"{size} · {self.scale}", str(out))
        yield Step("output shape", "channels × sizes", format_shape(output), format_shape(output))


@dataclass(frozen=True)
class ChannelShuffle(Layer):
    """Deal the channels of each group out to all groups (Zhang et al., "ShuffleNet", 2018, section 3.1).

    Channel ``g·n + i`` of the input (group g, n channels in each) becomes channel ``i·groups + g``.

    Args:
        groups: how many groups; must divide the channels.

    >>> ChannelShuffle(3).output_shape(((240, 28, 28),))
    (240, 28, 28)
    """

    groups: int

    kind: ClassVar[str] = "channelshuffle"
    positional: ClassVar[tuple[str, ...]] = ("groups",)

    def __post_init__(self) -> None:
        fill(self, groups=check_count(self.kind, "groups", self.groups))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """As the input, whose channels must be a multiple of the groups."""
        (shape,) = inputs
        if shape[0] % self.groups:
            raise ShapeError(
                "channelshuffle cannot divide its channels among its groups",
                got=f"{shape[0]} channels, groups: {self.groups}",
                needs="channels that are a multiple of groups",
                write=f"groups: {math.gcd(shape[0], self.groups)}",
            )
        return shape

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """None: numbers are only moved."""
        return 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """Nothing."""
        return VIEW if self.groups in (1, output[0]) else KEEPS_NOTHING
