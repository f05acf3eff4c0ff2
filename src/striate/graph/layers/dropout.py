"""Dropout."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from striate.graph.attributes import check_flag, check_number, fill
from striate.graph.footprint import VIEW, Extra, Footprint
from striate.graph.layer import Layer
from striate.units import Shape

__all__ = ["Dropout"]


@dataclass(frozen=True)
class Dropout(Layer):
    """While training, each number is set to 0 with ``probability`` and the rest divided by ``1 - probability``.

    Srivastava et al., "Dropout", 2014, section 10 (the inverted form). At inference nothing happens.

    Args:
        probability: share of numbers dropped.
        channels: drop whole channels instead of single numbers (Tompson et al. 2015).
    """

    probability: float = 0.5
    channels: bool = False

    kind: ClassVar[str] = "dropout"
    positional: ClassVar[tuple[str, ...]] = ("probability",)

    def __post_init__(self) -> None:
        fill(
            self,
            probability=check_number(self.kind, "probability", self.probability, low=0.0, high=1.0, below=True),
            channels=check_flag(self.kind, "channels", self.channels),
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """As the input."""
        return inputs[0]

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """None at inference."""
        return 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The factors that the numbers were multiplied with, 0 or ``1 / (1 - probability)``.

        On CUDA they are kept as a mask of one byte for each number, unless whole channels are dropped.
        """
        if self.probability == 0.0:
            return VIEW
        whole = self.channels and len(output) > 1
        mask = Extra("factors", output[0]) if whole else Extra("factors", math.prod(output), "mask")
        return Footprint(extras=(mask,), idle=True)
