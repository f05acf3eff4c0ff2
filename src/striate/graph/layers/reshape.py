"""Layers that only rearrange numbers, or pass them on."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from striate.graph.footprint import VIEW, Footprint
from striate.graph.layer import EVERYTHING, Layer, Reach, Step
from striate.units import Shape, format_count, format_shape

__all__ = ["Flatten", "Identity"]


@dataclass(frozen=True)
class Flatten(Layer):
    """A map as one vector, channel by channel, row by row.

    >>> Flatten().output_shape(((32, 8, 8),))
    (2048,)
    """

    kind: ClassVar[str] = "flatten"

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """The product of all sizes."""
        return (math.prod(inputs[0]),)

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """None: numbers are only listed in another way."""
        return 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The vector is the map's memory, unless that is not in order (behind a channels-last layer or a crop)."""
        return VIEW

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach | Literal["everything"]:
        """The vector as a whole holds the whole map."""
        return EVERYTHING

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """The product of all sizes."""
        numbers = " · ".join(str(size) for size in inputs[0])
        yield Step("output shape", "channels · positions", numbers, format_count(math.prod(inputs[0])))


@dataclass(frozen=True)
class Identity(Layer):
    """What comes in goes out."""

    kind: ClassVar[str] = "identity"

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """As the input."""
        return inputs[0]

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """None."""
        return 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The input itself."""
        return VIEW

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """As the input."""
        yield Step("output shape", "as the input", format_shape(inputs[0]), format_shape(inputs[0]))
