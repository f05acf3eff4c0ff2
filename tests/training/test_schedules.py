"""Schedules at their ends, in the middle and in between."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.training.recipe import make_recipe
from striate.training.schedule import Schedule, make_schedule

progress = st.floats(0.0, 1.0)
warmups = st.floats(0.0, 0.99)


def schedule(name: str, warmup: float | None = None) -> Schedule:
    return make_schedule(make_recipe({"schedule": name, "warmup": warmup}))


@given(progress)
def test_constant_is_one(p: float) -> None:
    assert schedule("constant")(p) == 1


@pytest.mark.parametrize(("p", "expected"), [(0, 1), (1 / 3, 0.75), (0.5, 0.5), (2 / 3, 0.25), (1, 0)])
def test_cosine_at_its_landmarks(p: float, expected: float) -> None:
    assert schedule("cosine")(p) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("p", "expected"),
    [(0, 0.04), (0.1, 0.52), (0.2, 1), (0.6, 0.5), (1, 0), (0.2 + 0.8 / 3, 0.75)],
)
def test_one_cycle_at_its_landmarks(p: float, expected: float) -> None:
    assert schedule("one-cycle", 0.2)(p) == pytest.approx(expected, abs=1e-12)


@given(progress)
def test_one_cycle_without_a_warmup_is_the_cosine(p: float) -> None:
    assert schedule("one-cycle", 0.0)(p) == schedule("cosine")(p) == pytest.approx((1 + math.cos(math.pi * p)) / 2)


@given(warmups, progress, progress)
def test_one_cycle_rises_then_falls_and_stays_within_bounds(warmup: float, a: float, b: float) -> None:
    low, high = sorted((a, b))
    factor = schedule("one-cycle", warmup)
    assert 0 <= factor(low) <= 1
    if high <= warmup:
        assert factor(low) <= factor(high) + 1e-12
    elif low >= warmup:
        assert factor(low) >= factor(high) - 1e-12


@given(st.sampled_from(["constant", "cosine", "one-cycle"]), progress, st.floats(0.0, 1e-6))
def test_no_schedule_jumps(name: str, p: float, step: float) -> None:
    factor = schedule(name)
    assert abs(factor(min(p + step, 1.0)) - factor(p)) < 1e-4
