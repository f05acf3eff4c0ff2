"""How large the numbers are that a network makes of an image, layer by layer, as its weights say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.graph import Layer, Node
from striate.graph.layers.activation import (
    GELU,
    Activation,
    Hardswish,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
)
from striate.graph.layers.clipped import Hardsigmoid, ReLU6
from striate.graph.layers.input import Input
from striate.graph.layers.layer_scale import LayerScale
from striate.graph.layers.merge import Add, Concat, Multiply
from striate.graph.layers.norm_pooling import LPPool
from striate.graph.layers.normalization import BatchNorm, Normalization
from striate.graph.layers.opaque import Opaque
from striate.graph.layers.prelu import PReLU
from striate.graph.layers.rescale import Rescale
from striate.graph.layers.smooth import ELU, Mish, Softplus
from striate.lint.subject import Subject
from striate.lint.tensors import Weighted, weighted

__all__ = ["after", "signal"]

Array = npt.NDArray[np.float64]

#: Points and shares of Gauss-Hermite quadrature: means over a standard normal number.
_POINTS, _SHARES = np.polynomial.hermite_e.hermegauss(80)
_SHARES = _SHARES / _SHARES.sum()

#: Larger mean squares are given as this one.
_LARGEST = 1e100


def _logistic(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -700, 700)))


def _softplus(x: Array) -> Array:
    return np.logaddexp(0.0, x)


_FUNCTIONS: dict[type[Layer], Callable[[Array], Array]] = {
    ReLU: lambda x: np.maximum(x, 0.0),
    ReLU6: lambda x: np.clip(x, 0.0, 6.0),
    SiLU: lambda x: x * _logistic(x),
    GELU: lambda x: x * 0.5 * (1.0 + np.vectorize(math.erf)(x / math.sqrt(2.0))),
    Hardswish: lambda x: x * np.clip(x + 3.0, 0.0, 6.0) / 6.0,
    Mish: lambda x: x * np.tanh(_softplus(x)),
    Softplus: _softplus,
    Sigmoid: _logistic,
    Hardsigmoid: lambda x: np.clip(x + 3.0, 0.0, 6.0) / 6.0,
    Tanh: np.tanh,
}


def after(layer: Activation, power: float) -> float | None:
    """The mean square behind an activation of a normal number with mean 0 and that mean square; None: not known.

    >>> round(after(ReLU(), 1.0), 3), round(after(LeakyReLU(1.0), 4.0), 3)
    (0.5, 4.0)
    """
    if isinstance(layer, LeakyReLU | PReLU):
        slope = layer.slope if isinstance(layer, LeakyReLU) else layer.initial
        return power * (1.0 + slope**2) / 2.0
    if isinstance(layer, ReLU):
        return power / 2.0
    function = _FUNCTIONS.get(type(layer))
    points = _POINTS * math.sqrt(power)
    if isinstance(layer, ELU):
        values = np.where(points > 0, points, layer.alpha * np.expm1(np.minimum(points, 0.0)))
    elif function is None:
        return None
    else:
        values = function(points)
    return float(_SHARES @ values**2)


def signal(net: Subject) -> Mapping[str, float | None]:
    """The mean square of what leaves each node, for an image of mean square 1 at the first step of training.

    As He et al. 2015, section 2.2, have it: inputs of a layer are taken as independent of its weights; a layer with
    weights multiplies the mean square by the sum of the squares of a unit's weights, biases left out (they do not come
    from the image); an activation is averaged over a normal number; a normalisation sets the mean square to that of its
    scale; sums add, and the rest keeps it. None where a layer's weights or effect are not known.
    """
    values = {entry.node.name: entry for entry in weighted(net)}
    found: dict[str, float | None] = {}
    for node in net.graph.nodes:
        arrives = [found[name] for name in node.inputs]
        known = [entry for entry in arrives if entry is not None]
        power = _leaves(net, node, known, values) if len(known) == len(arrives) else None
        found[node.name] = None if power is None else min(power, _LARGEST)
    return found


def _leaves(net: Subject, node: Node, arrives: list[float], values: Mapping[str, Weighted]) -> float | None:
    layer, owner = node.layer, node.shares or node.name
    if isinstance(layer, Input):
        return 1.0
    if isinstance(layer, Opaque | Softmax | LPPool):
        return None
    if isinstance(layer, Activation):
        return after(layer, arrives[0])
    if isinstance(layer, Normalization):
        scaled = layer.affine and not (isinstance(layer, BatchNorm) and not layer.scale)
        return _scale(net, f"{owner}.weight", 1.0) if scaled else 1.0
    if isinstance(layer, Rescale):
        return arrives[0] * layer.factor**2
    if isinstance(layer, LayerScale):
        return arrives[0] * _scale(net, f"{owner}.{layer.parameter}", layer.initial**2)
    if any(entry.role == "weight" for entry in layer.parameters(net.graph.input_shapes(node))):
        entry = values.get(owner)
        return None if entry is None else arrives[0] * entry.power
    if isinstance(layer, Add):
        return sum(arrives)
    if isinstance(layer, Multiply):
        return math.prod(arrives)
    if isinstance(layer, Concat):
        channels = [shape[0] for shape in net.graph.input_shapes(node)]
        return sum(count * entry for count, entry in zip(channels, arrives, strict=True)) / sum(channels)
    return arrives[0]


def _scale(net: Subject, name: str, default: float) -> float:
    given: Any = None if net.weights is None else net.weights.get(name)
    power = math.nan if given is None else float(np.mean(np.square(np.asarray(given, dtype=np.float64))))
    return power if math.isfinite(power) else default
