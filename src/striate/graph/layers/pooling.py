"""Pooling over sliding windows: what all share, maximum and average."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import LayerError, ShapeError
from striate.graph.attributes import (
    Pads,
    Sizes,
    check_flag,
    check_pads,
    check_sizes,
    fill,
    need_spatial,
    per_axis,
    per_axis_pads,
)
from striate.graph.footprint import KEEPS_INPUT, Extra, Footprint
from striate.graph.layer import Indices, Layer, Reach, Step, axis_names
from striate.graph.windows import Window, fold_back, slide, window_steps
from striate.units import Shape, format_shape

__all__ = ["AvgPool", "MaxPool", "Pool"]

PADDING_WORDS = ("same", "valid")


class Pool(Layer):
    """What all poolings over windows share: the window, its checks and its reach."""

    kernel: Sizes
    stride: Sizes | None
    # A pooling without these attributes has no padding and keeps whole windows only.
    padding: Pads = 0
    ceil_mode: bool = False

    positional: ClassVar[tuple[str, ...]] = ("kernel", "stride")
    words: ClassVar[str | None] = "padding"

    def _check_window(self) -> None:
        """Check and store kernel and stride; a stride that is not given is the kernel (windows side by side)."""
        kernel = check_sizes(self.kind, "kernel", self.kernel)
        stride = kernel if self.stride is None else check_sizes(self.kind, "stride", self.stride)
        fill(self, kernel=kernel, stride=stride)

    def _check(self) -> None:
        """Check and store the shared attributes."""
        kind = self.kind
        self._check_window()
        fill(
            self,
            padding=check_pads(kind, "padding", self.padding, PADDING_WORDS),
            ceil_mode=check_flag(kind, "ceil_mode", self.ceil_mode),
        )
        if self.padding == "same" and self.stride != 1:
            raise LayerError(
                "padding 'same' keeps the size, and a stride above 1 does not",
                got=f"{kind} with padding: same, stride: {self.stride}",
                needs="stride 1 with 'same', or the padding as a number",
                write="stride: 1, or padding: 0",
            )
        uneven = isinstance(self.padding, tuple) and any(isinstance(entry, tuple) for entry in self.padding)
        if self.ceil_mode and (self.padding == "same" or uneven):
            raise LayerError(
                f"{kind} with ceil_mode needs the same padding on both sides",
                got=f"ceil_mode: true, padding: {self.padding}",
                needs="a symmetric padding in numbers",
                write="padding: 0",
            )

    def spacing(self, rank: int) -> tuple[int, ...]:
        """The dilation along each axis."""
        return (1,) * rank

    @functools.lru_cache(maxsize=1024)  # noqa: B019
    def windows(self, rank: int) -> tuple[Window, ...]:
        """The window along each axis.

        Raises:
            ShapeError: when more than half a window would lie in the padding.
        """
        kernels = per_axis(self.kind, "kernel", self.kernel, rank)
        strides = per_axis(self.kind, "stride", self.kernel if self.stride is None else self.stride, rank)
        spans = tuple(d * (k - 1) + 1 for k, d in zip(kernels, self.spacing(rank), strict=True))
        if self.padding == "same":
            pads = tuple(((span - 1) // 2, (span - 1) - (span - 1) // 2) for span in spans)
        else:
            pads = per_axis_pads(self.kind, "padding", 0 if self.padding == "valid" else self.padding, rank)
        for span, (before, after) in zip(spans, pads, strict=True):
            if max(before, after) > span // 2:
                raise ShapeError(
                    f"the padding of {self.kind} is more than half its window",
                    got=f"padding {before}+{after}, window {span}",
                    needs=f"at most {span // 2} on each side: a window in the padding alone has nothing to pool",
                    write=f"padding: {span // 2}",
                )
        return tuple(
            Window(k, s, before, after, d, self.ceil_mode)
            for k, s, (before, after), d in zip(kernels, strides, pads, self.spacing(rank), strict=True)
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """As for convolution, rounded up with ``ceil_mode``; channels stay."""
        (shape,) = inputs
        rank = need_spatial(self.kind, shape)
        windows = self.windows(rank)
        sizes = slide(self.kind, windows, shape)
        for window, size, count in zip(windows, shape[1:], sizes, strict=True):
            # Only taps further apart than the input is large can all miss it.
            if window.dilation > size and not all(
                fold_back(window.taps(frozenset({place})), size, "zero") for place in range(count)
            ):
                raise ShapeError(
                    f"a window of {self.kind} has all its taps in the padding",
                    got=f"taps {window.dilation} apart on {size} pixels, input {format_shape(shape)}",
                    needs="a pixel under each window: the padding has nothing to pool",
                    write="dilation: 1, or padding: 0",
                )
        return (shape[0], *sizes)

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach:
        """See :class:`striate.graph.windows.Window`."""
        return self.windows(len(inputs[0]) - 1)[axis].reach

    def reads(self, inputs: tuple[Shape, ...], position: int, axis: int, outputs: Indices) -> Indices:
        """Exact; the padding holds nothing to read."""
        window = self.windows(len(inputs[0]) - 1)[axis]
        return fold_back(window.taps(outputs), inputs[0][1 + axis], "zero")

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """Window and output size along each axis."""
        rank = len(inputs[0]) - 1
        return window_steps(self.windows(rank), inputs[0], axis_names(rank), inputs[0][0])


@dataclass(frozen=True)
class MaxPool(Pool):
    """The largest value of each window, channel by channel.

    Args:
        kernel: window size.
        stride: step of the window; default: the kernel. A smaller stride makes windows overlap.
        padding: ``same`` (stride 1), ``valid``, or numbers; never more than half a window. It never wins the maximum.
        dilation: distance between the taps.
        ceil_mode: keep a last window that is only partly inside.

    >>> MaxPool(3, stride=2, padding=1).output_shape(((64, 112, 112),))
    (64, 56, 56)
    """

    kernel: Sizes
    stride: Sizes | None = None
    padding: Pads = 0
    dilation: Sizes = 1
    ceil_mode: bool = False

    kind: ClassVar[str] = "maxpool"
    aliases: ClassVar[tuple[str, ...]] = ("maxpool1d", "maxpool2d", "maxpool3d", "maxpooling")

    def __post_init__(self) -> None:
        self._check()
        fill(self, dilation=check_sizes(self.kind, "dilation", self.dilation))

    def spacing(self, rank: int) -> tuple[int, ...]:
        """The dilation along each axis."""
        return per_axis(self.kind, "dilation", self.dilation, rank)

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """k - 1 comparisons for each output, of the k taps of its window."""
        return math.prod(output) * (_taps(self.windows(len(output) - 1)) - 1)

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The input, or its padded copy, and where each maximum was found."""
        windows, shape = self.windows(len(output) - 1), inputs[0]
        # torch finds places on lines only where a gradient will need them.
        indices = Extra("indices", math.prod(output), "index", inference=len(shape) > 2)
        # torch pads as much on both sides, and at most half a kernel; else the input is padded before.
        if all(window.before == window.after and window.before <= window.kernel // 2 for window in windows):
            return Footprint((0,), extras=(indices,))
        return Footprint(extras=(_padded_copy(windows, shape), indices))


@dataclass(frozen=True)
class AvgPool(Pool):
    """The mean of each window, channel by channel.

    Args:
        kernel: window size.
        stride: step of the window; default: the kernel.
        padding: ``same`` (stride 1), ``valid``, or numbers; never more than half a window.
        ceil_mode: keep a last window that is only partly inside.
        count_include_pad: divide by the whole window (PyTorch's default) instead of by the pixels inside the input.

    >>> AvgPool(2).output_shape(((16, 7, 7),))
    (16, 3, 3)
    """

    kernel: Sizes
    stride: Sizes | None = None
    padding: Pads = 0
    ceil_mode: bool = False
    count_include_pad: bool = True

    kind: ClassVar[str] = "avgpool"
    aliases: ClassVar[tuple[str, ...]] = ("avgpool1d", "avgpool2d", "avgpool3d", "averagepool", "averagepooling")

    def __post_init__(self) -> None:
        self._check()
        fill(self, count_include_pad=check_flag(self.kind, "count_include_pad", self.count_include_pad))

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """k - 1 additions and a division for each output, of the k taps of its window."""
        return math.prod(output) * _taps(self.windows(len(output) - 1))

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The input, of which only the shape counts, or its padded copy."""
        windows = self.windows(len(output) - 1)
        if all(window.before == window.after for window in windows):
            return KEEPS_INPUT
        padded = _padded_copy(windows, inputs[0])
        if self.count_include_pad:
            return Footprint(extras=(padded,))
        shares = Extra("shares of the windows inside", math.prod(output[1:]), shared=True, inference=True)
        return Footprint(extras=(padded, shares))


def _taps(windows: tuple[Window, ...]) -> int:
    return math.prod(window.kernel for window in windows)


def _padded_copy(windows: tuple[Window, ...], shape: Shape) -> Extra:
    """The input with its padding around it; with ``ceil_mode``, as much behind as the last window needs."""
    sizes = []
    for window, size in zip(windows, shape[1:], strict=True):
        after = window.after
        if window.ceil:
            after = max((window.outputs(size) - 1) * window.stride + window.span - size - window.before, 0)
        sizes.append(size + window.before + after)
    return Extra("padded input", shape[0] * math.prod(sizes), inference=True)
