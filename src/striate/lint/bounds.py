"""Between which bounds the numbers that leave each node must lie, whatever the image and the weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from striate.graph import Graph, Layer, Node
from striate.graph.layers.activation import GELU, Hardswish, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from striate.graph.layers.clipped import Hardsigmoid, ReLU6
from striate.graph.layers.dropout import Dropout
from striate.graph.layers.global_pooling import AdaptiveAvgPool, GlobalAvgPool
from striate.graph.layers.merge import Add, Concat, Multiply
from striate.graph.layers.padding import Pad
from striate.graph.layers.pooling import AvgPool
from striate.graph.layers.prelu import PReLU
from striate.graph.layers.resample import Resample
from striate.graph.layers.smooth import ELU, Mish, Softplus
from striate.graph.layers.stochastic_depth import StochasticDepth
from striate.lint.traits import MAXIMA, MOVES

__all__ = ["UNKNOWN", "Bounds", "bounds", "changes_nothing"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The smallest and the largest number that can leave a node."""

    low: float = -math.inf
    high: float = math.inf

    def with_zero(self) -> Bounds:
        """The same and 0."""
        return Bounds(min(self.low, 0.0), max(self.high, 0.0))


UNKNOWN = Bounds()

#: What leaves an activation, rounded outwards where it has no closed form (the minimum of GELU lies at -0.16997).
_ACTIVATIONS: dict[type[Layer], Bounds] = {
    ReLU: Bounds(0.0),
    ReLU6: Bounds(0.0, 6.0),
    Sigmoid: Bounds(0.0, 1.0),
    Hardsigmoid: Bounds(0.0, 1.0),
    Softmax: Bounds(0.0, 1.0),
    Tanh: Bounds(-1.0, 1.0),
    Softplus: Bounds(0.0),
    SiLU: Bounds(-0.2785),
    GELU: Bounds(-0.1702),
    Mish: Bounds(-0.3089),
    Hardswish: Bounds(-0.375),
}


def bounds(graph: Graph) -> Mapping[str, Bounds]:
    """Between which bounds the numbers that leave each node lie, in training and at inference; infinite where unknown.

    >>> from striate.graph import network
    >>> bounds(network("n", (3, 8, 8)).conv(4, 3).relu6().maxpool(2).globalavgpool().build())["globalavgpool1"]
    Bounds(low=0.0, high=6.0)
    """
    found: dict[str, Bounds] = {}
    for node in graph.nodes:
        found[node.name] = _leaves(node, [found[name] for name in node.inputs])
    return found


def _leaves(node: Node, arrives: list[Bounds]) -> Bounds:
    layer = node.layer
    if type(layer) in _ACTIVATIONS:
        known = _ACTIVATIONS[type(layer)]
        # What the bounds leave as it is stays inside its own bounds.
        return arrives[0] if changes_nothing(layer, arrives[0]) else known
    if isinstance(layer, ELU):
        return arrives[0] if arrives[0].low >= 0 else Bounds(-layer.alpha)
    if isinstance(layer, LeakyReLU | PReLU):
        return arrives[0] if arrives[0].low >= 0 else UNKNOWN
    if isinstance(layer, (*MOVES, *MAXIMA, GlobalAvgPool, AdaptiveAvgPool, Resample)):
        return arrives[0]
    if isinstance(layer, AvgPool):
        return arrives[0].with_zero()
    if isinstance(layer, Pad):
        return Bounds(min(arrives[0].low, layer.value), max(arrives[0].high, layer.value))
    if isinstance(layer, Dropout | StochasticDepth):
        rest = 1.0 - layer.probability
        return Bounds(arrives[0].low / rest, arrives[0].high / rest).with_zero() if rest > 0 else UNKNOWN
    return _joined(layer, arrives)


def _joined(layer: Layer, arrives: list[Bounds]) -> Bounds:
    if isinstance(layer, Add):
        return Bounds(sum(entry.low for entry in arrives), sum(entry.high for entry in arrives))
    if isinstance(layer, Concat):
        return Bounds(min(entry.low for entry in arrives), max(entry.high for entry in arrives))
    if isinstance(layer, Multiply) and all(entry.low >= 0 for entry in arrives):
        return Bounds(0.0, math.prod(entry.high for entry in arrives))
    return UNKNOWN


def changes_nothing(layer: Layer, arrives: Bounds) -> bool:
    """Whether an activation gives all numbers between these bounds on as they are.

    >>> changes_nothing(ReLU(), Bounds(0.0, 6.0)), changes_nothing(ReLU6(), Bounds(0.0))
    (True, False)
    """
    if isinstance(layer, ReLU | LeakyReLU | PReLU | ELU):
        return arrives.low >= 0
    return isinstance(layer, ReLU6) and arrives.low >= 0 and arrives.high <= 6
