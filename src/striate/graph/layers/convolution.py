"""Convolution (cross-correlation, as PyTorch, Keras and ONNX compute it) in one, two or three dimensions."""

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
    check_choice,
    check_count,
    check_flag,
    check_pads,
    check_sizes,
    fill,
    need_spatial,
    per_axis,
    per_axis_pads,
)
from striate.graph.footprint import KEEPS_INPUT, Extra, Footprint
from striate.graph.grouping import check_channel_groups, check_filter_groups
from striate.graph.layer import Indices, Layer, Parameter, Reach, Step, axis_names
from striate.graph.windows import Window, fold_back, slide, window_steps
from striate.units import Shape, format_count, format_shape

__all__ = ["Conv"]

PADDING_WORDS = ("same", "valid", "full", "causal")
PADDING_MODES = ("zero", "reflect", "replicate", "circular")


@dataclass(frozen=True)
class Conv(Layer):
    """Convolution: every output is the sum of a window of inputs, each times a weight, plus a bias.

    ``out[f, y] = bias[f] + Σ_c Σ_t weight[f, c, t] · in[c, y·s - before + t·d]``, with no kernel flip.

    Args:
        filters: output channels.
        kernel: window size, one number or one for each axis.
        stride: step of the window.
        padding: ``same`` (stride 1 only: the size stays; an even window pads one more behind), ``valid`` (none),
            ``full`` (every partial overlap), ``causal`` (all of K - 1 before: an output never sees what comes after
            its place), a number, one for each axis, or a (before, after) pair for each axis.
        dilation: distance between the taps.
        groups: channel groups that do not see each other; ``groups`` = input channels is a depthwise convolution.
        bias: whether a number is added to each filter's output.
        padding_mode: what stands in the padding: ``zero``, ``reflect``, ``replicate`` or ``circular``.

    Raises:
        LayerError: when an attribute is impossible.

    >>> Conv(64, 7, stride=2, padding=3).output_shape(((3, 224, 224),))
    (64, 112, 112)
    >>> sum(p.count for p in Conv(16, 3).parameters(((3, 32, 32),)))
    448
    """

    filters: int
    kernel: Sizes
    stride: Sizes = 1
    padding: Pads = 0
    dilation: Sizes = 1
    groups: int = 1
    bias: bool = True
    padding_mode: str = "zero"

    kind: ClassVar[str] = "conv"
    aliases: ClassVar[tuple[str, ...]] = ("convolution", "conv1d", "conv2d", "conv3d")
    positional: ClassVar[tuple[str, ...]] = ("filters", "kernel")
    words: ClassVar[str | None] = "padding"

    def __post_init__(self) -> None:
        kind = self.kind
        mode = "zero" if self.padding_mode == "zeros" else self.padding_mode
        fill(
            self,
            filters=check_count(kind, "filters", self.filters),
            kernel=check_sizes(kind, "kernel", self.kernel),
            stride=check_sizes(kind, "stride", self.stride),
            padding=check_pads(kind, "padding", self.padding, PADDING_WORDS),
            dilation=check_sizes(kind, "dilation", self.dilation),
            groups=check_count(kind, "groups", self.groups),
            bias=check_flag(kind, "bias", self.bias),
            padding_mode=check_choice(kind, "padding_mode", mode, PADDING_MODES),
        )
        check_filter_groups(kind, self.filters, self.groups)
        if self.padding == "same" and self.stride != 1:
            raise LayerError(
                "padding 'same' keeps the size, and a stride above 1 does not",
                got=f"padding: same, stride: {_listed(self.stride)}",
                needs="stride 1 with 'same', or the padding as a number",
                write=f"padding: {_listed(_half(self.kernel))}",
            )

    @functools.lru_cache(maxsize=1024)  # noqa: B019
    def windows(self, rank: int) -> tuple[Window, ...]:
        """The window along each axis, with words of padding turned into numbers."""
        kernels = per_axis(self.kind, "kernel", self.kernel, rank)
        strides = per_axis(self.kind, "stride", self.stride, rank)
        dilations = per_axis(self.kind, "dilation", self.dilation, rank)
        spans = tuple(d * (k - 1) + 1 for k, d in zip(kernels, dilations, strict=True))
        if self.padding == "same":
            pads = tuple(((span - 1) // 2, (span - 1) - (span - 1) // 2) for span in spans)
        elif self.padding == "full":
            pads = tuple((span - 1, span - 1) for span in spans)
        elif self.padding == "causal":
            pads = tuple((span - 1, 0) for span in spans)
        else:
            pads = per_axis_pads(self.kind, "padding", 0 if self.padding == "valid" else self.padding, rank)
        return tuple(
            Window(k, s, before, after, d)
            for k, s, (before, after), d in zip(kernels, strides, pads, dilations, strict=True)
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """``floor((n + before + after - K) / s) + 1`` along each axis."""
        (shape,) = inputs
        rank = need_spatial(self.kind, shape)
        check_channel_groups(self.kind, shape[0], self.filters, self.groups)
        windows = self.windows(rank)
        sizes = slide(self.kind, windows, shape)
        limit = {"reflect": -1, "circular": 0}.get(self.padding_mode)
        for window, size in zip(windows, shape[1:], strict=True):
            if limit is not None and max(window.before, window.after) > size + limit:
                raise ShapeError(
                    f"{self.padding_mode} padding needs enough pixels to take from",
                    got=f"padding {window.before}+{window.after} on {size} pixels, input {format_shape(shape)}",
                    needs=f"at most {size + limit} on each side",
                    write="padding_mode: zero, or less padding",
                )
        return (self.filters, *sizes)

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """``weight`` of shape (filters, channels / groups, *kernel) and ``bias`` of shape (filters,)."""
        channels, rank = inputs[0][0], len(inputs[0]) - 1
        kernel = per_axis(self.kind, "kernel", self.kernel, rank)
        weight = Parameter("weight", (self.filters, channels // self.groups, *kernel), "weight")
        return (weight, Parameter("bias", (self.filters,), "bias")) if self.bias else (weight,)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """One multiply-add for each weight at each output position (positions in the padding included)."""
        return math.prod(output[1:]) * self.parameters(inputs)[0].count

    def backward_macs(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[int, int]:
        """As many as forward, both: each weight at each output position meets a gradient once for either."""
        count = self.macs(inputs, output)
        return count, count

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """The additions of the bias."""
        return math.prod(output) if self.bias else 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The gradient of the weight reads the input again, or its padded copy.

        A copy is made where the padding is not zero or its sides differ; a reflected or replicated padding keeps the
        input too.
        """
        windows = self.windows(len(output) - 1)
        if self.padding_mode == "zero" and all(window.before == window.after for window in windows):
            return KEEPS_INPUT
        sizes = (size + window.before + window.after for size, window in zip(inputs[0][1:], windows, strict=True))
        padded = Extra("padded input", inputs[0][0] * math.prod(sizes), inference=True)
        reads = (0,) if self.padding_mode in ("reflect", "replicate") and needs[0] else ()
        return Footprint(inputs=reads, extras=(padded,))

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach:
        """See :class:`striate.graph.windows.Window`."""
        return self.windows(len(inputs[0]) - 1)[axis].reach

    def reads(self, inputs: tuple[Shape, ...], position: int, axis: int, outputs: Indices) -> Indices:
        """Exact, with dilation's holes and the pixels that the padding mode copies."""
        window = self.windows(len(inputs[0]) - 1)[axis]
        return fold_back(window.taps(outputs), inputs[0][1 + axis], self.padding_mode)

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """Window and output size along each axis."""
        rank = len(inputs[0]) - 1
        return window_steps(self.windows(rank), inputs[0], axis_names(rank), self.filters)

    def mac_step(self, inputs: tuple[Shape, ...], output: Shape) -> Step:
        """Output positions × weights."""
        places = " · ".join(str(size) for size in output[1:])
        weights = " · ".join(str(size) for size in self.parameters(inputs)[0].shape)
        result = format_count(self.macs(inputs, output))
        return Step("MACs", "output positions · filters · channels per group · kernel", f"{places} · {weights}", result)


def _half(kernel: Sizes) -> Sizes:
    return kernel // 2 if isinstance(kernel, int) else tuple(size // 2 for size in kernel)


def _listed(value: Sizes) -> str:
    return str(value) if isinstance(value, int) else str(list(value))
