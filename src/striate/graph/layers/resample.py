"""Layers that make maps larger without weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from striate.graph.attributes import Sizes, check_choice, check_sizes, fill, need_spatial, per_axis
from striate.graph.layer import SAME_PLACE, Indices, Layer, Reach, Step, axis_names
from striate.units import Shape, format_shape

__all__ = ["Upsample"]


@dataclass(frozen=True)
class Upsample(Layer):
    """Every map ``scale`` times larger.

    Args:
        scale: whole factor, one number or one for each axis.
        mode: ``nearest`` (repeat) or ``linear`` (linear, bilinear or trilinear by the number of axes; pixel centres
            are aligned, ``src = (y + 1/2) / scale - 1/2``, PyTorch's ``align_corners=False``).

    >>> Upsample(2).output_shape(((64, 7, 7),))
    (64, 14, 14)
    """

    scale: Sizes
    mode: str = "nearest"

    kind: ClassVar[str] = "upsample"
    aliases: ClassVar[tuple[str, ...]] = ("upsampling", "upsampling2d")
    positional: ClassVar[tuple[str, ...]] = ("scale",)
    words: ClassVar[str | None] = "mode"

    def __post_init__(self) -> None:
        mode = "linear" if self.mode in ("bilinear", "trilinear") else self.mode
        fill(
            self,
            scale=check_sizes(self.kind, "scale", self.scale),
            mode=check_choice(self.kind, "mode", mode, ("nearest", "linear")),
        )

    def _scale(self, inputs: tuple[Shape, ...], axis: int) -> int:
        return per_axis(self.kind, "scale", self.scale, len(inputs[0]) - 1)[axis]

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """Size × scale along each axis; channels stay."""
        (shape,) = inputs
        rank = need_spatial(self.kind, shape)
        scales = per_axis(self.kind, "scale", self.scale, rank)
        return (shape[0], *(size * scale for size, scale in zip(shape[1:], scales, strict=True)))

    def _sources(self, output: int, scale: int) -> tuple[int, int]:
        """First and last input of one output, before clipping to the map."""
        if self.mode == "nearest":
            return output // scale, output // scale
        place, rest = divmod(2 * output + 1 - scale, 2 * scale)
        return place, place + (1 if rest else 0)

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach:
        """The hull over the phases of an output inside its input pixel."""
        scale = self._scale(inputs, axis)
        if scale == 1:
            return SAME_PLACE
        step = Fraction(1, scale)
        edges = [(phase, *self._sources(phase, scale)) for phase in range(scale)]
        low = min(first - phase * step for phase, first, _ in edges)
        high = max(last - phase * step for phase, _, last in edges)
        return Reach(low, high, step)

    def reads(self, inputs: tuple[Shape, ...], position: int, axis: int, outputs: Indices) -> Indices:
        """Exact, clipped to the map."""
        scale, size = self._scale(inputs, axis), inputs[0][1 + axis]
        found = set()
        for output in outputs:
            for place in self._sources(output, scale):
                found.add(min(max(place, 0), size - 1))
        return frozenset(found)

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """Size × scale along each axis."""
        output = self.output_shape(inputs)
        for axis, name in enumerate(axis_names(len(output) - 1)):
            numbers = f"{inputs[0][1 + axis]} · {self._scale(inputs, axis)}"
            yield Step(f"output {name}", "n · scale", numbers, str(output[1 + axis]))
        yield Step("output shape", "channels × sizes", format_shape(output), format_shape(output))
