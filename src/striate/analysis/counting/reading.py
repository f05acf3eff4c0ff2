"""What a counting rule is told of a node, and what it answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from striate.graph import Layer
from striate.units import Shape

__all__ = ["FUNCTION", "Amounts", "Reading", "Rule", "Rules", "bias", "nothing"]

#: Pairs of a reason and an amount, to be added to the MACs of Striate.
Amounts = list[tuple[str, int]]

FUNCTION = "called as a function: the tool sees modules only"


@dataclass(frozen=True, slots=True)
class Reading:
    """One node, as a tool meets it: batch of one image, eval mode.

    Args:
        layer: the layer.
        inputs: the shapes that arrive.
        output: the shape that leaves.
        macs: what Striate counts.
        function: the module's author calls a function (``F.relu``) instead of a module (``nn.ReLU``).
        module: it is torch's own module where one would expect a class derived from it.
    """

    layer: Any
    inputs: tuple[Shape, ...]
    output: Shape
    macs: int
    function: bool
    module: bool = False

    @property
    def rank(self) -> int:
        """Spatial axes of what arrives."""
        return len(self.inputs[0]) - 1

    @property
    def arriving(self) -> int:
        """Numbers of the first input."""
        return math.prod(self.inputs[0])

    @property
    def leaving(self) -> int:
        """Numbers of the output."""
        return math.prod(self.output)

    @property
    def parameters(self) -> int:
        """Trained numbers."""
        return sum(parameter.count for parameter in self.layer.parameters(self.inputs))

    @property
    def weights(self) -> int:
        """Trained numbers of the weight alone."""
        count: int = self.layer.parameters(self.inputs)[0].count
        return count

    @property
    def places(self) -> int:
        """Output positions."""
        return math.prod(self.output[1:])


Rule = Callable[[Reading], Amounts]
Rules = Mapping[type[Layer], Rule]


def nothing(reading: Reading) -> Amounts:
    """The tool counts what Striate counts."""
    return []


def bias(reading: Reading) -> Amounts:
    """The tool counts an addition for each output of a layer with a bias."""
    return [("the bias is counted, one for each output", reading.leaving)] if reading.layer.bias else []
