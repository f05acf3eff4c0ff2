"""The layers once more, in NumPy and loops, written from their definitions and sharing no code with the library.

Every function takes one image ``x`` of shape (channels, *spatial) in float64 and returns one. ``layer`` gives the
attributes as the user wrote them; words of padding, strides left out and the like are interpreted here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["adaptive_pool", "conv", "conv_transpose", "normalize", "pool", "upsample"]

Array = NDArray[np.float64]

_NUMPY_MODES = {"zero": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _each(value: Any, rank: int) -> list[Any]:
    return [value] * rank if isinstance(value, int) else list(value)


def _pads(layer: Any, spans: list[int]) -> list[tuple[int, int]]:
    rank = len(spans)
    if layer.padding == "same":
        return [((span - 1) // 2, span - 1 - (span - 1) // 2) for span in spans]
    if layer.padding == "full":
        return [(span - 1, span - 1) for span in spans]
    if layer.padding == "causal":
        return [(span - 1, 0) for span in spans]
    entries = _each(0 if layer.padding == "valid" else layer.padding, rank)
    return [(entry, entry) if isinstance(entry, int) else entry for entry in entries]


def _starts(size: int, span: int, stride: int, before: int, after: int, ceil: bool) -> list[int]:
    """Where each window begins, counted from the first pixel of the image."""
    starts = [-before]
    while starts[-1] + stride + span <= size + after:
        starts.append(starts[-1] + stride)
    if ceil and starts[-1] + span < size + after and starts[-1] + stride < size:
        starts.append(starts[-1] + stride)
    return starts


def _windows(layer: Any, sizes: tuple[int, ...], dilation: Any) -> Iterator[list[list[int]]]:
    """For each axis the windows, each as the list of the indices it touches."""
    rank = len(sizes)
    kernels, gaps = _each(layer.kernel, rank), _each(dilation, rank)
    strides = kernels if layer.stride is None else _each(layer.stride, rank)
    spans = [gap * (kernel - 1) + 1 for kernel, gap in zip(kernels, gaps, strict=True)]
    ceil = getattr(layer, "ceil_mode", False)
    for size, span, stride, (before, after), gap in zip(sizes, spans, strides, _pads(layer, spans), gaps, strict=True):
        yield [list(range(s, s + span, gap)) for s in _starts(size, span, stride, before, after, ceil)]


def conv(layer: Any, x: Array, weight: Array, bias: Array | None) -> Array:
    """Cross-correlation."""
    rank = x.ndim - 1
    spans = [d * (k - 1) + 1 for k, d in zip(weight.shape[2:], _each(layer.dilation, rank), strict=True)]
    pads = _pads(layer, spans)
    padded = np.pad(x, [(0, 0), *pads], mode=_NUMPY_MODES[layer.padding_mode])  # type: ignore[call-overload]
    windows = list(_windows(layer, x.shape[1:], layer.dilation))
    filters, per_group = weight.shape[:2]
    out = np.zeros((filters, *(len(axis) for axis in windows)))
    for place in itertools.product(*(range(len(axis)) for axis in windows)):
        touched = [
            [index + before for index in axis[number]]
            for axis, number, (before, _) in zip(windows, place, pads, strict=True)
        ]
        patch = padded[np.ix_(range(len(x)), *touched)]
        for f in range(filters):
            group = f // (filters // layer.groups)
            seen = patch[group * per_group : (group + 1) * per_group]
            out[(f, *place)] = np.sum(weight[f] * seen) + (0.0 if bias is None else bias[f])
    return out


def conv_transpose(layer: Any, x: Array, weight: Array, bias: Array | None) -> Array:
    """Every input pixel spreads its weighted window; what the padding names is cut off."""
    rank = x.ndim - 1
    strides, pads = _each(layer.stride, rank), _each(layer.padding, rank)
    gaps, extras = _each(layer.dilation, rank), _each(layer.output_padding, rank)
    kernel = weight.shape[2:]
    columns = list(zip(x.shape[1:], strides, gaps, kernel, extras, strict=True))
    full = np.zeros((layer.filters, *((n - 1) * s + d * (k - 1) + 1 + e for n, s, d, k, e in columns)))
    per_group = weight.shape[1]
    for channel, *place in itertools.product(*(range(size) for size in x.shape)):
        group = channel // (len(x) // layer.groups)
        for tap in itertools.product(*(range(size) for size in kernel)):
            target = [p * s + t * d for p, s, t, d in zip(place, strides, tap, gaps, strict=True)]
            for f in range(per_group):
                full[(group * per_group + f, *target)] += x[(channel, *place)] * weight[(channel, f, *tap)]
    out = full[(slice(None), *(slice(p, size - p) for p, size in zip(pads, full.shape[1:], strict=True)))]
    return out if bias is None else out + bias.reshape(-1, *(1,) * rank)


def pool(layer: Any, x: Array) -> Array:
    """Maximum or mean over windows."""
    sizes, rank = x.shape[1:], x.ndim - 1
    windows = list(_windows(layer, sizes, getattr(layer, "dilation", 1)))
    kernels = _each(layer.kernel, rank)
    ends = [size + after for size, (_, after) in zip(sizes, _pads(layer, kernels), strict=True)]
    out = np.zeros((len(x), *(len(axis) for axis in windows)))
    for place in itertools.product(*(range(len(axis)) for axis in windows)):
        touched = [axis[number] for axis, number in zip(windows, place, strict=True)]
        inside = [[i for i in axis if 0 <= i < size] for axis, size in zip(touched, sizes, strict=True)]
        seen = x[np.ix_(range(len(x)), *inside)].reshape(len(x), -1)
        if layer.kind == "maxpool":
            out[(slice(None), *place)] = seen.max(1)
        elif layer.count_include_pad:
            # A window that ceil_mode lets stick out of the padding is counted as far as the padding goes.
            counted = [sum(i < end for i in axis) for axis, end in zip(touched, ends, strict=True)]
            out[(slice(None), *place)] = seen.sum(1) / np.prod(counted)
        else:
            out[(slice(None), *place)] = seen.mean(1)
    return out


def adaptive_pool(layer: Any, x: Array, bins: tuple[int, ...]) -> Array:
    """Maximum or mean over bins from floor(i·n/bins) up to ceil((i+1)·n/bins), the end left out."""
    take = np.max if "max" in layer.kind else np.mean
    out = np.zeros((len(x), *bins))
    for place in itertools.product(*(range(size) for size in bins)):
        slices = tuple(
            slice(int(np.floor(i * n / b)), int(np.ceil((i + 1) * n / b)))
            for i, n, b in zip(place, x.shape[1:], bins, strict=True)
        )
        out[(slice(None), *place)] = take(x[(slice(None), *slices)].reshape(len(x), -1), axis=1)
    return out


def upsample(layer: Any, x: Array) -> Array:
    """Repeat, or interpolate linearly between pixel centres, axis by axis."""
    for axis, scale in enumerate(_each(layer.scale, x.ndim - 1), start=1):
        size = x.shape[axis]
        if layer.mode == "nearest":
            x = np.repeat(x, scale, axis)
        elif layer.align_corners:
            corners = np.linspace(0, size - 1, size * scale)
            x = np.apply_along_axis(lambda row, c=corners: np.interp(c, np.arange(len(row)), row), axis, x)
        else:
            centres = np.clip((np.arange(size * scale) + 0.5) / scale - 0.5, 0, size - 1)
            x = np.apply_along_axis(lambda row, c=centres: np.interp(c, np.arange(len(row)), row), axis, x)
    return x


def normalize(layer: Any, x: Array, weight: Array | None, bias: Array | None) -> Array:
    """(x - mean) / sqrt(variance + epsilon), over what the kind of normalisation says; then scale and shift."""
    groups = {"instancenorm": len(x), "groupnorm": getattr(layer, "groups", 1)}.get(layer.kind, 1)
    if layer.kind == "layernorm" and layer.over == "channels":
        mean, variance = x.mean(0, keepdims=True), x.var(0, keepdims=True)
        normal = (x - mean) / np.sqrt(variance + layer.epsilon)
    else:
        parts = x.reshape(groups, -1)
        mean, variance = parts.mean(1, keepdims=True), parts.var(1, keepdims=True)
        normal = ((parts - mean) / np.sqrt(variance + layer.epsilon)).reshape(x.shape)
    if weight is None or bias is None:
        return normal
    if weight.ndim == 1:
        weight, bias = (entry.reshape(-1, *(1,) * (x.ndim - 1)) for entry in (weight, bias))
    return normal * weight + bias
