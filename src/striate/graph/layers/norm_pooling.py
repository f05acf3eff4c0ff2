"""Pooling by a power mean of each window."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from striate.graph.attributes import Sizes, check_flag, check_number, fill
from striate.graph.footprint import Extra, Footprint
from striate.graph.layers.pooling import Pool
from striate.units import Shape

__all__ = ["LPPool"]


@dataclass(frozen=True)
class LPPool(Pool):
    """``(Σ x^norm)^(1/norm)`` over each window, channel by channel (Gülçehre et al. 2014).

    The sum at norm 1, near the maximum for a large one. A norm that is odd or not whole needs numbers that are not
    negative, as behind a ReLU: the root of a negative sum is no number.

    Args:
        norm: the exponent, above 0.
        kernel: window size.
        stride: step of the window; default: the kernel.
        ceil_mode: keep a last window that is only partly inside; its sum is scaled up to a whole window.

    >>> LPPool(2, 3, stride=2).output_shape(((16, 7, 7),))
    (16, 3, 3)
    """

    norm: float
    kernel: Sizes
    stride: Sizes | None = None
    ceil_mode: bool = False

    kind: ClassVar[str] = "lppool"
    aliases: ClassVar[tuple[str, ...]] = ("lppool1d", "lppool2d", "lppool3d")
    positional: ClassVar[tuple[str, ...]] = ("norm", "kernel", "stride")
    words: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        self._check_window()
        fill(
            self,
            # Below, the root of a mean overflows.
            norm=check_number(self.kind, "norm", self.norm, low=0.01),
            ceil_mode=check_flag(self.kind, "ceil_mode", self.ceil_mode),
        )

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """``2·k`` for each output, of the k taps of its window: k powers, k - 1 additions and a root."""
        return 2 * math.prod(output) * math.prod(window.kernel for window in self.windows(len(output) - 1))

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The input, its powers, and four steps on the way to the root."""
        arriving, leaving = math.prod(inputs[0]), math.prod(output)
        steps = ("means", "signs", "magnitudes", "sums")
        return Footprint(
            inputs=(0,),
            extras=(
                Extra("powers", arriving, inference=True),
                *(Extra(name, leaving) for name in steps),
                # Three of the steps are there at once, when the powers are gone.
                Extra("steps", max(3 * leaving - arriving, 0), kept=False, inference=True),
            ),
        )
