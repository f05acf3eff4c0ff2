"""Stochastic depth: residual branches that are left out while training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from striate.graph.attributes import check_choice, check_number, fill
from striate.graph.footprint import VIEW, Extra, Footprint
from striate.graph.layer import Layer
from striate.units import Shape

__all__ = ["StochasticDepth"]


@dataclass(frozen=True)
class StochasticDepth(Layer):
    """While training, the whole map becomes 0 with ``probability``, else it is divided by ``1 - probability``.

    Huang et al., "Deep networks with stochastic depth", 2016, section 3, scaled while training as dropout is. It stands
    at the end of a residual branch, before the sum. At inference nothing happens.

    Args:
        probability: how often the branch is left out.
        mode: ``row`` (each image for itself) or ``batch`` (all images of a batch together).
    """

    probability: float = 0.5
    mode: str = "row"

    kind: ClassVar[str] = "stochasticdepth"
    aliases: ClassVar[tuple[str, ...]] = ("droppath",)
    positional: ClassVar[tuple[str, ...]] = ("probability",)
    words: ClassVar[str | None] = "mode"

    def __post_init__(self) -> None:
        fill(
            self,
            probability=check_number(self.kind, "probability", self.probability, low=0.0, high=1.0, below=True),
            mode=check_choice(self.kind, "mode", self.mode, ("row", "batch")),
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """As the input."""
        return inputs[0]

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """None at inference."""
        return 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The factor that each image was multiplied with, or the whole batch."""
        if self.probability == 0.0:
            return VIEW
        return Footprint(extras=(Extra("factors", 1, shared=self.mode == "batch"),), idle=True)
