"""Activations, dropout and softmax."""

from __future__ import annotations

from typing import Any

from striate.graph.layer import Layer
from striate.graph.layers.activation import GELU, Hardswish, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from striate.graph.layers.clipped import Hardsigmoid, ReLU6
from striate.graph.layers.dropout import Dropout
from striate.graph.layers.prelu import PReLU
from striate.graph.layers.smooth import ELU, Mish, Softplus
from striate.sources.torch_module.calls import Call
from striate.sources.torch_module.readers import arranged, is_map, on_map, reads
from striate.sources.torch_module.values import Found, Value

__all__ = ["pointwise"]


def pointwise(call: Call, layer: Layer, input: Value) -> Found | None:
    """A layer that works number by number: on the map, whatever order its axes have here."""
    if not is_map(input) or not input.tensor.is_floating_point():
        return None
    layout = arranged(input)
    if layout is None or input.node is None:
        return on_map(call, layer, input)
    return Found(layer, (input.node,), (), layout)


@reads("relu")
def _relu(call: Call, input: Value, inplace: bool = False) -> Found | None:
    return pointwise(call, ReLU(), input)


@reads("relu6")
def _relu6(call: Call, input: Value, inplace: bool = False) -> Found | None:
    return pointwise(call, ReLU6(), input)


@reads("hardtanh")
def _hardtanh(call: Call, input: Value, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    return pointwise(call, ReLU6(), input) if (min_val, max_val) == (0, 6) else None


@reads("leaky_relu")
def _leaky_relu(call: Call, input: Value, negative_slope: float = 0.01, inplace: bool = False) -> Found | None:
    return pointwise(call, LeakyReLU(negative_slope), input)


@reads("elu")
def _elu(call: Call, input: Value, alpha: float = 1.0, inplace: bool = False) -> Found | None:
    return pointwise(call, ELU(alpha), input)


@reads("gelu")
def _gelu(call: Call, input: Value, approximate: str = "none") -> Found | None:
    return pointwise(call, GELU(approximate), input)


@reads("silu")
def _silu(call: Call, input: Value, inplace: bool = False) -> Found | None:
    return pointwise(call, SiLU(), input)


@reads("mish")
def _mish(call: Call, input: Value, inplace: bool = False) -> Found | None:
    return pointwise(call, Mish(), input)


@reads("softplus")
def _softplus(call: Call, input: Value, beta: float = 1.0, threshold: float = 20.0) -> Found | None:
    return pointwise(call, Softplus(), input) if beta == 1 else None


@reads("sigmoid")
def _sigmoid(call: Call, input: Value) -> Found | None:
    return pointwise(call, Sigmoid(), input)


@reads("tanh")
def _tanh(call: Call, input: Value) -> Found | None:
    return pointwise(call, Tanh(), input)


@reads("hardswish")
def _hardswish(call: Call, input: Value, inplace: bool = False) -> Found | None:
    return pointwise(call, Hardswish(), input)


@reads("hardsigmoid")
def _hardsigmoid(call: Call, input: Value, inplace: bool = False) -> Found | None:
    return pointwise(call, Hardsigmoid(), input)


@reads("prelu")
def _prelu(call: Call, input: Value, weight: Value) -> Found | None:
    if not is_map(input) or weight.node is not None:
        return None
    return on_map(call, PReLU(channels=weight.tensor.numel() != 1), input, weight)


@reads("softmax")
def _softmax(call: Call, input: Value, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Found | None:
    if not is_map(input) or dim is None or input.layout is None or dtype is not None:
        return None
    axis = dim % input.tensor.dim() - 1
    layout = arranged(input)
    if layout is None or input.node is None:
        return on_map(call, Softmax(), input) if axis == 0 else None
    if axis < 0 or layout.axes.count(layout.base[0]) != 1 or not layout.holds_channels_at(axis):
        return None
    return Found(Softmax(), (input.node,), (), layout)


@reads("dropout")
def _dropout(call: Call, input: Value, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    return _dropped(call, input, p, channels=False)


@reads("dropout1d", "dropout2d", "dropout3d", "feature_dropout")
def _dropout_channels(call: Call, input: Value, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    return _dropped(call, input, p, channels=True)


def _dropped(call: Call, input: Value, p: float, *, channels: bool) -> Found | None:
    return pointwise(call, Dropout(p, channels), input)
