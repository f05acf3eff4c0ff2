"""Dense (fully connected) layer."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import ShapeError
from striate.graph.attributes import check_count, check_flag, fill
from striate.graph.footprint import KEEPS_INPUT, Footprint
from striate.graph.layer import Layer, Parameter, Step
from striate.units import Shape, format_count, format_shape

__all__ = ["Dense"]


@dataclass(frozen=True)
class Dense(Layer):
    """Every output is a weighted sum of every input: ``y = W·x + b``.

    Args:
        units: how many outputs. In a YAML file ``classes`` stands for the network's number of classes.
        bias: whether a number is added to each output.
        pointwise: at each position of a map over its channels, as a 1×1 convolution, with the weight of a dense layer.

    >>> sum(p.count for p in Dense(128).parameters(((2048,),)))
    262272
    >>> Dense(384, pointwise=True).output_shape(((96, 56, 56),))
    (384, 56, 56)
    """

    units: int
    bias: bool = True
    pointwise: bool = False

    kind: ClassVar[str] = "dense"
    aliases: ClassVar[tuple[str, ...]] = ("linear", "fc", "fullyconnected")
    positional: ClassVar[tuple[str, ...]] = ("units",)

    def __post_init__(self) -> None:
        fill(
            self,
            units=check_count(self.kind, "units", self.units),
            bias=check_flag(self.kind, "bias", self.bias),
            pointwise=check_flag(self.kind, "pointwise", self.pointwise),
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """A vector of ``units``; ``pointwise``, as many channels on a map of the same size."""
        (shape,) = inputs
        if self.pointwise:
            return (self.units, *shape[1:])
        if len(shape) != 1:
            raise ShapeError(
                "dense needs a vector, and a map arrives: flatten is missing",
                got=format_shape(shape),
                needs="a vector",
                write=f"flatten before it ({format_count(math.prod(shape))} values),"
                f" or globalavgpool ({format_count(shape[0])} values)",
            )
        return (self.units,)

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """``weight`` of shape (units, inputs) and ``bias`` of shape (units,)."""
        weight = Parameter("weight", (self.units, inputs[0][0]), "weight")
        return (weight, Parameter("bias", (self.units,), "bias")) if self.bias else (weight,)

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Inputs × units, at each position."""
        return inputs[0][0] * math.prod(output)

    def backward_macs(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[int, int]:
        """``grad_x = Wᵀ·grad_y`` and ``grad_W = grad_y·xᵀ``: for each weight at each position one, both."""
        count = self.macs(inputs, output)
        return count, count

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """The additions of the bias."""
        return math.prod(output) if self.bias else 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The gradient of the weight reads the input again."""
        return KEEPS_INPUT

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """As many outputs as units."""
        formula = "units × sizes" if self.pointwise else "units"
        yield Step("output shape", formula, str(self.units), format_shape(self.output_shape(inputs)))

    def mac_step(self, inputs: tuple[Shape, ...], output: Shape) -> Step:
        """Inputs × units, at each position."""
        result = format_count(self.macs(inputs, output))
        if len(output) == 1:
            return Step("MACs", "inputs · units", f"{inputs[0][0]} · {self.units}", result)
        numbers = " · ".join(map(str, (*output[1:], inputs[0][0], self.units)))
        return Step("MACs", "positions · channels · units", numbers, result)
