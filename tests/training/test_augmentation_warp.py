"""Zoom, scale and rotation against PIL, NumPy and what geometry says."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from striate.training.augmentations.key import Key
from striate.training.augmentations.warp import Warp
from training.augmenting import apply, pictures

# The columns that a warp draws: size of the window, angle, place down and right, factor of the scale.


def test_the_smallest_crop_angle_and_scale_are_nearly_the_image() -> None:
    unit = pictures() / 255
    torch.testing.assert_close(apply(Warp(rotate=1e-9), unit), unit, rtol=0, atol=1e-5)
    torch.testing.assert_close(apply(Warp(crop=0.5), unit, _0=0.0), unit, rtol=0, atol=1e-5)
    torch.testing.assert_close(apply(Warp(scale=0.5), unit, _4=0.5), unit, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("draw", "turns"), [(1.0, 1), (0.0, -1)])
def test_a_quarter_turn_is_rot90(draw: float, turns: int) -> None:
    unit = pictures(shape=(3, 7, 7)) / 255
    result = apply(Warp(rotate=90.0), unit, _1=draw).numpy()
    # Which way round is convention: both ways are drawn alike.
    np.testing.assert_allclose(result, np.rot90(unit.numpy(), turns, axes=(2, 3)), atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 6, 5), (1, 4, 9)])
def test_half_a_turn_is_both_flips_whatever_the_shape(shape: tuple[int, int, int]) -> None:
    unit = pictures(shape=shape) / 255
    result = apply(Warp(rotate=180.0), unit, _1=1.0).numpy()
    np.testing.assert_allclose(result, unit.numpy()[:, :, ::-1, ::-1], atol=1e-5)


def ramp(height: int, width: int, gy: float, gx: float) -> torch.Tensor:
    """A plane, which bilinear interpolation renders exactly, in pixels from the centre."""
    y = (np.arange(height) - (height - 1) / 2)[:, None]
    x = (np.arange(width) - (width - 1) / 2)[None, :]
    return torch.from_numpy((gy * y + gx * x).astype(np.float32))[None, None]


@given(st.floats(0.3, 1.0), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_zoom_shows_a_window_inside_the_image(crop: float, size: float, y: float, x: float) -> None:
    height, width = 12, 20
    scale = 1 - np.float32(size) * (1 - crop)
    for gy, gx, side, place in ((1.0, 0.0, height, y), (0.0, 1.0, width, x)):
        got = apply(Warp(crop=crop), ramp(height, width, gy, gx), _0=size, _2=y, _3=x)[0, 0].numpy()
        along = got[:, 0] if gy else got[0]
        # The window is scale · side wide, and its place is drawn between both edges.
        low = (side - scale * side) * np.float32(place) - side / 2
        exact = low + (np.arange(side) + 0.5) * scale
        # Beyond the centres of the outermost pixels the edge is repeated.
        expected = np.clip(exact, -(side - 1) / 2, (side - 1) / 2)
        np.testing.assert_allclose(along, expected, atol=2e-4)


@given(st.floats(0.05, 0.9), st.floats(0, 1))
def test_a_scale_enlarges_or_shrinks_about_the_centre(scale: float, draw: float) -> None:
    got = apply(Warp(scale=scale), ramp(15, 21, 0.0, 1.0), _4=draw)[0, 0].numpy()
    factor = (1 + scale) ** (2 * np.float32(draw) - 1)
    assert 1 / (1 + scale) - 1e-6 <= factor <= 1 + scale + 1e-6
    np.testing.assert_allclose(got[7], np.clip((np.arange(21) - 10) / factor, -10, 10), atol=1e-4)


@given(st.floats(0, 1), st.sampled_from([(15, 15), (11, 21)]))
def test_a_rotation_turns_pixels_by_the_angle_drawn(draw: float, size: tuple[int, int]) -> None:
    height, width = size
    angle = math.radians(30) * (2 * np.float32(draw) - 1)
    middle = slice(height // 2 - 2, height // 2 + 3), slice(width // 2 - 2, width // 2 + 3)
    y, x = np.meshgrid(np.arange(-2, 3), np.arange(-2, 3), indexing="ij")
    for gy, gx in ((1.0, 0.0), (0.0, 1.0)):
        got = apply(Warp(rotate=30.0), ramp(height, width, gy, gx), _1=draw)[0, 0].numpy()[middle]
        source_x = math.cos(angle) * x - math.sin(angle) * y
        source_y = math.sin(angle) * x + math.cos(angle) * y
        np.testing.assert_allclose(got, gy * source_y + gx * source_x, atol=1e-4)


def test_a_centred_zoom_is_pil_s_bilinear_resize() -> None:
    image = pictures(1, (1, 16, 16), seed=3)
    result = apply(Warp(crop=0.5), image / 255, _0=1.0, _2=0.5, _3=0.5)[0, 0].numpy()
    pil = Image.fromarray(image[0, 0].numpy().astype(np.float32), mode="F")
    expected = np.asarray(pil.resize((16, 16), Image.Resampling.BILINEAR, box=(4, 4, 12, 12))) / 255
    # At its rim PIL stays inside the box, ours looks at the pixels around it.
    np.testing.assert_allclose(result[1:-1, 1:-1], expected[1:-1, 1:-1], atol=1e-5)


def test_sizes_angles_and_factors_are_spread_as_said() -> None:
    cos, sin, free_y, free_x = (row.numpy().astype(float) for row in Warp(0.5, 0.0, 20.0).draw(Key(0, 1), 20_000))
    window, angle = np.hypot(cos, sin), np.degrees(np.arctan2(sin, cos))
    assert window.min() >= 0.5 - 1e-6
    assert window.max() <= 1 + 1e-6
    # The means of uniform numbers, with deviations of 0.001, 0.08 and 0.004.
    assert window.mean() == pytest.approx(0.75, abs=0.005)
    assert angle.mean() == pytest.approx(0, abs=0.4)
    assert np.abs(angle).max() == pytest.approx(20, abs=0.05)
    for free in (free_y, free_x):
        assert np.all(np.abs(free) <= 1 - window + 1e-6)
    factor = 1 / Warp(scale=0.25).draw(Key(0, 1), 20_000)[0].double()
    assert float(factor.max()) == pytest.approx(1.25, abs=1e-3)
    assert float(factor.min()) == pytest.approx(0.8, abs=1e-3)
    # Enlarging is as likely as shrinking.
    assert float((factor > 1).double().mean()) == pytest.approx(0.5, abs=0.02)
