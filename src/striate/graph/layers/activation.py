"""Activations: one function applied to every number; the shape stays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from striate.graph.attributes import check_choice, check_number, fill
from striate.graph.footprint import KEEPS_INPUT, KEEPS_OUTPUT, Footprint
from striate.graph.layer import Layer
from striate.units import Shape

__all__ = ["GELU", "Activation", "FromOutput", "Hardswish", "LeakyReLU", "ReLU", "SiLU", "Sigmoid", "Softmax", "Tanh"]

Nonlinearity = Literal["relu", "leaky_relu", "tanh", "sigmoid"]


class Activation(Layer):
    """What all share."""

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """As the input."""
        return inputs[0]

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """One evaluation of the function for each number."""
        return math.prod(output)

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The backward pass reads the input again, unless an activation's derivative follows from its output."""
        return KEEPS_INPUT


class FromOutput(Activation):
    """An activation whose derivative follows from its output."""

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The backward pass reads the output again."""
        return KEEPS_OUTPUT


@dataclass(frozen=True)
class ReLU(FromOutput):
    """``max(0, x)`` (Nair and Hinton 2010)."""

    kind: ClassVar[str] = "relu"
    nonlinearity: ClassVar[Nonlinearity | None] = "relu"


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """``x`` where positive, ``slope · x`` elsewhere (Maas, Hannun, Ng 2013).

    Args:
        slope: factor for negative numbers.
    """

    slope: float = 0.01

    kind: ClassVar[str] = "leakyrelu"
    aliases: ClassVar[tuple[str, ...]] = ("lrelu",)
    positional: ClassVar[tuple[str, ...]] = ("slope",)
    nonlinearity: ClassVar[Nonlinearity | None] = "leaky_relu"

    def __post_init__(self) -> None:
        fill(self, slope=check_number(self.kind, "slope", self.slope, low=0.0))


@dataclass(frozen=True)
class SiLU(Activation):
    """``x · sigmoid(x)``, also called Swish (Ramachandran, Zoph, Le 2017)."""

    kind: ClassVar[str] = "silu"
    aliases: ClassVar[tuple[str, ...]] = ("swish",)
    nonlinearity: ClassVar[Nonlinearity | None] = "relu"


@dataclass(frozen=True)
class GELU(Activation):
    """``x · Φ(x)`` with the normal distribution function Φ (Hendrycks and Gimpel 2016).

    Args:
        approximate: ``none`` (exact) or ``tanh``.
    """

    approximate: str = "none"

    kind: ClassVar[str] = "gelu"
    words: ClassVar[str | None] = "approximate"
    nonlinearity: ClassVar[Nonlinearity | None] = "relu"

    def __post_init__(self) -> None:
        fill(self, approximate=check_choice(self.kind, "approximate", self.approximate, ("none", "tanh")))


@dataclass(frozen=True)
class Sigmoid(FromOutput):
    """``1 / (1 + exp(-x))``."""

    kind: ClassVar[str] = "sigmoid"
    nonlinearity: ClassVar[Nonlinearity | None] = "sigmoid"


@dataclass(frozen=True)
class Tanh(FromOutput):
    """The hyperbolic tangent."""

    kind: ClassVar[str] = "tanh"
    nonlinearity: ClassVar[Nonlinearity | None] = "tanh"


@dataclass(frozen=True)
class Hardswish(Activation):
    """``x · min(max(x + 3, 0), 6) / 6`` (Howard et al., "Searching for MobileNetV3", 2019, section 5.2)."""

    kind: ClassVar[str] = "hardswish"
    aliases: ClassVar[tuple[str, ...]] = ("hswish",)
    nonlinearity: ClassVar[Nonlinearity | None] = "relu"


@dataclass(frozen=True)
class Softmax(FromOutput):
    """``exp(x_c) / Σ_k exp(x_k)`` over the channels, at each position."""

    kind: ClassVar[str] = "softmax"

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """``3·C - 1`` at each position: C exponentials, C - 1 additions, C divisions."""
        return math.prod(output[1:]) * (3 * output[0] - 1)
