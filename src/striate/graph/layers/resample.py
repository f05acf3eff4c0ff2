"""Layers that change the size of maps without weights."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from striate.graph.attributes import Sizes, check_choice, check_flag, check_sizes, fill, need_spatial, per_axis
from striate.graph.footprint import KEEPS_NOTHING, Footprint
from striate.graph.layer import SAME_PLACE, Indices, Layer, Reach, Step, axis_names
from striate.graph.likeness import need_alike
from striate.graph.sampling import Sampling, check_corners
from striate.units import Shape, format_shape

__all__ = ["Resample", "Resize", "ResizeLike", "Upsample"]


class Resample(Layer):
    """What all share: every axis is resampled for itself, see :mod:`striate.graph.sampling`."""

    mode: str
    align_corners: bool

    words: ClassVar[str | None] = "mode"

    def _check(self) -> None:
        mode = "linear" if self.mode in ("bilinear", "trilinear") else self.mode
        fill(
            self,
            mode=check_choice(self.kind, "mode", mode, ("nearest", "linear")),
            align_corners=check_flag(self.kind, "align_corners", self.align_corners),
        )
        check_corners(self.kind, self.mode, self.align_corners)

    def sampling(self, inputs: tuple[Shape, ...], axis: int) -> Sampling:
        """How one spatial axis is resampled."""
        outputs = self.output_shape(inputs)[1 + axis]
        return Sampling(inputs[0][1 + axis], outputs, self.mode, self.align_corners)

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """With ``linear`` ``3·(2^axes - 1)`` for each output: interpolations of three operations, ``a + t·(b - a)``."""
        return 3 * (2 ** (len(output) - 1) - 1) * math.prod(output) if self.mode == "linear" else 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """Nothing: places and shares follow from the sizes."""
        return KEEPS_NOTHING

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach:
        """The hull over the phases of an output between two inputs."""
        return SAME_PLACE if position in self.shape_only else self.sampling(inputs, axis).reach

    def reads(self, inputs: tuple[Shape, ...], position: int, axis: int, outputs: Indices) -> Indices:
        """Exact; nothing of a reference, of which the size alone counts."""
        return frozenset() if position in self.shape_only else self.sampling(inputs, axis).reads(outputs)

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """The sizes asked for."""
        output = self.output_shape(inputs)
        for axis, name in enumerate(axis_names(len(output) - 1)):
            numbers = f"{inputs[0][1 + axis]} → {output[1 + axis]}"
            yield Step(f"output {name}", self._formula, numbers, str(output[1 + axis]))
        yield Step("output shape", "channels × sizes", format_shape(output), format_shape(output))

    _formula: ClassVar[str] = "the size asked for"


@dataclass(frozen=True)
class Upsample(Resample):
    """Every map ``scale`` times larger.

    Args:
        scale: whole factor, one number or one for each axis.
        mode: ``nearest`` (repeat) or ``linear`` (linear, bilinear or trilinear by the number of axes).
        align_corners: with ``linear``, put the first and last pixel of both maps on each other,
            ``src = y · (n - 1) / (m - 1)``, instead of aligning pixel centres, ``src = (y + 1/2) / scale - 1/2``.

    >>> Upsample(2).output_shape(((64, 7, 7),))
    (64, 14, 14)
    """

    scale: Sizes
    mode: str = "nearest"
    align_corners: bool = False

    kind: ClassVar[str] = "upsample"
    aliases: ClassVar[tuple[str, ...]] = ("upsampling", "upsampling2d")
    positional: ClassVar[tuple[str, ...]] = ("scale",)

    def __post_init__(self) -> None:
        fill(self, scale=check_sizes(self.kind, "scale", self.scale))
        self._check()

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """Size × scale along each axis; channels stay."""
        (shape,) = inputs
        rank = need_spatial(self.kind, shape)
        scales = per_axis(self.kind, "scale", self.scale, rank)
        return (shape[0], *(size * scale for size, scale in zip(shape[1:], scales, strict=True)))

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """Size × scale along each axis."""
        output = self.output_shape(inputs)
        for size, out, name in zip(inputs[0][1:], output[1:], axis_names(len(output) - 1), strict=True):
            yield Step(f"output {name}", "n · scale", f"{size} · {out // size}", str(out))
        yield Step("output shape", "channels × sizes", format_shape(output), format_shape(output))


@dataclass(frozen=True)
class Resize(Resample):
    """Every map brought to ``size``, larger or smaller, without looking at more than the nearest pixels.

    Args:
        size: of the output, one number or one for each axis.
        mode: ``nearest`` (``src = floor(y · n / m)``) or ``linear`` (linear, bilinear or trilinear by the number of
            axes; a smaller size is not smoothed before).
        align_corners: with ``linear``, ``src = y · (n - 1) / (m - 1)`` instead of ``(y + 1/2) · n / m - 1/2``.

    >>> Resize(60, "linear").output_shape(((64, 7, 9),))
    (64, 60, 60)
    """

    size: Sizes
    mode: str = "nearest"
    align_corners: bool = False

    kind: ClassVar[str] = "resize"
    aliases: ClassVar[tuple[str, ...]] = ("interpolate",)
    positional: ClassVar[tuple[str, ...]] = ("size",)

    def __post_init__(self) -> None:
        fill(self, size=check_sizes(self.kind, "size", self.size))
        self._check()

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """The size asked for; channels stay."""
        (shape,) = inputs
        rank = need_spatial(self.kind, shape)
        return (shape[0], *per_axis(self.kind, "size", self.size, rank))


@dataclass(frozen=True)
class ResizeLike(Resample):
    """The first map brought to the spatial size of the second, of which nothing else is taken.

    Args:
        mode: as in :class:`Resize`.
        align_corners: as in :class:`Resize`.

    >>> ResizeLike("linear").output_shape(((256, 7, 7), (64, 15, 20)))
    (256, 15, 20)
    """

    mode: str = "nearest"
    align_corners: bool = False

    kind: ClassVar[str] = "resizelike"
    arity: ClassVar[int | None] = 2
    roles: ClassVar[tuple[str, ...]] = ("like",)
    shape_only: ClassVar[tuple[int, ...]] = (1,)
    _formula: ClassVar[str] = "the size of the reference"

    def __post_init__(self) -> None:
        self._check()

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """The reference's size; channels stay."""
        need_alike(self.kind, inputs)
        return (inputs[0][0], *inputs[1][1:])
