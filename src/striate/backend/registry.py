"""Which torch module computes which layer. The files in ``operations/`` register themselves here."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import nn

from striate.errors import NetworkError
from striate.graph import Layer
from striate.units import Shape

__all__ = ["Fans", "Operation", "Shapes", "operation", "operation_of", "plain_fans"]

Shapes = tuple[Shape, ...]
LayerT = TypeVar("LayerT", bound=Layer)
Build = Callable[[LayerT, Shapes], nn.Module]


@dataclass(frozen=True, slots=True)
class Fans:
    """How many numbers a weight connects, as initialisation needs it; the averages may be fractions.

    Args:
        inward: inputs that one output number sums.
        outward: output numbers that one input reaches.
        blocks: parts that do not see each other, each a matrix of its own (the groups of a convolution).
    """

    inward: float
    outward: float
    blocks: int = 1


FanRule = Callable[[LayerT, Shape], Fans]


@dataclass(frozen=True, slots=True)
class Operation:
    """How one layer class is computed and initialised.

    Args:
        build: the layer and its input shapes → a module whose parameters bear the names the layer gives them.
        fans: the layer and its weight's shape → the fans.
        holds: whether nodes whose names begin with the layer's and a dot may stand inside of its module.
    """

    build: Callable[[Any, Shapes], nn.Module]
    fans: Callable[[Any, Shape], Fans]
    holds: bool = False


_OPERATIONS: dict[type[Layer], Operation] = {}


def plain_fans(layer: Layer, weight: Shape) -> Fans:
    """The fans of a weight of shape (outputs, inputs, *kernel).

    >>> from striate.graph.layers.dense import Dense
    >>> plain_fans(Dense(10), (10, 64))
    Fans(inward=64, outward=10, blocks=1)
    """
    return Fans(inward=math.prod(weight[1:]), outward=weight[0] * math.prod(weight[2:]))


def operation(
    cls: type[LayerT], *, fans: FanRule[LayerT] = plain_fans, holds: bool = False
) -> Callable[[Build[LayerT]], Build[LayerT]]:
    """Register the decorated function as the one that builds the module of a layer class."""

    def register(build: Build[LayerT]) -> Build[LayerT]:
        if cls in _OPERATIONS:
            raise TypeError(f"two operations compute {cls.__name__}")
        _OPERATIONS[cls] = Operation(build, fans, holds)
        return build

    return register


def operation_of(layer: Layer) -> Operation:
    """The operation of a layer.

    Raises:
        NetworkError: when PyTorch code for this kind of layer is unknown.
    """
    try:
        return _OPERATIONS[type(layer)]
    except KeyError:
        raise NetworkError(
            f"a network with {layer.kind or type(layer).__name__} can be inspected but not computed",
            got=repr(layer),
            needs="one of " + ", ".join(sorted(cls.kind for cls in _OPERATIONS)),
        ) from None
