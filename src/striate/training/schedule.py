"""Schedules: the learning rate as a pure function of how far the training has come."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from striate.training.recipe import Recipe

__all__ = ["Schedule", "constant", "cosine", "make_schedule", "one_cycle", "triangular"]

#: Factor on the peak learning rate, 0..1, from the share of the training behind us, 0..1.
Schedule = Callable[[float], float]

#: Share of the training spent rising, unless the recipe says otherwise.
WARMUPS = {"one-cycle": 0.15, "triangular": 0.23}
#: Where one-cycle starts, as a share of the peak.
START = 1 / 25
#: Where triangular starts and ends, as shares of the peak (Jordan 2024, listing of airbench94).
CORNERS = (0.2, 0.07)


def make_schedule(recipe: Recipe) -> Schedule:
    """The schedule a recipe asks for."""
    if recipe.schedule == "constant":
        return constant
    if recipe.schedule == "cosine":
        return cosine
    warmup = WARMUPS[recipe.schedule] if recipe.warmup is None else recipe.warmup
    return functools.partial(one_cycle if recipe.schedule == "one-cycle" else triangular, warmup=warmup)


def constant(progress: float) -> float:
    """1 throughout."""
    return 1.0


def cosine(progress: float) -> float:
    """Half a cosine from 1 to 0 (Loshchilov and Hutter, "SGDR", 2017, equation 5, one period).

    >>> cosine(0.0), round(cosine(0.5), 3), cosine(1.0)
    (1.0, 0.5, 0.0)
    """
    return (1 + math.cos(math.pi * progress)) / 2


def triangular(progress: float, warmup: float) -> float:
    """Straight up from 0.2 to 1 during ``warmup``, then straight down to 0.07 (Jordan 2024, as airbench94 does).

    >>> triangular(0.0, 0.25), triangular(0.25, 0.25), round(triangular(1.0, 0.25), 6)
    (0.2, 1.0, 0.07)
    """
    start, end = CORNERS
    if progress < warmup:
        return start + (1 - start) * progress / warmup
    return end + (1 - end) * (1 - progress) / (1 - warmup)


def one_cycle(progress: float, warmup: float) -> float:
    """Half a cosine from 1/25 up to 1 during ``warmup``, then half a cosine down to 0.

    One cycle in two phases, after Smith and Topin, "Super-convergence", 2018.

    >>> one_cycle(0.0, 0.25), one_cycle(0.25, 0.25), one_cycle(1.0, 0.25)
    (0.04, 1.0, 0.0)
    """
    if progress < warmup:
        return START + (1 - START) * (1 - cosine(progress / warmup))
    return cosine((progress - warmup) / (1 - warmup))
