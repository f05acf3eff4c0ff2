"""Augmentation against NumPy, PIL and what geometry says."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from striate.training.augmentation import Augmentation, epoch_draws
from striate.training.recipe import make_recipe

Array = np.ndarray


def pictures(count: int = 40, shape: tuple[int, int, int] = (3, 6, 5), seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (count, *shape)).astype(np.uint8))


def draws(count: int = 40, **columns: float) -> torch.Tensor:
    """Random draws, with some columns set."""
    rows = epoch_draws(0, 1, count)
    for name, value in columns.items():
        rows[:, int(name[1:])] = value
    return rows


def test_off_is_off() -> None:
    assert not Augmentation().active
    assert not Augmentation.of(make_recipe({})).active
    for name, value in {"flip": "both", "shift": 1, "crop": 0.9, "rotate": 1.0, "color": 0.1}.items():
        assert Augmentation.of(make_recipe({name: value})).active
    images = pictures()
    assert torch.equal(Augmentation().moves(images, draws()), images)
    unit = images / 255
    assert torch.equal(Augmentation().changes(unit, draws()), unit)


@pytest.mark.parametrize("flip", ["horizontal", "vertical", "both"])
def test_flips_are_numpy_s(flip: str) -> None:
    images, rows = pictures(), draws()
    result = Augmentation(flip=flip).moves(images, rows).numpy()
    for image, row, got in zip(images.numpy(), rows, result, strict=True):
        expected = image
        if flip != "vertical" and row[0] < 0.5:
            expected = np.flip(expected, 2)
        if flip != "horizontal" and row[1] < 0.5:
            expected = np.flip(expected, 1)
        assert np.array_equal(got, expected)


def shifted(image: Array, dy: int, dx: int) -> Array:
    """A loop over pixels; what becomes free repeats the edge."""
    _, height, width = image.shape
    result = np.empty_like(image)
    for y in range(height):
        for x in range(width):
            result[:, y, x] = image[:, min(max(y + dy, 0), height - 1), min(max(x + dx, 0), width - 1)]
    return result


@given(st.integers(1, 4), st.floats(0, 0.999), st.floats(0, 0.999))
def test_shifts_are_those_of_a_loop(most: int, down: float, right: float) -> None:
    images = pictures(3)
    result = Augmentation(shift=most).moves(images, draws(3, _2=down, _3=right)).numpy()
    dy, dx = (math.floor(np.float32(u) * np.float32(2 * most + 1)) - most for u in (down, right))
    assert -most <= dy <= most
    for image, got in zip(images.numpy(), result, strict=True):
        assert np.array_equal(got, shifted(image, dy, dx))


def test_every_shift_is_equally_likely() -> None:
    count = 7000
    place = torch.arange(9, dtype=torch.uint8).view(1, 1, 1, 9).expand(count, 1, 9, 9)
    centre = Augmentation(shift=3).moves(place, epoch_draws(1, 1, count))[:, 0, 4, 4].numpy()
    seen, times = np.unique(centre, return_counts=True)
    assert seen.tolist() == [1, 2, 3, 4, 5, 6, 7]
    # 1000 each are expected, with a deviation of 29
    assert np.abs(times - count / 7).max() < 120


def warp(images: torch.Tensor, crop: float, rotate: float, rows: torch.Tensor) -> torch.Tensor:
    return Augmentation(crop=crop, rotate=rotate).changes(images, rows)


def test_the_smallest_crop_and_angle_are_nearly_the_image() -> None:
    unit = pictures() / 255
    torch.testing.assert_close(warp(unit, 1.0, 1e-9, draws()), unit, rtol=0, atol=1e-5)
    torch.testing.assert_close(warp(unit, 0.5, 0.0, draws(_4=0.0)), unit, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("draw", "turns"), [(1.0, 1), (0.0, -1)])
def test_a_quarter_turn_is_rot90(draw: float, turns: int) -> None:
    unit = pictures(shape=(3, 7, 7)) / 255
    result = warp(unit, 1.0, 90.0, draws(_5=draw)).numpy()
    # Which way round is convention: both ways are drawn alike.
    expected = np.rot90(unit.numpy(), turns, axes=(2, 3))
    np.testing.assert_allclose(result, expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 6, 5), (1, 4, 9)])
def test_half_a_turn_is_both_flips_whatever_the_shape(shape: tuple[int, int, int]) -> None:
    unit = pictures(shape=shape) / 255
    result = warp(unit, 1.0, 180.0, draws(_5=1.0)).numpy()
    np.testing.assert_allclose(result, unit.numpy()[:, :, ::-1, ::-1], atol=1e-5)


def ramp(height: int, width: int, gy: float, gx: float) -> torch.Tensor:
    """A plane, which bilinear interpolation renders exactly, in pixels from the centre."""
    y = (np.arange(height) - (height - 1) / 2)[:, None]
    x = (np.arange(width) - (width - 1) / 2)[None, :]
    return torch.from_numpy((gy * y + gx * x).astype(np.float32))[None, None]


@given(st.floats(0.3, 1.0), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_zoom_shows_a_window_inside_the_image(crop: float, size: float, y: float, x: float) -> None:
    height, width = 12, 20
    rows = draws(1, _4=size, _6=y, _7=x)
    scale = 1 - np.float32(size) * (1 - crop)
    for gy, gx, side, place in ((1.0, 0.0, height, y), (0.0, 1.0, width, x)):
        got = warp(ramp(height, width, gy, gx), crop, 0.0, rows)[0, 0].numpy()
        along = got[:, 0] if gy else got[0]
        # The window is scale · side wide, and its place is drawn between both edges.
        low = (side - scale * side) * np.float32(place) - side / 2
        exact = low + (np.arange(side) + 0.5) * scale
        # Beyond the centres of the outermost pixels the edge is repeated.
        expected = np.clip(exact, -(side - 1) / 2, (side - 1) / 2)
        np.testing.assert_allclose(along, expected, atol=2e-4)


@given(st.floats(0, 1), st.sampled_from([(15, 15), (11, 21)]))
def test_a_rotation_turns_pixels_by_the_angle_drawn(draw: float, size: tuple[int, int]) -> None:
    height, width = size
    angle = math.radians(30) * (2 * np.float32(draw) - 1)
    middle = slice(height // 2 - 2, height // 2 + 3), slice(width // 2 - 2, width // 2 + 3)
    y, x = np.meshgrid(np.arange(-2, 3), np.arange(-2, 3), indexing="ij")
    for gy, gx in ((1.0, 0.0), (0.0, 1.0)):
        got = warp(ramp(height, width, gy, gx), 1.0, 30.0, draws(1, _5=draw))[0, 0].numpy()[middle]
        source_x = math.cos(angle) * x - math.sin(angle) * y
        source_y = math.sin(angle) * x + math.cos(angle) * y
        np.testing.assert_allclose(got, gy * source_y + gx * source_x, atol=1e-4)


def test_a_centred_zoom_is_pil_s_bilinear_resize() -> None:
    image = pictures(1, (1, 16, 16), seed=3)
    result = warp(image / 255, 0.5, 0.0, draws(1, _4=1.0, _6=0.5, _7=0.5))[0, 0].numpy()
    pil = Image.fromarray(image[0, 0].numpy().astype(np.float32), mode="F")
    expected = np.asarray(pil.resize((16, 16), Image.Resampling.BILINEAR, box=(4, 4, 12, 12))) / 255
    # At its rim PIL stays inside the box, ours looks at the pixels around it.
    np.testing.assert_allclose(result[1:-1, 1:-1], expected[1:-1, 1:-1], atol=1e-5)


def recoloured(image: Array, strength: float, row: Array) -> Array:
    """Brightness, contrast around the mean grey, saturation; grey by ITU-R BT.601."""
    luma = np.array([0.299, 0.587, 0.114])
    brightness, contrast, saturation = 1 + (2 * row[8:11] - 1) * strength
    image = image.astype(np.float64) * brightness
    grey = np.tensordot(luma, image, 1) if len(image) == 3 else image[0]
    image = grey.mean() + (image - grey.mean()) * contrast
    if len(image) == 3:
        grey = np.tensordot(luma, image, 1)
        image = grey + (image - grey) * saturation
    return np.clip(image, 0, 1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("strength", [0.2, 0.9])
def test_colours_are_those_of_numpy(channels: int, strength: float) -> None:
    unit, rows = pictures(shape=(channels, 6, 5)) / 255, draws()
    result = Augmentation(color=strength).changes(unit, rows).numpy()
    for image, row, got in zip(unit.numpy(), rows.numpy().astype(np.float64), result, strict=True):
        np.testing.assert_allclose(got, recoloured(image, strength, row), atol=1e-5)


@given(st.integers(0, 2**31 - 1), st.booleans())
def test_everything_together_stays_within_0_and_1(seed: int, colour: bool) -> None:
    every = Augmentation("both", 3, 0.3, 180.0, 0.9 if colour else 0.0)
    images = pictures(8, seed=seed % 1000)
    rows = epoch_draws(seed, 1, 8)
    result = every.changes(every.moves(images, rows) / 255, rows)
    assert result.shape == images.shape
    assert torch.isfinite(result).all()
    assert result.min() >= 0
    assert result.max() <= 1 + 1e-6


def test_the_given_batch_is_not_changed() -> None:
    every = Augmentation("both", 3, 0.3, 180.0, 0.9)
    images, rows = pictures(), draws()
    unit = images / 255
    copies = images.clone(), unit.clone(), rows.clone()
    every.changes(unit, rows)
    every.moves(images, rows)
    assert all(torch.equal(a, b) for a, b in zip((images, unit, rows), copies, strict=True))


def test_draws_are_uniform_and_independent() -> None:
    rows = epoch_draws(7, 3, 20_000).numpy()
    assert rows.dtype == np.float32
    assert rows.min() >= 0
    assert rows.max() < 1
    for column in rows.T:
        # Kolmogorov-Smirnov: the largest distance from the straight line, 1.95 / sqrt(n) at one in a thousand
        distance = np.abs(np.sort(column) - np.arange(len(column)) / len(column)).max()
        assert distance < 1.95 / math.sqrt(len(column))
    correlations = np.corrcoef(rows.T) - np.eye(rows.shape[1])
    assert np.abs(correlations).max() < 0.03


def test_every_epoch_and_every_seed_draws_anew() -> None:
    tables = [epoch_draws(seed, epoch, 100) for seed in (0, 1, 2**31 - 1) for epoch in (1, 2)]
    for index, table in enumerate(tables):
        assert all(not torch.equal(table, other) for other in tables[:index])
    assert torch.equal(epoch_draws(0, 1, 100), tables[0])
