"""Schedules: the learning rate as a pure function of how far the training has come."""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["SCHEDULES", "constant", "cosine", "one_cycle"]


def constant(progress: float, warmup: float) -> float:
    """1 throughout."""
    return 1.0


def cosine(progress: float, warmup: float) -> float:
    """Half a cosine from 1 to 0 (Loshchilov and Hutter, "SGDR", 2017, equation 5, one period).

    >>> cosine(0.0, 0.0), round(cosine(0.5, 0.0), 3)
    (1.0, 0.5)
    """
    return (1 + math.cos(math.pi * progress)) / 2


def one_cycle(progress: float, warmup: float) -> float:
    """A cosine from 1/25 up to 1 during ``warmup``, then a cosine down to 0 (Smith and Topin, 2018).

    >>> one_cycle(0.0, 0.25), one_cycle(0.25, 0.25)
    (0.04, 1.0)
    """
    start = 1 / 25
    if progress < warmup:
        return start + (1 - start) * (1 - math.cos(math.pi * progress / warmup)) / 2
    return cosine((progress - warmup) / (1 - warmup), 0.0)


#: Factor on the peak learning rate, from (progress in 0..1, share of warm-up).
SCHEDULES: dict[str, Callable[[float, float], float]] = {
    "constant": constant,
    "cosine": cosine,
    "one-cycle": one_cycle,
}
