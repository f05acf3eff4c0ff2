"""Colours against NumPy and Python's colorsys."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from striate.training.augmentations.color import Color
from striate.training.augmentations.hue import Hue
from striate.training.augmentations.key import Key
from training.augmenting import apply, pictures

Array = np.ndarray


def recoloured(image: Array, strength: float, row: Array) -> Array:
    """Brightness, contrast around the mean grey, saturation; grey by ITU-R BT.601."""
    luma = np.array([0.299, 0.587, 0.114])
    brightness, contrast, saturation = 1 + (2 * row - 1) * strength
    image = image.astype(np.float64) * brightness
    grey = np.tensordot(luma, image, 1) if len(image) == 3 else image.mean(axis=0)
    image = grey.mean() + (image - grey.mean()) * contrast
    if len(image) == 3:
        grey = np.tensordot(luma, image, 1)
        image = grey + (image - grey) * saturation
    return np.clip(image, 0, 1)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("strength", [0.2, 0.9])
def test_colours_are_those_of_numpy(channels: int, strength: float) -> None:
    unit = pictures(shape=(channels, 6, 5)) / 255
    rows = Key(0, 1).uniform("color", len(unit), 3).numpy().astype(np.float64)
    result = apply(Color(strength), unit).numpy()
    for image, row, got in zip(unit.numpy(), rows, result, strict=True):
        np.testing.assert_allclose(got, recoloured(image, strength, row), atol=1e-5)


@given(st.floats(0.01, 0.5), st.floats(0, 1))
def test_hues_are_those_of_colorsys(most: float, draw: float) -> None:
    unit = pictures(2, (3, 4, 4), seed=int(1000 * draw)) / 255
    # Some pixels without colour, and with two equal channels.
    unit[0, :, 0] = unit[0, :1, 0]
    unit[0, 1, 1] = unit[0, 0, 1]
    result = apply(Hue(most), unit, _0=draw).numpy()
    turn = float(np.float32(2 * np.float32(draw) - 1)) * most
    for image, got in zip(unit.double().numpy(), result, strict=True):
        for place in np.ndindex(4, 4):
            h, s, v = colorsys.rgb_to_hsv(*image[:, *place])
            expected = colorsys.hsv_to_rgb((h + turn) % 1.0, s, v)
            np.testing.assert_allclose(got[:, *place], expected, atol=3e-6)


def test_a_third_of_the_circle_changes_places_of_the_channels() -> None:
    unit = pictures(3) / 255
    third = apply(Hue(1 / 3), unit, _0=1.0)
    torch.testing.assert_close(third, unit[:, [2, 0, 1]], rtol=0, atol=1e-6)


def test_grey_has_no_hue() -> None:
    grey = (pictures(3, (1, 4, 4)) / 255).expand(-1, 3, -1, -1)
    assert torch.equal(apply(Hue(0.5), grey), grey)


def test_turns_are_spread_evenly() -> None:
    turns = Hue(0.1).draw(Key(0, 1), 20_000)[0].numpy() / 6
    assert np.abs(turns).max() <= 0.1
    assert abs(turns.mean()) < 0.002
    distance = np.abs(np.sort(turns) - (np.arange(20_000) / 20_000 - 0.5) * 0.2).max()
    assert distance < 0.2 * 1.95 / np.sqrt(20_000)
