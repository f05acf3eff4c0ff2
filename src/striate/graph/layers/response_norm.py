"""Local response normalisation, as the networks before batch normalisation used it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from striate.graph.attributes import check_count, check_number, fill, need_spatial
from striate.graph.footprint import Extra, Footprint
from striate.graph.layer import Layer
from striate.units import Shape

__all__ = ["LocalResponseNorm"]


@dataclass(frozen=True)
class LocalResponseNorm(Layer):
    """Each number divided by what its neighbouring channels show at the same place.

    Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural networks", 2012, section 3.3.
    ``y_c = x_c / (k + alpha / size · Σ x_i²)^beta``, summed over ``size`` channels around c: those from
    ``c - floor(size / 2)`` to ``c + floor((size - 1) / 2)`` that exist. The paper does not divide ``alpha`` by the
    size: its 1e-4 over 5 channels is 5e-4 here, as in PyTorch.

    Args:
        size: how many channels.
        alpha: factor of the mean of the squares.
        beta: exponent.
        k: what is added; above 0.

    >>> LocalResponseNorm(5).output_shape(((96, 55, 55),))
    (96, 55, 55)
    """

    size: int
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    kind: ClassVar[str] = "localresponsenorm"
    aliases: ClassVar[tuple[str, ...]] = ("lrn", "localresponsenormalization")
    positional: ClassVar[tuple[str, ...]] = ("size",)

    def __post_init__(self) -> None:
        fill(
            self,
            size=check_count(self.kind, "size", self.size),
            alpha=check_number(self.kind, "alpha", self.alpha, low=0.0),
            beta=check_number(self.kind, "beta", self.beta, low=0.0),
            # With 0 a place where all channels are 0 would be 0 / 0.
            k=check_number(self.kind, "k", self.k, low=1e-12),
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """As the input, which must be a map."""
        need_spatial(self.kind, inputs[0])
        return inputs[0]

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """``size + 4`` for each number: square, add up ``size`` of them, scale, add k, raise to the power, divide."""
        return (self.size + 4) * math.prod(output)

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The input, the squares with channels of zeros around them, the sums and their powers."""
        count = math.prod(output)
        padded = (output[0] + self.size - 1) * math.prod(output[1:])
        return Footprint(
            inputs=(0,),
            extras=(
                Extra("squares", count, kept=False, inference=True),
                Extra("padded squares", padded, inference=True),
                Extra("means", count, kept=False, inference=True),
                Extra("sums", count),
                Extra("powers", count, inference=True),
                Extra("gradients in between", 2 * count + padded, kept=False, backward=True),
            ),
        )
