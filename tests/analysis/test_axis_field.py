"""AxisField: its size, the pixels of one unit, and whether every unit sees everything."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.analysis import AxisField

rationals = st.integers(-20, 20) | st.fractions(-20, 20, max_denominator=4)


@pytest.mark.parametrize(
    ("low", "high", "size"),
    [
        (0, 0, 1),
        (-1, 1, 3),
        (0, 4, 5),
        (Fraction(-1, 2), Fraction(3, 2), 3),
        (Fraction(-3, 4), Fraction(3, 4), 2),
        (Fraction(1, 4), Fraction(1, 2), 1),
    ],
)
def test_size(low: int | Fraction, high: int | Fraction, size: int) -> None:
    assert AxisField(low, high, 1).size == size


@given(rationals, st.integers(0, 20) | st.fractions(0, 20, max_denominator=4), rationals, st.integers(-30, 30))
def test_no_unit_sees_more_pixels_than_its_size(
    low: int | Fraction, length: int | Fraction, jump: int | Fraction, unit: int
) -> None:
    field = AxisField(low, low + length, jump)
    start, end = field.low + unit * field.jump, field.high + unit * field.jump
    inside = [pixel for pixel in range(-700, 700) if start <= pixel <= end]
    assert len(inside) <= field.size
    # The bound is reached: an interval of this length holds that many pixels when it starts on one.
    assert field.size == len([pixel for pixel in range(50) if 0 <= pixel <= length])


@given(rationals, st.integers(0, 20), st.integers(0, 6), st.integers(0, 9), st.integers(1, 60))
def test_the_pixels_of_a_unit_are_those_of_its_interval_inside_the_image(
    low: int | Fraction, length: int, jump: int, unit: int, size: int
) -> None:
    field = AxisField(low, low + length, jump)
    first, last = field.at(unit, size)
    start, end = field.low + unit * jump, field.high + unit * jump
    assert list(range(first, last + 1)) == [pixel for pixel in range(size) if start <= pixel <= end]


@pytest.mark.parametrize(
    ("field", "size", "covers"),
    [
        (AxisField(0, 7, 0, "whole"), 8, True),
        (AxisField(-3, 9, 0, "whole"), 8, True),
        (AxisField(0, 6, 0, "whole"), 8, False),
        (AxisField(1, 7, 0, "whole"), 8, False),
        (AxisField(Fraction(-1, 2), Fraction(15, 2), 0, "whole"), 8, True),
        # Unit 0 sees everything, its neighbour does not.
        (AxisField(0, 7, 1), 8, False),
    ],
)
def test_covers(field: AxisField, size: int, covers: bool) -> None:
    assert field.covers(size) is covers
