"""Padding on its own: pixels put around a map."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import LayerError, ShapeError
from striate.graph.attributes import Pads, check_choice, check_number, check_pads, fill, need_spatial, per_axis_pads
from striate.graph.footprint import KEEPS_INPUT, KEEPS_NOTHING, Footprint
from striate.graph.layer import Indices, Layer, Reach, Step, axis_names
from striate.graph.layers.convolution import PADDING_MODES
from striate.graph.windows import fold_back
from striate.units import Shape, format_shape

__all__ = ["Pad"]


@dataclass(frozen=True)
class Pad(Layer):
    """Pixels put around a map.

    Args:
        amount: how many, one number, one for each axis, or a (before, after) pair for each axis.
        mode: what stands there: ``zero`` (or ``value``), ``reflect``, ``replicate`` or ``circular``.
        value: the number that stands there with ``zero``.

    >>> Pad(3, "reflect").output_shape(((3, 32, 32),)), Pad([[0, 1], 0]).output_shape(((8, 32, 32),))
    ((3, 38, 38), (8, 33, 32))
    """

    amount: Pads
    mode: str = "zero"
    value: float = 0.0

    kind: ClassVar[str] = "pad"
    aliases: ClassVar[tuple[str, ...]] = ("zeropadding", "zeropadding1d", "zeropadding2d", "zeropadding3d")
    positional: ClassVar[tuple[str, ...]] = ("amount",)
    words: ClassVar[str | None] = "mode"

    def __post_init__(self) -> None:
        mode = "zero" if self.mode in ("zeros", "constant") else self.mode
        fill(
            self,
            amount=check_pads(self.kind, "amount", self.amount, ()),
            mode=check_choice(self.kind, "mode", mode, PADDING_MODES),
            value=check_number(self.kind, "value", self.value, low=-1e30, high=1e30),
        )
        if self.value and self.mode != "zero":
            raise LayerError(
                f"pad with the mode {self.mode} takes its numbers from the map, not from value",
                got=f"value: {self.value:g}, mode: {self.mode}",
                needs="value with mode: zero alone",
                write="value: 0",
            )

    def amounts(self, rank: int) -> tuple[tuple[int, int], ...]:
        """What is put before and after, along each axis."""
        return per_axis_pads(self.kind, "amount", self.amount, rank)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """``n + before + after`` along each axis; channels stay."""
        (shape,) = inputs
        amounts = self.amounts(need_spatial(self.kind, shape))
        limit = {"reflect": -1, "circular": 0}.get(self.mode)
        for (before, after), size in zip(amounts, shape[1:], strict=True):
            if limit is not None and max(before, after) > size + limit:
                raise ShapeError(
                    f"{self.mode} padding needs enough pixels to take from",
                    got=f"padding {before}+{after} on {size} pixels, input {format_shape(shape)}",
                    needs=f"at most {size + limit} on each side",
                    write="mode: zero, or less padding",
                )
        return (shape[0], *(n + before + after for n, (before, after) in zip(shape[1:], amounts, strict=True)))

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """None: numbers are only moved."""
        return 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The input where it was reflected or replicated; only its shape counts."""
        return KEEPS_INPUT if self.mode in ("reflect", "replicate") else KEEPS_NOTHING

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach:
        """Output y reads ``y - before``; what a mirrored, repeated or wrapped pixel shows is not counted."""
        before = self.amounts(len(inputs[0]) - 1)[axis][0]
        return Reach(-before, -before, 1)

    def reads(self, inputs: tuple[Shape, ...], position: int, axis: int, outputs: Indices) -> Indices:
        """Exact: nothing in the padding, or the pixels that the mode copies."""
        before = self.amounts(len(inputs[0]) - 1)[axis][0]
        return fold_back((output - before for output in outputs), inputs[0][1 + axis], self.mode)

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """The sizes with the padding."""
        output = self.output_shape(inputs)
        rank = len(output) - 1
        rows = zip(axis_names(rank), inputs[0][1:], self.amounts(rank), output[1:], strict=True)
        for name, size, (before, after), out in rows:
            yield Step(f"output {name}", "n + before + after", f"{size} + {before} + {after}", str(out))
        yield Step("output shape", "channels × sizes", format_shape(output), format_shape(output))
