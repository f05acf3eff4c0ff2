"""Activations and what else is applied to each number on its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from striate.graph.layer import Layer
from striate.graph.layers.activation import GELU, Hardswish, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from striate.graph.layers.clipped import Hardsigmoid, ReLU6
from striate.graph.layers.dropout import Dropout
from striate.graph.layers.prelu import PReLU
from striate.graph.layers.smooth import ELU, Mish, Softplus
from striate.sources.onnx.maps import Map, Value

if TYPE_CHECKING:
    from striate.sources.onnx.importer import Importer
    from striate.sources.onnx.model import Operation
    from striate.sources.onnx.operators import Rule

__all__ = ["RULES"]


def _near(value: float, wanted: float) -> bool:
    return math.isclose(value, wanted, rel_tol=1e-4, abs_tol=1e-6)


def _chosen(importer: Importer, operation: Operation) -> Layer | None:
    """The activation, where it is one that a layer describes with these attributes."""
    if operation.op in _PLAIN:
        return _PLAIN[operation.op]
    if operation.op == "LeakyRelu" and operation.number("alpha", 0.01) >= 0:
        return LeakyReLU(float(f"{operation.number('alpha', 0.01):.6g}"))
    if operation.op == "Elu" and operation.number("alpha", 1.0) >= 0:
        return ELU(float(f"{operation.number('alpha', 1.0):.6g}"))
    if operation.op == "HardSigmoid":
        exact = _near(operation.number("alpha", 0.2), 1 / 6) and _near(operation.number("beta", 0.5), 0.5)
        return Hardsigmoid() if exact else None
    if operation.op == "Gelu":
        return GELU("tanh" if operation.text("approximate", "none") == "tanh" else "none")
    if operation.op == "Swish":
        return SiLU() if _near(operation.number("alpha", 1.0), 1.0) else None
    if operation.op == "Clip":
        return _clip(importer, operation)
    return None


_PLAIN: dict[str, Layer] = {
    "Relu": ReLU(),
    "Sigmoid": Sigmoid(),
    "Tanh": Tanh(),
    "HardSwish": Hardswish(),
    "Mish": Mish(),
    "Softplus": Softplus(),
}


def _clip(importer: Importer, operation: Operation) -> Layer | None:
    low = _bound(importer, operation, 1, "min", -math.inf)
    high = _bound(importer, operation, 2, "max", math.inf)
    if low != 0:
        return None
    return ReLU6() if high == 6 else ReLU() if high is not None and high > 1e37 else None


def _bound(importer: Importer, operation: Operation, position: int, name: str, otherwise: float) -> float | None:
    if importer.given(operation, position) is not None:
        return importer.scalar(operation, position)
    return operation.number(name, otherwise)


def _pointwise(importer: Importer, operation: Operation) -> Value | None:
    value, layer = importer.map(operation), _chosen(importer, operation)
    if value is None or layer is None:
        return None
    return over(importer, operation, layer, value)


def over(importer: Importer, operation: Operation, layer: Layer, value: Map) -> Map:
    """A layer that treats each number on its own: the order of the axes does not matter, views stay aside."""
    name, sizes = importer.emit(operation, layer, [value])
    return value.on(name, sizes)


def _dropout(importer: Importer, operation: Operation) -> Value | None:
    value = importer.map(operation)
    ratio = importer.scalar(operation, 1) if importer.given(operation, 1) is not None else None
    ratio = operation.number("ratio", 0.5) if importer.given(operation, 1) is None else ratio
    used = any(importer.readers[name] for name in operation.outputs[1:])
    if value is None or ratio is None or not 0 <= ratio < 1 or used:
        return None
    return over(importer, operation, Dropout(float(f"{ratio:.6g}")), value)


def _prelu(importer: Importer, operation: Operation) -> Value | None:
    value, slope = importer.map(operation), importer.stored(operation, 1)
    if value is None or slope is None:
        return None
    value, order = importer.framed(operation, value)
    rank = len(value.sizes)
    if not value.batched or len(slope.sizes) > rank or rank < 2:
        return None
    wide = (1,) * (rank - len(slope.sizes)) + slope.sizes
    placed = {order[axis]: size for axis, size in enumerate(wide)}
    if slope.count == 1:
        layer = PReLU(channels=value.base[1] == 1)
    elif placed[1] == value.base[1] == slope.count:
        layer = PReLU()
    else:
        return None
    name, sizes = importer.emit(operation, layer, [value], [slope])
    return value.on(name, sizes)


def _softmax(importer: Importer, operation: Operation) -> Value | None:
    value = importer.map(operation)
    if value is None:
        return None
    value, order = importer.framed(operation, value)
    rank, modern = len(value.sizes), importer.model.opset >= 13
    axis = operation.integer("axis", -1 if modern else 1)
    if not value.batched or rank < 2 or not -rank <= axis < rank or order[axis] != 1:
        return None
    # Up to opset 12 all axes from the given one on were taken together.
    if not modern and math.prod(value.sizes[axis % rank :]) != value.sizes[axis]:
        return None
    return over(importer, operation, Softmax(), value)


RULES: dict[str, Rule] = {
    **dict.fromkeys((*_PLAIN, "LeakyRelu", "Elu", "HardSigmoid", "Gelu", "Swish", "Clip"), _pointwise),
    "Dropout": _dropout,
    "PRelu": _prelu,
    "Softmax": _softmax,
}
