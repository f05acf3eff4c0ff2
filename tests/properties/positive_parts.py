"""The positive, linear stand-ins of the layers in `drawn_more_layers`, from their definitions in fractions."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn

from striate.graph import Graph, Node

__all__ = ["more_replacement", "sources_of"]

HALF = Fraction(1, 2)


class _Reads(nn.Module):
    """Each output is the sum of the inputs it reads, given as index lists along each axis; channels together."""

    def __init__(self, axes: list[list[list[int]]]) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, input: Tensor, *reference: Tensor) -> Tensor:
        for axis, places in enumerate(self.axes, start=2):
            rows = [input.index_select(axis, torch.tensor(indices)).sum(axis) for indices in places]
            input = torch.stack(rows, axis)
        return input


class _ChannelsTogether(nn.Module):
    """The layer plus what it does to the mean of all channels, so that no channel is left out."""

    def __init__(self, inner: nn.Module, spread: int = 1) -> None:
        super().__init__()
        self.inner, self.spread = inner, spread

    def forward(self, input: Tensor) -> Tensor:
        mean = input.mean(1, keepdim=True)
        for axis in range(2, input.dim()):
            mean = mean.repeat_interleave(self.spread, axis)
        return self.inner(input) + mean


def _each(value: Any, rank: int) -> list[Any]:
    return list(value) if isinstance(value, tuple) else [value] * rank


def _resampled(size: int, outputs: int, mode: str, corners: bool) -> list[list[int]]:
    """PyTorch's places of interpolation: the pixels with a weight that is not 0."""
    found = []
    for output in range(outputs):
        if mode == "nearest":
            found.append([math.floor(Fraction(output * size, outputs))])
            continue
        if corners:
            place = Fraction(output * (size - 1), outputs - 1) if outputs > 1 else Fraction(0)
        else:
            place = max((output + HALF) * size / outputs - HALF, Fraction(0))
        found.append(sorted({min(math.floor(place), size - 1), min(math.ceil(place), size - 1)}))
    return found


def _slid(size: int, outputs: int, kernel: int, stride: int) -> list[list[int]]:
    return [[i for i in range(y * stride, y * stride + kernel) if i < size] for y in range(outputs)]


def _fractional(size: int, outputs: int, kernel: int) -> list[list[int]]:
    starts = []
    if outputs > 1:
        step = Fraction(size - kernel, outputs - 1)
        starts = [math.floor((i + HALF) * step) - math.floor(HALF * step) for i in range(outputs - 1)]
    return [list(range(start, start + kernel)) for start in [*starts, size - kernel]]


def sources_of(node: Node, graph: Graph) -> list[list[list[int]]] | None:
    """For each axis and each output the inputs it reads, for the layers that resample or pool."""
    layer: Any = node.layer
    shape, output = graph.input_shapes(node)[0][1:], graph.shapes[node.name][1:]
    rank = len(shape)
    if layer.kind in ("resize", "resizelike") or (layer.kind == "upsample" and layer.align_corners):
        return [_resampled(n, m, layer.mode, layer.align_corners) for n, m in zip(shape, output, strict=True)]
    if layer.kind in ("lppool", "stochasticpool"):
        kernels, strides = _each(layer.kernel, rank), _each(layer.stride, rank)
        return [_slid(*entry) for entry in zip(shape, output, kernels, strides, strict=True)]
    if layer.kind == "fractionalmaxpool":
        return [_fractional(*entry) for entry in zip(shape, output, _each(layer.kernel, rank), strict=True)]
    return None


def more_replacement(node: Node, graph: Graph, module: nn.Module) -> nn.Module | None:
    """The stand-in of a layer, None where it is linear and positive itself."""
    layer: Any = node.layer
    if (axes := sources_of(node, graph)) is not None:
        return _Reads(axes)
    if layer.kind == "localresponsenorm":
        return nn.Identity()
    if layer.kind == "channelpad" or (layer.kind == "slice" and layer.axis == 0):
        return _ChannelsTogether(module)
    if layer.kind == "pixelshuffle":
        return _ChannelsTogether(module, layer.scale)
    return None
