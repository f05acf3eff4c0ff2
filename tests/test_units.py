"""Shapes, counts, shares and bytes: how they are printed, and that what is printed is true."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from striate.units import format_bytes, format_count, format_fraction, format_shape, format_share, parse_shape

shapes = st.lists(st.integers(1, 10**6), min_size=1, max_size=4).map(tuple)


@given(shapes, st.sampled_from(["x", "×", ",", " x ", ", ", "X"]))
def test_a_shape_is_read_as_it_is_written(shape: tuple[int, ...], separator: str) -> None:
    assert parse_shape(separator.join(map(str, shape))) == shape
    assert parse_shape(format_shape(shape)) == shape


@pytest.mark.parametrize(
    "text", ["", "x", "3x", "x3", "3xx4", "0x3", "-1x3", "+1x3", "1_0x3", "3.0x4", "3 4", "drei", "³x4", "٣x4", "3x4x"]
)
def test_what_is_no_shape(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_shape(text)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1024**2 - 1, "1024.0 KiB"),
        (1024**2, "1.0 MiB"),
        (150_529_000 * 4, "574.2 MiB"),
        (1024**3, "1.0 GiB"),
        (1024**4, "1.0 TiB"),
        (1024**5, "1024.0 TiB"),
    ],
)
def test_bytes(count: int, text: str) -> None:
    assert format_bytes(count) == text


@given(st.integers(0, 1024**5))
def test_bytes_mean_what_they_say(count: int) -> None:
    number, unit = format_bytes(count).split()
    size = 1024 ** ["B", "KiB", "MiB", "GiB", "TiB"].index(unit)
    assert abs(float(number) * size - count) <= size * 0.0501


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_a_share_is_never_rounded_to_nothing_or_to_everything(part: int, whole: int) -> None:
    assume(part <= whole)
    number = format_share(part, whole).removesuffix(" %")
    percent = Fraction(100 * part, whole)
    assert (number == "0") is (part == 0)
    assert (number == "100") is (part == whole)
    assert abs(Fraction(number) - percent) <= min(percent, 100 - percent) / 4 or number in ("0", "100")
    if 0 < part < whole:
        assert 0 < Fraction(number) < 100


def test_a_share_of_nothing() -> None:
    assert format_share(0, 0) == "0 %"


@given(st.integers(-(10**12), 10**12))
def test_counts(count: int) -> None:
    assert int(format_count(count).replace(",", "")) == count


@given(st.fractions())
def test_fractions(value: Fraction) -> None:
    assert Fraction(format_fraction(value)) == value
    assert ("/" in format_fraction(value)) is (value.denominator != 1)
