"""A constant factor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import LayerError
from striate.graph.attributes import check_number, fill
from striate.graph.footprint import Footprint
from striate.graph.layer import Layer
from striate.units import Shape

__all__ = ["Rescale"]


@dataclass(frozen=True)
class Rescale(Layer):
    """``y = factor · x``; nothing is learned.

    At the logits it is the inverse of a temperature: large outputs at the start make large gradients, which a factor
    below 1 holds back (Jordan, "94% on CIFAR-10 in 3.29 seconds", 2024, section 3.1: 1/9).

    Args:
        factor: above 0.

    >>> Rescale(0.5).output_shape(((10,),))
    (10,)
    """

    factor: float

    kind: ClassVar[str] = "rescale"
    positional: ClassVar[tuple[str, ...]] = ("factor",)

    def __post_init__(self) -> None:
        fill(self, factor=check_number(self.kind, "factor", self.factor, low=0.0))
        if self.factor == 0.0:
            raise LayerError(
                "rescale by 0 leaves nothing", got="factor: 0", needs="a number above 0", write="factor: 0.5"
            )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """As the input."""
        return inputs[0]

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """One multiplication for each number."""
        return math.prod(output)

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """Nothing is kept: the derivative is the factor."""
        return Footprint()
