"""Activations made of straight pieces with a bound, as mobile networks use them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from striate.graph.layers.activation import Activation, Nonlinearity

__all__ = ["Hardsigmoid", "ReLU6"]


@dataclass(frozen=True)
class ReLU6(Activation):
    """``min(max(x, 0), 6)`` (Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010)."""

    kind: ClassVar[str] = "relu6"
    nonlinearity: ClassVar[Nonlinearity | None] = "relu"


@dataclass(frozen=True)
class Hardsigmoid(Activation):
    """``min(max(x + 3, 0), 6) / 6`` (Howard et al., "Searching for MobileNetV3", 2019, section 5.2).

    Keras before version 3 computes another one, ``min(max(0.2·x + 0.5, 0), 1)``.
    """

    kind: ClassVar[str] = "hardsigmoid"
    aliases: ClassVar[tuple[str, ...]] = ("hsigmoid",)
    nonlinearity: ClassVar[Nonlinearity | None] = "sigmoid"
