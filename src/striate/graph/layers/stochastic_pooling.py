"""Stochastic pooling: while training, a pixel of the window is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from striate.graph.attributes import Sizes
from striate.graph.layers.pooling import Pool

__all__ = ["StochasticPool"]


@dataclass(frozen=True)
class StochasticPool(Pool):
    """While training, one number of each window, drawn with the probability ``p_i = a_i / Σ a``; else ``Σ p_i · a_i``.

    Zeiler and Fergus, "Stochastic pooling", 2013, equations 4 to 6. ``a`` are the numbers of a window, channel by
    channel, negative ones taken as 0: the paper puts it behind a ReLU. A window of zeros gives 0.

    Args:
        kernel: window size.
        stride: step of the window; default: the kernel.

    >>> StochasticPool(3, stride=2).output_shape(((16, 7, 7),))
    (16, 3, 3)
    """

    kernel: Sizes
    stride: Sizes | None = None

    kind: ClassVar[str] = "stochasticpool"
    words: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        self._check_window()
