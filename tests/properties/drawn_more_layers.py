"""Drawing the layers that published networks and segmentation need beyond the textbook's; see `drawn_layers`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from striate.graph import Layer
from striate.units import Shape

__all__ = ["LIKE_KINDS", "MORE_ANYWHERE", "MORE_ATTRIBUTES", "MORE_LOCAL", "MORE_MAP_KINDS", "folds"]

#: Layers that read a map and the size of another.
LIKE_KINDS = ("resizelike", "croplike")
MORE_ANYWHERE = (
    *["relu6", "hardsigmoid", "elu", "prelu", "mish", "softplus"],
    *["channelshuffle", "channelpad", "slice", "layerscale", "rescale", "stochasticdepth"],
)
MORE_LOCAL = ("resize", "pixelshuffle", "crop", "pad", "lppool", "stochasticpool", "fractionalmaxpool")
MORE_MAP_KINDS = (*MORE_LOCAL, "localresponsenorm")
_LOCAL_SIZE = {1: 48, 2: 24, 3: 10}


def folds(layer: Layer) -> bool:
    """Whether the padding of a layer shows pixels of the map once more."""
    return getattr(layer, "padding_mode", "zero") != "zero" or (layer.kind == "pad" and layer.mode != "zero")  # type: ignore[attr-defined]


def _each(draw: DrawFn, highs: list[int], low: int = 0) -> Any:
    """One number that fits every axis, or one for each."""
    if draw(st.booleans()):
        return draw(st.integers(low, max(low, min(highs))))
    return tuple(draw(st.integers(low, max(low, high))) for high in highs)


def _amounts(draw: DrawFn, limits: list[int]) -> Any:
    """What is put before and behind each axis: one number, one for each, or pairs."""
    if draw(st.booleans()):
        return _each(draw, limits)
    return tuple(tuple(draw(st.integers(0, limit)) for _ in "ab") for limit in limits)


def _pad(draw: DrawFn, shape: Shape) -> dict[str, Any]:
    mode = draw(st.sampled_from(("zero", "reflect", "replicate", "circular")))
    spare = {"reflect": -1, "circular": 0}.get(mode, 3)
    amount = _amounts(draw, [max(0, min(3, size + spare)) for size in shape[1:]])
    return {"amount": amount, "mode": mode, "value": draw(st.sampled_from((0.0, 1.5))) if mode == "zero" else 0.0}


def _slice(draw: DrawFn, shape: Shape) -> dict[str, Any]:
    axis = draw(st.integers(0, len(shape) - 1))
    size = shape[axis]
    start = draw(st.integers(0, size - 1))
    stop = draw(st.integers(start + 1, size))
    return {
        "axis": axis,
        "start": start - size if draw(st.booleans()) else start,
        "stop": draw(st.sampled_from((stop, stop - size) if stop < size else (stop, None))),
        "step": draw(st.integers(1, 3)),
    }


def _resize(draw: DrawFn, shape: Shape) -> dict[str, Any]:
    mode = draw(st.sampled_from(("nearest", "linear")))
    return {
        "size": _each(draw, [_LOCAL_SIZE[len(shape) - 1]] * (len(shape) - 1), 1),
        "mode": mode,
        "align_corners": draw(st.booleans()) if mode == "linear" else False,
    }


def _window(draw: DrawFn, shape: Shape) -> dict[str, Any]:
    attributes: dict[str, Any] = {"kernel": _each(draw, [min(4, size) for size in shape[1:]], 1)}
    if draw(st.booleans()):
        attributes["stride"] = _each(draw, [3] * (len(shape) - 1), 1)
    return attributes


def _fractional(draw: DrawFn, shape: Shape) -> dict[str, Any]:
    kernel = draw(st.integers(1, min([3, *shape[1:]])))
    if draw(st.booleans()):
        return {"kernel": kernel, "size": _each(draw, [size - kernel + 1 for size in shape[1:]], 1)}
    return {"kernel": kernel, "ratio": draw(st.sampled_from((0.3, 0.5, 0.7)))}


def _divisors(number: int) -> list[int]:
    return [d for d in range(1, number + 1) if number % d == 0]


def _shuffle_scale(draw: DrawFn, shape: Shape) -> dict[str, Any]:
    scales = [scale for scale in (1, 2, 3) if shape[0] % scale ** (len(shape) - 1) == 0]
    return {"scale": draw(st.sampled_from(scales[1:] or scales))}


MORE_ATTRIBUTES: dict[str, Callable[[DrawFn, Shape], dict[str, Any]]] = {
    "pad": _pad,
    "slice": _slice,
    "resize": _resize,
    "crop": lambda draw, shape: {"amount": _amounts(draw, [min(3, (size - 1) // 2) for size in shape[1:]])},
    "pixelshuffle": _shuffle_scale,
    "channelshuffle": lambda draw, shape: {"groups": draw(st.sampled_from(_divisors(shape[0])))},
    "channelpad": lambda draw, shape: {"after": draw(st.integers(0, 3)), "before": draw(st.integers(0, 3))},
    "lppool": lambda draw, shape: {
        **_window(draw, shape),
        "norm": draw(st.sampled_from((1.0, 2.0, 4.0))),
        "ceil_mode": draw(st.booleans()),
    },
    "stochasticpool": _window,
    "fractionalmaxpool": _fractional,
    "localresponsenorm": lambda draw, shape: {
        "size": draw(st.integers(1, 6)),
        "alpha": draw(st.sampled_from((1e-4, 1.0))),
        "beta": draw(st.sampled_from((0.5, 0.75))),
        "k": draw(st.sampled_from((1.0, 2.0))),
    },
    "elu": lambda draw, shape: {"alpha": draw(st.sampled_from((0.5, 1.0)))},
    "prelu": lambda draw, shape: {"channels": draw(st.booleans()), "initial": draw(st.sampled_from((0.0, 0.25)))},
    "layerscale": lambda draw, shape: {
        "initial": draw(st.sampled_from((1e-6, 1.0))),
        "parameter": draw(st.sampled_from(("weight", "layer_scale"))),
    },
    "rescale": lambda draw, shape: {"factor": draw(st.sampled_from((0.125, 2.0)))},
    "stochasticdepth": lambda draw, shape: {
        "probability": draw(st.sampled_from((0.0, 0.2))),
        "mode": draw(st.sampled_from(("row", "batch"))),
    },
    "resizelike": lambda draw, shape: draw(
        st.sampled_from(({"mode": "nearest"}, {"mode": "linear"}, {"mode": "linear", "align_corners": True}))
    ),
}
