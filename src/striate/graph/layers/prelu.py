"""The leaky ReLU that learns its slopes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from striate.graph.attributes import check_flag, check_number, fill
from striate.graph.footprint import Extra, Footprint
from striate.graph.layer import Parameter
from striate.graph.layers.activation import Activation, Nonlinearity
from striate.units import Shape

__all__ = ["PReLU"]


@dataclass(frozen=True)
class PReLU(Activation):
    """``x`` where positive, ``weight · x`` elsewhere (He et al., "Delving deep into rectifiers", 2015, equation 1).

    Args:
        channels: learn one slope for each channel instead of one for all.
        initial: the slopes before training.

    >>> PReLU().parameters(((64, 8, 8),))[0].shape
    (64,)
    """

    channels: bool = True
    initial: float = 0.25

    kind: ClassVar[str] = "prelu"
    nonlinearity: ClassVar[Nonlinearity | None] = "leaky_relu"

    def __post_init__(self) -> None:
        fill(
            self,
            channels=check_flag(self.kind, "channels", self.channels),
            initial=check_number(self.kind, "initial", self.initial, low=0.0),
        )

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """``weight``, the slopes: of shape (channels,) or (1,)."""
        # A scale: it should neither be drawn at random nor decay (He et al. 2015, section 2.1).
        return (Parameter("weight", (inputs[0][0] if self.channels else 1,), "scale", self.initial),)

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The input; the gradient of the slopes is made for each number before it is summed."""
        summed = Extra("gradient before it is summed", math.prod(output), kept=False, backward=True)
        return Footprint(inputs=(0,), extras=(summed,))
