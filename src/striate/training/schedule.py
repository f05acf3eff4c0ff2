"""Schedules: the learning rate as a pure function of how far the training has come."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from striate.training.recipe import Recipe

__all__ = ["Schedule", "constant", "cosine", "make_schedule", "one_cycle"]

#: Factor on the peak learning rate, 0..1, from the share of the training behind us, 0..1.
Schedule = Callable[[float], float]

#: Share of the training that one-cycle spends rising, unless the recipe says otherwise.
WARMUP = 0.15
#: Where one-cycle starts, as a share of the peak.
START = 1 / 25


def make_schedule(recipe: Recipe) -> Schedule:
    """The schedule a recipe asks for."""
    if recipe.schedule == "constant":
        return constant
    if recipe.schedule == "cosine":
        return cosine
    return functools.partial(one_cycle, warmup=WARMUP if recipe.warmup is None else recipe.warmup)


def constant(progress: float) -> float:
    """1 throughout."""
    return 1.0


def cosine(progress: float) -> float:
    """Half a cosine from 1 to 0 (Loshchilov and Hutter, "SGDR", 2017, equation 5, one period).

    >>> cosine(0.0), round(cosine(0.5), 3), cosine(1.0)
    (1.0, 0.5, 0.0)
    """
    return (1 + math.cos(math.pi * progress)) / 2


def one_cycle(progress: float, warmup: float) -> float:
    """Half a cosine from 1/25 up to 1 during ``warmup``, then half a cosine down to 0.

    One cycle in two phases, after Smith and Topin, "Super-convergence", 2018.

    >>> one_cycle(0.0, 0.25), one_cycle(0.25, 0.25), one_cycle(1.0, 0.25)
    (0.04, 1.0, 0.0)
    """
    if progress < warmup:
        return START + (1 - START) * (1 - cosine(progress / warmup))
    return cosine((progress - warmup) / (1 - warmup))
