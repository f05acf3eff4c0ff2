"""Flips and shifts against NumPy, bit for bit."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from striate.training.augmentations.flips import FlipKind, Flips
from striate.training.augmentations.key import Key
from striate.training.augmentations.shift import Shift, ShiftFill
from training.augmenting import Fixed, apply, pictures

Array = np.ndarray


@pytest.mark.parametrize("kind", ["horizontal", "vertical", "both"])
def test_flips_are_numpy_s(kind: FlipKind) -> None:
    images = pictures()
    drawn = Key(0, 1).uniform("flip", len(images), 2)
    result = apply(Flips(kind), images).numpy()
    for image, row, got in zip(images.numpy(), drawn, result, strict=True):
        expected = image
        if kind != "vertical" and row[0] < 0.5:
            expected = np.flip(expected, 2)
        if kind != "horizontal" and row[1] < 0.5:
            expected = np.flip(expected, 1)
        assert np.array_equal(got, expected)


@pytest.mark.parametrize("kind", ["horizontal", "vertical", "alternating"])
def test_half_of_the_images_are_flipped(kind: FlipKind) -> None:
    left, up = Flips(kind).draw(Key(3, 2), 10_000)
    # 5000 are expected, with a deviation of 50.
    assert abs(int((left | up).sum()) - 5000) < 200
    assert bool((up if kind != "vertical" else left).any()) is False


def test_alternating_flips_show_every_image_both_ways_in_two_epochs() -> None:
    images = pictures(200)
    mirrored = images.numpy()[..., ::-1]
    first = apply(Flips("alternating"), images, epoch=1).numpy()
    # In the first epoch chance decides, as for random flips.
    assert np.array_equal(first, apply(Flips("horizontal"), images, epoch=1).numpy())
    turned = np.array([np.array_equal(a, b) for a, b in zip(first, mirrored, strict=True)])
    assert 60 < turned.sum() < 140
    for epoch in range(2, 8):
        got = apply(Flips("alternating"), images, epoch=epoch).numpy()
        expected = np.where((turned ^ (epoch % 2 == 0))[:, None, None, None], mirrored, images.numpy())
        assert np.array_equal(got, expected)


def test_random_flips_show_half_the_images_twice_the_same_way() -> None:
    first, second = (Flips("horizontal").draw(Key(0, epoch), 10_000)[0] for epoch in (1, 2))
    assert abs(int((first == second).sum()) - 5000) < 200


def shifted(image: Array, dy: int, dx: int, most: int, fill: ShiftFill) -> Array:
    """NumPy's padding, and a crop from it."""
    mode = {"edge": "edge", "reflect": "reflect", "zero": "constant"}[fill]
    padded = np.pad(image, ((0, 0), (most, most), (most, most)), mode=mode)  # type: ignore[call-overload]
    _, height, width = image.shape
    return np.asarray(padded[:, most + dy : most + dy + height, most + dx : most + dx + width])


@given(st.integers(1, 4), st.floats(0, 0.999), st.floats(0, 0.999), st.sampled_from(["edge", "reflect", "zero"]))
def test_shifts_are_crops_of_numpy_s_padding(most: int, down: float, right: float, fill: ShiftFill) -> None:
    images = pictures(3)
    result = apply(Shift(most, fill), images, _0=down, _1=right).numpy()
    dy, dx = (math.floor(np.float32(u) * np.float32(2 * most + 1)) - most for u in (down, right))
    assert -most <= dy <= most
    assert result.dtype == np.uint8
    for image, got in zip(images.numpy(), result, strict=True):
        assert np.array_equal(got, shifted(image, dy, dx, most, fill))


def test_each_image_has_a_shift_of_its_own() -> None:
    images = pictures(60)
    down, right = Shift(2).draw(Key(0, 1), 60)
    result = apply(Shift(2, "zero"), images).numpy()
    for image, dy, dx, got in zip(images.numpy(), down.tolist(), right.tolist(), result, strict=True):
        assert np.array_equal(got, shifted(image, dy, dx, 2, "zero"))
    assert len(set(zip(down.tolist(), right.tolist(), strict=True))) > 15


def test_every_shift_is_equally_likely() -> None:
    count = 7000
    place = torch.arange(9, dtype=torch.uint8).view(1, 1, 1, 9).expand(count, 1, 9, 9)
    centre = apply(Shift(3), place, seed=1)[:, 0, 4, 4].numpy()
    seen, times = np.unique(centre, return_counts=True)
    assert seen.tolist() == [1, 2, 3, 4, 5, 6, 7]
    # 1000 each are expected, with a deviation of 29
    assert np.abs(times - count / 7).max() < 120


@pytest.mark.parametrize("most", [1, 2, 3, 7, 100, 1000])
def test_the_largest_number_drawn_is_the_largest_shift(most: int) -> None:
    largest = 1 - 2.0**-24
    down, right = Shift(most).draw(Fixed(_0=largest, _1=0.0), 3)
    assert down.tolist() == [most] * 3
    assert right.tolist() == [-most] * 3
