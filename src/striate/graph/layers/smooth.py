"""Activations that bend smoothly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from striate.graph.attributes import check_number, fill
from striate.graph.layers.activation import Activation, Nonlinearity

__all__ = ["ELU", "Mish", "Softplus"]


@dataclass(frozen=True)
class ELU(Activation):
    """``x`` where positive, ``alpha · (exp(x) - 1)`` elsewhere (Clevert, Unterthiner, Hochreiter 2016, equation 15).

    Args:
        alpha: minus this is what very negative numbers become.
    """

    alpha: float = 1.0

    kind: ClassVar[str] = "elu"
    positional: ClassVar[tuple[str, ...]] = ("alpha",)
    nonlinearity: ClassVar[Nonlinearity | None] = "relu"

    def __post_init__(self) -> None:
        fill(self, alpha=check_number(self.kind, "alpha", self.alpha, low=0.0))


@dataclass(frozen=True)
class Mish(Activation):
    """``x · tanh(log(1 + exp(x)))`` (Misra, "Mish", 2020, equation 3)."""

    kind: ClassVar[str] = "mish"
    nonlinearity: ClassVar[Nonlinearity | None] = "relu"


@dataclass(frozen=True)
class Softplus(Activation):
    """``log(1 + exp(x))`` (Dugas et al. 2001); a smooth ReLU that is nowhere 0."""

    kind: ClassVar[str] = "softplus"
    nonlinearity: ClassVar[Nonlinearity | None] = "relu"
