"""A learned factor for each channel."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import LayerError
from striate.graph.attributes import check_number, fill
from striate.graph.footprint import Extra, Footprint
from striate.graph.layer import Layer, Parameter
from striate.units import Shape

__all__ = ["LayerScale"]


@dataclass(frozen=True)
class LayerScale(Layer):
    """``y_c = weight_c · x_c`` (Touvron et al., "Going deeper with image transformers", 2021, equation 3).

    It stands at the end of a residual branch and starts near 0, so that a deep network begins as the identity. The
    weight is stored as (channels, 1, 1), with a 1 for each spatial axis.

    Args:
        initial: the factors before training.
        parameter: what the weight is called, for published weights of another name.

    >>> LayerScale().parameters(((96, 56, 56),))[0].shape
    (96, 1, 1)
    """

    initial: float = 1e-6
    parameter: str = "weight"

    kind: ClassVar[str] = "layerscale"
    positional: ClassVar[tuple[str, ...]] = ("initial",)

    def __post_init__(self) -> None:
        fill(self, initial=check_number(self.kind, "initial", self.initial, low=0.0))
        if not isinstance(self.parameter, str) or not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", self.parameter):
            raise LayerError(
                "layerscale cannot use this parameter",
                got=f"parameter: {self.parameter!r}",
                needs="a name of letters, digits and _",
                write="parameter: weight",
            )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """As the input."""
        return inputs[0]

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """One multiplication for each number."""
        return math.prod(output)

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The gradient of the factors reads the input again."""
        summed = Extra("gradient before it is summed", math.prod(output), kept=False, backward=True)
        return Footprint(inputs=(0,), extras=(summed,))

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """``weight`` of shape (channels, 1, …, 1)."""
        (shape,) = inputs
        return (Parameter(self.parameter, (shape[0], *(1,) * (len(shape) - 1)), "scale", self.initial),)
