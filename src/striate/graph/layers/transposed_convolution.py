"""Transposed convolution: the adjoint of a convolution, used to make maps larger."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from striate.errors import ShapeError
from striate.graph.attributes import Sizes, check_count, check_flag, check_sizes, fill, need_spatial, per_axis
from striate.graph.footprint import KEEPS_INPUT, Footprint
from striate.graph.grouping import check_channel_groups, check_filter_groups
from striate.graph.layer import Indices, Layer, Parameter, Reach, Step, axis_names
from striate.units import Shape, format_count, format_shape

__all__ = ["ConvTranspose"]


@dataclass(frozen=True)
class ConvTranspose(Layer):
    """Transposed convolution: every input spreads a weighted window over the output, windows add up.

    Output size along an axis: ``(n - 1)·s - 2·p + d·(k - 1) + output_padding + 1``
    (Dumoulin and Visin 2016, chapter 4).

    Args:
        filters: output channels.
        kernel: window size.
        stride: how far apart neighbouring inputs land in the output.
        padding: how many output pixels are cut off on each side.
        output_padding: extra pixels behind; smaller than stride or dilation.
        dilation: distance between the taps.
        groups: channel groups that do not see each other.
        bias: whether a number is added to each filter's output.

    >>> ConvTranspose(8, 4, stride=2, padding=1).output_shape(((16, 4, 4),))
    (8, 8, 8)
    """

    filters: int
    kernel: Sizes
    stride: Sizes = 1
    padding: Sizes = 0
    output_padding: Sizes = 0
    dilation: Sizes = 1
    groups: int = 1
    bias: bool = True

    kind: ClassVar[str] = "convtranspose"
    aliases: ClassVar[tuple[str, ...]] = ("deconv", "convtranspose1d", "convtranspose2d", "convtranspose3d")
    positional: ClassVar[tuple[str, ...]] = ("filters", "kernel")

    def __post_init__(self) -> None:
        kind = self.kind
        fill(
            self,
            filters=check_count(kind, "filters", self.filters),
            kernel=check_sizes(kind, "kernel", self.kernel),
            stride=check_sizes(kind, "stride", self.stride),
            padding=check_sizes(kind, "padding", self.padding, minimum=0),
            output_padding=check_sizes(kind, "output_padding", self.output_padding, minimum=0),
            dilation=check_sizes(kind, "dilation", self.dilation),
            groups=check_count(kind, "groups", self.groups),
            bias=check_flag(kind, "bias", self.bias),
        )
        check_filter_groups(kind, self.filters, self.groups)

    def _axes(self, rank: int) -> tuple[tuple[int, int, int, int, int], ...]:
        """(kernel, stride, padding, output padding, dilation) for each axis."""
        names = ("kernel", "stride", "padding", "output_padding", "dilation")
        columns = (per_axis(self.kind, name, getattr(self, name), rank) for name in names)
        return tuple(zip(*columns, strict=True))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """``(n - 1)·s - 2·p + d·(k - 1) + output_padding + 1`` along each axis."""
        (shape,) = inputs
        rank = need_spatial(self.kind, shape)
        check_channel_groups(self.kind, shape[0], self.filters, self.groups)
        sizes = []
        for size, (k, s, p, extra, d) in zip(shape[1:], self._axes(rank), strict=True):
            if extra >= max(s, d):
                raise ShapeError(
                    "output_padding must be smaller than the stride or the dilation",
                    got=f"output_padding: {extra}, stride: {s}, dilation: {d}",
                    needs=f"at most {max(s, d) - 1}",
                    write=f"output_padding: {max(s, d) - 1}",
                )
            out = (size - 1) * s - 2 * p + d * (k - 1) + extra + 1
            if out < 1:
                raise ShapeError(
                    "the padding of convtranspose cuts off the whole output",
                    got=f"output size {out} from input {format_shape(shape)} with padding {p}",
                    needs="a smaller padding or a larger input",
                    write="padding: 0",
                )
            sizes.append(out)
        return (self.filters, *sizes)

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """``weight`` of shape (channels, filters / groups, *kernel) and ``bias`` of shape (filters,)."""
        channels, rank = inputs[0][0], len(inputs[0]) - 1
        kernel = per_axis(self.kind, "kernel", self.kernel, rank)
        weight = Parameter("weight", (channels, self.filters // self.groups, *kernel), "weight")
        return (weight, Parameter("bias", (self.filters,), "bias")) if self.bias else (weight,)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """One multiply-add for each weight at each *input* position (those the padding cuts off included)."""
        return math.prod(inputs[0][1:]) * self.parameters(inputs)[0].count

    def backward_macs(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[int, int]:
        """As many as forward, both: each weight at each input position meets a gradient once for either."""
        count = self.macs(inputs, output)
        return count, count

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """The additions of the bias."""
        return math.prod(output) if self.bias else 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The gradient of the weight reads the input again."""
        return KEEPS_INPUT

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach:
        """Output y reads i wherever ``i·s = y + p - t·d``: the hull is ``(y + p - (K-1)) / s`` to ``(y + p) / s``."""
        k, s, p, _, d = self._axes(len(inputs[0]) - 1)[axis]
        if s == 1:
            return Reach(p - d * (k - 1), p, 1)
        return Reach(Fraction(p - d * (k - 1), s), Fraction(p, s), Fraction(1, s))

    def interval(self, inputs: tuple[Shape, ...], position: int, axis: int, output: int) -> tuple[int, int] | None:
        """The places of the first and last tap that falls on an input; dilated taps skip some."""
        k, s, p, _, d = self._axes(len(inputs[0]) - 1)[axis]
        places = [(output + p - tap * d) // s for tap in range(k) if (output + p - tap * d) % s == 0]
        return (min(places), max(places)) if places else None

    def reads(self, inputs: tuple[Shape, ...], position: int, axis: int, outputs: Indices) -> Indices:
        """Exact: with a kernel smaller than the stride some outputs read nothing but the bias."""
        k, s, p, _, d = self._axes(len(inputs[0]) - 1)[axis]
        size = inputs[0][1 + axis]
        found = set()
        for output in outputs:
            for tap in range(k):
                place, rest = divmod(output + p - tap * d, s)
                if rest == 0 and 0 <= place < size:
                    found.add(place)
        return frozenset(found)

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """Output size along each axis."""
        rank = len(inputs[0]) - 1
        output = self.output_shape(inputs)
        for size, out, (k, s, p, extra, d), name in zip(
            inputs[0][1:], output[1:], self._axes(rank), axis_names(rank), strict=True
        ):
            formula = "(n - 1)·s - 2·p + d·(k - 1) + output_padding + 1"
            yield Step(f"output {name}", formula, f"({size} - 1)·{s} - 2·{p} + {d}·({k} - 1) + {extra} + 1", str(out))
        yield Step(
            "output shape", "filters × " + " × ".join(axis_names(rank)), format_shape(output), format_shape(output)
        )

    def mac_step(self, inputs: tuple[Shape, ...], output: Shape) -> Step:
        """Input positions × weights."""
        places = " · ".join(str(size) for size in inputs[0][1:])
        weights = " · ".join(str(size) for size in self.parameters(inputs)[0].shape)
        result = format_count(self.macs(inputs, output))
        return Step("MACs", "input positions · channels · filters per group · kernel", f"{places} · {weights}", result)
