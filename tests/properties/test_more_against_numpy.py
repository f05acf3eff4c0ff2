"""The numbers that leave the layers of `drawn_more_layers`, against a second implementation in NumPy and loops."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from numpy.typing import NDArray

from properties.strategies import single_layer_graphs
from properties.test_against_numpy import run_last
from striate.backend import build_module
from striate.graph import Graph

Array = NDArray[np.float64]
HALF = Fraction(1, 2)


def _each(value: Any, rank: int) -> list[Any]:
    return list(value) if isinstance(value, tuple) else [value] * rank


def _pairs(amount: Any, rank: int) -> list[tuple[int, int]]:
    return [entry if isinstance(entry, tuple) else (entry, entry) for entry in _each(amount, rank)]


def _pad(layer: Any, x: Array) -> Array:
    pairs = [(0, 0), *_pairs(layer.amount, x.ndim - 1)]
    if layer.mode == "zero":
        return np.pad(x, pairs, constant_values=layer.value)
    mode = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}[layer.mode]
    return np.pad(x, pairs, mode=mode)  # type: ignore[call-overload, no-any-return]


def _crop(layer: Any, x: Array) -> Array:
    cuts = [
        slice(before, size - after)
        for size, (before, after) in zip(x.shape[1:], _pairs(layer.amount, x.ndim - 1), strict=True)
    ]
    return x[(slice(None), *cuts)]


def _slice(layer: Any, x: Array) -> Array:
    return x[(slice(None),) * layer.axis + (slice(layer.start, layer.stop, layer.step),)]


def _pixelshuffle(layer: Any, x: Array) -> Array:
    r, rank = layer.scale, x.ndim - 1
    out = np.zeros((len(x) // r**rank, *(size * r for size in x.shape[1:])))
    for channel, *place in itertools.product(*map(range, out.shape)):
        phase = 0
        for index in place:
            phase = phase * r + index % r
        out[(channel, *place)] = x[(channel * r**rank + phase, *(index // r for index in place))]
    return out


def _channelshuffle(layer: Any, x: Array) -> Array:
    out, per_group = np.empty_like(x), len(x) // layer.groups
    for group, index in itertools.product(range(layer.groups), range(per_group)):
        out[index * layer.groups + group] = x[group * per_group + index]
    return out


def _interpolate(row: Array, outputs: int, mode: str, corners: bool) -> Array:
    """One line of pixels resampled, with the places in fractions."""
    size, values = len(row), []
    for y in range(outputs):
        if mode == "nearest":
            values.append(row[math.floor(Fraction(y * size, outputs))])
            continue
        if corners:
            place = Fraction(y * (size - 1), outputs - 1) if outputs > 1 else Fraction(0)
        else:
            place = max((y + HALF) * size / outputs - HALF, Fraction(0))
        first = min(math.floor(place), size - 1)
        share = float(place - first)
        values.append((1 - share) * row[first] + share * row[min(first + 1, size - 1)])
    return np.array(values)


def _resize(layer: Any, x: Array, sizes: tuple[int, ...] | None = None) -> Array:
    for axis, outputs in enumerate(sizes or _each(layer.size, x.ndim - 1), start=1):
        x = np.apply_along_axis(lambda row, m=outputs: _interpolate(row, m, layer.mode, layer.align_corners), axis, x)
    return x


def _places(size: int, kernel: int, stride: int, ceil: bool) -> list[list[int]]:
    starts = list(range(0, size - kernel + 1, stride))
    if ceil and starts[-1] + kernel < size and starts[-1] + stride < size:
        starts.append(starts[-1] + stride)
    return [[i for i in range(start, start + kernel) if i < size] for start in starts]


def _over_windows(x: Array, axes: list[list[list[int]]], pool: Callable[[Array], Array]) -> Array:
    out = np.zeros((len(x), *map(len, axes)))
    for place in itertools.product(*(range(len(axis)) for axis in axes)):
        seen = [axis[number] for axis, number in zip(axes, place, strict=True)]
        out[(slice(None), *place)] = pool(x[np.ix_(range(len(x)), *seen)].reshape(len(x), -1))
    return out


def _windows(layer: Any, x: Array) -> list[list[list[int]]]:
    rank = x.ndim - 1
    kernels = _each(layer.kernel, rank)
    strides = kernels if layer.stride is None else _each(layer.stride, rank)
    ceil = getattr(layer, "ceil_mode", False)
    return [_places(n, k, s, ceil) for n, k, s in zip(x.shape[1:], kernels, strides, strict=True)]


def _lppool(layer: Any, x: Array) -> Array:
    whole = math.prod(_each(layer.kernel, x.ndim - 1))
    # A window that sticks out is scaled up to a whole one.
    return _over_windows(x, _windows(layer, x), lambda seen: ((seen**layer.norm).mean(1) * whole) ** (1 / layer.norm))


def _stochastic(seen: Array) -> Array:
    seen = np.maximum(seen, 0)
    total = seen.sum(1)
    return np.where(total > 0, (seen**2).sum(1) / np.where(total > 0, total, 1), 0)


def _fractional(layer: Any, x: Array) -> Array:
    rank = x.ndim - 1
    sizes = [int(n * layer.ratio) for n in x.shape[1:]] if layer.size is None else _each(layer.size, rank)
    axes = []
    for n, m, k in zip(x.shape[1:], sizes, _each(layer.kernel, rank), strict=True):
        step = Fraction(n - k, m - 1) if m > 1 else Fraction(0)
        starts = [math.floor((i + HALF) * step) - math.floor(HALF * step) for i in range(m - 1)] + [n - k]
        axes.append([list(range(start, start + k)) for start in starts])
    return _over_windows(x, axes, lambda seen: seen.max(1))


def _response_norm(layer: Any, x: Array) -> Array:
    out = np.empty_like(x)
    for c in range(len(x)):
        seen = x[max(c - layer.size // 2, 0) : c + (layer.size - 1) // 2 + 1]
        out[c] = x[c] / (layer.k + layer.alpha / layer.size * (seen**2).sum(0)) ** layer.beta
    return out


WITHOUT_WEIGHTS: dict[str, Callable[[Any, Array], Array]] = {
    "pad": _pad,
    "crop": _crop,
    "slice": _slice,
    "pixelshuffle": _pixelshuffle,
    "channelshuffle": _channelshuffle,
    "channelpad": lambda layer, x: np.pad(x, [(layer.before, layer.after), *[(0, 0)] * (x.ndim - 1)]),
    "resize": _resize,
    "stochasticpool": lambda layer, x: _over_windows(x, _windows(layer, x), _stochastic),
    "fractionalmaxpool": _fractional,
    "localresponsenorm": _response_norm,
    "stochasticdepth": lambda layer, x: x,
    "rescale": lambda layer, x: layer.factor * x,
    "relu6": lambda layer, x: np.clip(x, 0, 6),
    "hardsigmoid": lambda layer, x: np.clip(x + 3, 0, 6) / 6,
    "elu": lambda layer, x: np.where(x > 0, x, layer.alpha * np.expm1(np.minimum(x, 0))),
    "mish": lambda layer, x: x * np.tanh(np.log1p(np.exp(x))),
    "softplus": lambda layer, x: np.log1p(np.exp(x)),
}
WITH_WEIGHTS: dict[str, Callable[[Any, Array, Array], Array]] = {
    "prelu": lambda layer, x, weight: np.where(x > 0, x, weight.reshape(-1, *(1,) * (x.ndim - 1)) * x),
    "layerscale": lambda layer, x, weight: weight * x,
}


@pytest.mark.parametrize("kind", WITHOUT_WEIGHTS)
def test_layers_without_weights(kind: str) -> None:
    @given(single_layer_graphs(kind))
    @settings(max_examples=40 if "pool" in kind or kind in ("resize", "slice", "pad") else 15)
    def check(graph: Graph) -> None:
        node, x, y, _ = run_last(graph)
        np.testing.assert_allclose(y, WITHOUT_WEIGHTS[kind](node.layer, x), rtol=1e-9, atol=1e-9)

    check()


@pytest.mark.parametrize("kind", WITH_WEIGHTS)
def test_layers_with_weights(kind: str) -> None:
    @given(single_layer_graphs(kind))
    @settings(max_examples=15)
    def check(graph: Graph) -> None:
        node, x, y, tensors = run_last(graph)
        (weight,) = tensors.values()
        np.testing.assert_allclose(y, WITH_WEIGHTS[kind](node.layer, x, weight), rtol=1e-9, atol=1e-12)

    check()


@given(single_layer_graphs("lppool"))
@settings(max_examples=40)
def test_power_mean_pooling(graph: Graph) -> None:
    node = graph.nodes[-1]
    (shape,) = graph.input_shapes(node)
    x = torch.rand((1, *shape), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    y = build_module(graph, seed=None).double().get_submodule(node.name)(x)[0].numpy()
    np.testing.assert_allclose(y, _lppool(node.layer, x[0].numpy()), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", ["resizelike", "croplike"])
def test_layers_with_a_reference(kind: str) -> None:
    @given(single_layer_graphs(kind))
    @settings(max_examples=40)
    def check(graph: Graph) -> None:
        node = graph.nodes[-1]
        layer: Any = node.layer
        generator = np.random.default_rng(0)
        x, reference = (generator.normal(size=shape) for shape in graph.input_shapes(node))
        part = build_module(graph).get_submodule(node.name)
        y = part(torch.from_numpy(x)[None], torch.from_numpy(reference)[None])[0].numpy()
        sizes = reference.shape[1:]
        if kind == "resizelike":
            expected = _resize(layer, x, sizes)
        else:
            cuts = [slice((n - m) // 2, (n - m) // 2 + m) for n, m in zip(x.shape[1:], sizes, strict=True)]
            expected = x[(slice(None), *cuts)]
        np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-9)

    check()
