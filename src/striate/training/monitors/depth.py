"""How a gradient changes from the last layer to the first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Depth", "exploding", "vanishing"]

#: AutoTrainer's: vanishing below this ratio of first to last, where the first is small; exploding above the other.
_VANISHING, _SMALL, _EXPLODING, _LARGE = 1e-3, 1e-4, 70.0, 1.0
#: Of one layer there is no depth.
_LAYERS = 2


@dataclass(frozen=True, slots=True)
class Depth:
    """Where, and the evidence in words."""

    layer: str
    told: str


def vanishing(gradients: Mapping[str, float]) -> Depth | None:
    """The layer nearest to the input whose gradient has vanished; None where none has.

    >>> vanishing({"conv1.weight": 2e-6, "dense1.weight": 0.5}).layer
    'conv1'
    >>> vanishing({"conv1.weight": 2e-3, "dense1.weight": 0.5}) is None
    True
    """
    if len(gradients) < _LAYERS:
        return None
    (first, low), (last, high) = _ends(gradients)
    if not (0 < low < _SMALL and low < _VANISHING * high):
        return None
    return Depth(_layer(first), f"the gradient norm is {low:.2g} here and {high:.2g} in {_layer(last)}")


def exploding(gradients: Mapping[str, float]) -> Depth | None:
    """The first layer, where its gradient is many times the last one's; None where it is not.

    >>> exploding({"conv1.weight": 500.0, "dense1.weight": 0.5}).told
    'the gradient norm is 5e+02 here and 0.5 in dense1'
    """
    if len(gradients) < _LAYERS:
        return None
    (first, high), (last, low) = _ends(gradients)
    if not (math.isfinite(high) and high > _LARGE and low > 0 and high > _EXPLODING * low):
        return None
    return Depth(_layer(first), f"the gradient norm is {high:.2g} here and {low:.2g} in {_layer(last)}")


def _ends(gradients: Mapping[str, float]) -> tuple[tuple[str, float], tuple[str, float]]:
    entries = list(gradients.items())
    return entries[0], entries[-1]


def _layer(name: str) -> str:
    return name.rpartition(".")[0]
