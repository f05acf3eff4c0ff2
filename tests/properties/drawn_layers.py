"""Drawing one layer: attributes that suit the shape that arrives, for every kind that reads one input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from properties.drawn_more_layers import MORE_ANYWHERE, MORE_ATTRIBUTES, MORE_MAP_KINDS
from striate.graph import Layer, layer_class
from striate.units import Shape

__all__ = ["MAP_KINDS", "ROOM", "VECTOR_KINDS", "any_layer"]

#: The largest size of an axis anywhere in a network, by the number of axes.
ROOM = {1: 48, 2: 32, 3: 14}

_ANYWHERE = (
    *["batchnorm", "layernorm", "groupnorm", "dropout", "flatten", "identity"],
    *["relu", "leakyrelu", "silu", "gelu", "sigmoid", "tanh", "hardswish", "softmax"],
    *MORE_ANYWHERE,
)
# What hypothesis shrinks to stands first; what moves or weighs stands there more often.
VECTOR_KINDS = (*["dense"] * 4, *_ANYWHERE)
MAP_KINDS = (
    *["conv", "maxpool", "avgpool", "convtranspose", "upsample"] * 3,
    "dense",
    *["adaptiveavgpool", "adaptivemaxpool", "globalavgpool", "globalmaxpool", "instancenorm"],
    *MORE_MAP_KINDS,
    *_ANYWHERE,
)


def _per_axis(draw: DrawFn, highs: list[int], low: int = 0) -> Any:
    """One number that fits every axis, or one for each."""
    if draw(st.booleans()):
        return draw(st.integers(low, max(low, min(highs))))
    return tuple(draw(st.integers(low, max(low, high))) for high in highs)


def _spread(value: Any, rank: int) -> tuple[Any, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)


def _divisors(number: int) -> list[int]:
    return [d for d in range(1, number + 1) if number % d == 0]


def _conv(draw: DrawFn, shape: Shape) -> dict[str, Any]:
    sizes, rank = shape[1:], len(shape) - 1
    groups = draw(st.sampled_from(_divisors(shape[0])))
    mode = draw(st.sampled_from(("zero", "zero", "reflect", "replicate", "circular")))
    spare = {"zero": [3] * rank, "replicate": [3] * rank, "reflect": [n - 1 for n in sizes], "circular": list(sizes)}
    limits = [min(3, limit) for limit in spare[mode]]
    dilation = _per_axis(draw, [3 if n > 2 else 1 for n in sizes], 1)
    style = draw(st.sampled_from(("same", "valid", "full", "causal", "number", "axes", "pairs")))
    if style == "same":
        # Its larger side is half of the span, so twice the limit may be spanned.
        room = [2 * limit + 1 for limit in limits]
    elif style in ("full", "causal"):
        room = [limit + 1 for limit in limits]
    else:
        room = list(sizes)
    padding: Any = style
    if style == "number":
        padding = draw(st.integers(0, min(limits)))
        room = [n + 2 * padding for n in sizes]
    elif style == "axes":
        padding = tuple(draw(st.integers(0, limit)) for limit in limits)
        room = [n + 2 * pad for n, pad in zip(sizes, padding, strict=True)]
    elif style == "pairs":
        padding = tuple(tuple(draw(st.integers(0, limit)) for _ in "ab") for limit in limits)
        room = [n + sum(pair) for n, pair in zip(sizes, padding, strict=True)]
    kernel = _per_axis(draw, [min(5, (n - 1) // d + 1) for n, d in zip(room, _spread(dilation, rank), strict=True)], 1)
    return {
        "filters": groups * draw(st.integers(1, max(1, 8 // groups))),
        "kernel": kernel,
        "stride": 1 if style == "same" else _per_axis(draw, [3] * rank, 1),
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
        "bias": draw(st.booleans()),
        "padding_mode": mode,
    }


def _convtranspose(draw: DrawFn, shape: Shape) -> dict[str, Any]:
    sizes, rank = shape[1:], len(shape) - 1
    groups = draw(st.sampled_from(_divisors(shape[0])))
    stride = _per_axis(draw, [max(1, min(3, ROOM[rank] // n)) for n in sizes], 1)
    dilation = _per_axis(draw, [2] * rank, 1)
    kernel = _per_axis(draw, [4] * rank, 1)
    columns = list(zip(sizes, *(_spread(value, rank) for value in (stride, dilation, kernel)), strict=True))
    extra = _per_axis(draw, [max(s, d) - 1 for _, s, d, _ in columns])
    outs = [(n - 1) * s + d * (k - 1) + 1 for n, s, d, k in columns]
    return {
        "filters": groups * draw(st.integers(1, max(1, 8 // groups))),
        "kernel": kernel,
        "stride": stride,
        "padding": _per_axis(draw, [min(3, (out - 1) // 2) for out in outs]),
        "output_padding": extra,
        "dilation": dilation,
        "groups": groups,
        "bias": draw(st.booleans()),
    }


def _pool(draw: DrawFn, shape: Shape, dilated: bool) -> dict[str, Any]:
    sizes, rank = shape[1:], len(shape) - 1
    dilation = _per_axis(draw, [2 if n > 2 else 1 for n in sizes], 1) if dilated else 1
    gaps = _spread(dilation, rank)
    kernel = _per_axis(draw, [min(4, (n - 1) // d + 1) for n, d in zip(sizes, gaps, strict=True)], 1)
    halves = [(d * (k - 1) + 1) // 2 for k, d in zip(_spread(kernel, rank), gaps, strict=True)]
    style = draw(st.sampled_from(("same", "valid", "number", "axes", "pairs")))
    padding: Any = style
    if style == "number":
        padding = draw(st.integers(0, min(halves)))
    elif style == "axes":
        padding = tuple(draw(st.integers(0, half)) for half in halves)
    elif style == "pairs":
        padding = tuple(tuple(draw(st.integers(0, half)) for _ in "ab") for half in halves)
    attributes = {"kernel": kernel, "padding": padding}
    if style == "same":
        attributes["stride"] = 1
    elif draw(st.booleans()):
        attributes["stride"] = _per_axis(draw, [3] * rank, 1)
    if style in ("valid", "number", "axes"):
        attributes["ceil_mode"] = draw(st.booleans())
    if dilated:
        attributes["dilation"] = dilation
    return attributes


def _upsample(draw: DrawFn, shape: Shape) -> dict[str, Any]:
    rank = len(shape) - 1
    highs = [max(1, min(4, ROOM[rank] // n)) for n in shape[1:]]
    scale = _per_axis(draw, highs, min(2, *highs) if rank > 1 else min(2, highs[0]))
    mode = draw(st.sampled_from(("nearest", "linear")))
    return {"scale": scale, "mode": mode, "align_corners": mode == "linear" and draw(st.booleans())}


def _norm(draw: DrawFn, shape: Shape, **attributes: Any) -> dict[str, Any]:
    return {"affine": draw(st.booleans()), "epsilon": draw(st.sampled_from((1e-5, 1e-3))), **attributes}


def _batchnorm(draw: DrawFn, shape: Shape) -> dict[str, Any]:
    attributes = _norm(draw, shape, momentum=draw(st.sampled_from((0.0, 0.1, 1.0))))
    return {**attributes, "scale": not attributes["affine"] or draw(st.booleans())}


_ATTRIBUTES: dict[str, Callable[[DrawFn, Shape], dict[str, Any]]] = {
    "conv": _conv,
    "convtranspose": _convtranspose,
    "maxpool": lambda draw, shape: _pool(draw, shape, dilated=True),
    "avgpool": lambda draw, shape: {
        **_pool(draw, shape, dilated=False),
        "count_include_pad": draw(st.booleans()),
    },
    "upsample": _upsample,
    "batchnorm": _batchnorm,
    "layernorm": lambda draw, shape: _norm(draw, shape, over=draw(st.sampled_from(("all", "channels")))),
    "groupnorm": lambda draw, shape: _norm(draw, shape, groups=draw(st.sampled_from(_divisors(shape[0])))),
    "instancenorm": _norm,
    "adaptiveavgpool": lambda draw, shape: {"size": _per_axis(draw, [6] * (len(shape) - 1), 1)},
    "adaptivemaxpool": lambda draw, shape: {"size": _per_axis(draw, [6] * (len(shape) - 1), 1)},
    "globalavgpool": lambda draw, shape: {"keep": draw(st.booleans())},
    "globalmaxpool": lambda draw, shape: {"keep": draw(st.booleans())},
    "dense": lambda draw, shape: {
        "units": draw(st.integers(1, 8)),
        "bias": draw(st.booleans()),
        "pointwise": len(shape) > 1 or draw(st.booleans()),
    },
    "dropout": lambda draw, shape: {
        "probability": draw(st.sampled_from((0.0, 0.3, 0.5))),
        "channels": draw(st.booleans()),
    },
    "leakyrelu": lambda draw, shape: {"slope": draw(st.sampled_from((0.0, 0.01, 0.2)))},
    "gelu": lambda draw, shape: {"approximate": draw(st.sampled_from(("none", "tanh")))},
    **MORE_ATTRIBUTES,
}


def any_layer(draw: DrawFn, kind: str, shape: Shape) -> Layer:
    """A layer of that kind whose attributes suit the shape that arrives."""
    attributes = _ATTRIBUTES.get(kind, lambda draw, shape: {})(draw, shape)
    return layer_class(kind)(**attributes)
