"""RandAugment: every operation against Pillow, bit for bit where Pillow has it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageOps

from striate.training.augmentations.key import Key
from striate.training.augmentations.moves import MOVES, moved
from striate.training.augmentations.randaugment import OPERATIONS, RandAugment, operations
from training.augmenting import Fixed, pictures

Array = np.ndarray
ENHANCERS = {
    "brightness": ImageEnhance.Brightness,
    "contrast": ImageEnhance.Contrast,
    "color": ImageEnhance.Color,
    "sharpness": ImageEnhance.Sharpness,
}


def only(name: str, images: torch.Tensor, magnitude: float, sign: int) -> torch.Tensor:
    """One operation on all images."""
    names = operations(images.shape[1])
    count = len(images)
    chosen = torch.full((count, 1), (names.index(name) + 0.5) / len(names))
    return RandAugment(1, magnitude).apply(images, (chosen, torch.full((count, 1), sign, dtype=torch.int8)))


def as_pil(image: Array) -> Image.Image:
    return Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))


def from_pil(image: Image.Image) -> Array:
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def by_pil(name: str, image: Array, strength: float, sign: int) -> Array:
    """One image, by Pillow and NumPy."""
    pil = as_pil(image)
    if name in ENHANCERS:
        return from_pil(ENHANCERS[name](pil).enhance(1 + sign * 0.9 * strength))
    if name == "posterize":
        return from_pil(ImageOps.posterize(pil, 8 - round(4 * strength)))
    if name == "solarize":
        threshold = 256 * (1 - strength)
        return np.where(image < threshold, image, 255 - image)
    if name == "autocontrast":
        return from_pil(ImageOps.autocontrast(pil))
    if name == "equalize":
        return from_pil(ImageOps.equalize(pil))
    return image


def photographs(count: int, shape: tuple[int, int, int]) -> torch.Tensor:
    """Smooth pictures, dark ones and pale ones, one of one colour, and noise."""
    random = np.random.default_rng(5)
    y, x = np.mgrid[0 : shape[1], 0 : shape[2]]
    result = []
    for number in range(count):
        low, high = sorted(random.integers(0, 256, 2))
        wave = np.sin(y * random.random() + x * random.random() + random.random((shape[0], 1, 1)) * 6)
        result.append((low + (high - low) * (wave + 1) / 2).astype(np.uint8))
        if number % 5 == 0:
            result[-1] = random.integers(0, 256, shape).astype(np.uint8)
    result[1] = np.full(shape, 77, np.uint8)
    return torch.from_numpy(np.stack(result))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("magnitude", [0, 3, 5, 9, 10])
@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in MOVES])
def test_operations_on_values_are_pillow_s(name: str, magnitude: int, channels: int) -> None:
    if name not in operations(channels):
        pytest.skip("there is no saturation without colour")
    images = photographs(20, (channels, 24, 21))
    for sign in (-1, 1):
        result = only(name, images, magnitude, sign).numpy()
        assert result.dtype == np.uint8
        for image, got in zip(images.numpy(), result, strict=True):
            assert np.array_equal(got, by_pil(name, image, magnitude / 10, sign))


def looked_up(image: Array, matrix: tuple[float, ...]) -> Array:
    """A loop over pixels; what is outside is 128."""
    a, b, c, d, e, f = matrix
    _, height, width = image.shape
    result = np.full_like(image, 128)
    for y in range(height):
        for x in range(width):
            from_x = np.floor(a * (x + 0.5) + b * (y + 0.5) + c)
            from_y = np.floor(d * (x + 0.5) + e * (y + 0.5) + f)
            if 0 <= from_x < width and 0 <= from_y < height:
                result[:, y, x] = image[:, int(from_y), int(from_x)]
    return result


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("amount", [-1.0, -0.37, 0.11, 0.9])
def test_moves_are_those_of_a_loop_and_nearly_pillow_s(name: str, amount: float) -> None:
    images = photographs(4, (3, 17, 22))
    matrix = MOVES[name](17, 22, amount)
    result = moved(images, torch.tensor([matrix] * 4, dtype=torch.float64)).numpy()
    for image, got in zip(images.numpy(), result, strict=True):
        expected = looked_up(image, matrix)
        # Where a pixel lies on the border between two, the last bit decides.
        assert np.mean(got != expected) < 0.01
        fill = (128, 128, 128)
        pil = as_pil(image).transform((22, 17), Image.Transform.AFFINE, matrix, fillcolor=fill)
        assert np.mean(got != from_pil(pil)) < 0.02


@pytest.mark.parametrize("sign", [-1, 1])
def test_moves_are_as_far_as_said(sign: int) -> None:
    images = photographs(3, (3, 40, 40))
    amount = 0.5 * sign
    for image, turned in zip(images.numpy(), only("rotate", images, 5, sign).numpy(), strict=True):
        pil = as_pil(image).rotate(15 * sign, fillcolor=(128, 128, 128))
        assert np.mean(turned != from_pil(pil)) < 0.02
    shift = round(0.5 * 150 / 331 * 40)
    right = only("translate-x", images, 5, sign)
    expected = torch.full_like(images, 128)
    if sign > 0:
        expected[..., :-shift] = images[..., shift:]
    else:
        expected[..., shift:] = images[..., :-shift]
    assert torch.equal(right, expected)
    for name, matrix in (("shear-x", (1, 0.3 * amount, 0, 0, 1, 0)), ("shear-y", (1, 0, 0, 0.3 * amount, 1, 0))):
        for image, got in zip(images.numpy(), only(name, images, 5, sign).numpy(), strict=True):
            assert np.array_equal(got, looked_up(image, matrix))


def test_no_strength_leaves_all_but_two_operations_idle() -> None:
    images = photographs(10, (3, 18, 19))
    changing = {name for name in OPERATIONS if not torch.equal(only(name, images, 0, 1), images)}
    assert changing == {"autocontrast", "equalize"}


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - set(MOVES) - {"identity", "autocontrast", "equalize"}))
def test_every_operation_grows_with_the_magnitude(name: str) -> None:
    images = photographs(30, (3, 20, 20))
    changes = []
    for magnitude in (1, 4, 10):
        # Turned up against turned down, so that clipping at 255 does not count.
        result = only(name, images, magnitude, -1)
        changes.append(float((result.int() - images.int()).abs().float().mean()))
    assert changes == sorted(changes)
    assert changes[2] > 0


def test_operations_follow_one_another_as_drawn() -> None:
    images = photographs(64, (3, 12, 12))
    change = RandAugment(3, 6)
    rows = change.draw(Key(1, 1), len(images))
    result = change.apply(images, rows)
    chosen, signs = rows
    expected = images
    for step in range(3):
        done = []
        for at in range(len(images)):
            name = OPERATIONS[int(chosen[at, step] * 14)]
            done.append(only(name, expected[at : at + 1], 6, int(signs[at, step])))
        expected = torch.cat(done)
    assert torch.equal(result, expected)


def test_every_operation_and_sign_is_equally_likely() -> None:
    chosen, signs = RandAugment(2, 5).draw(Key(0, 1), 14_000)
    times = torch.bincount((chosen * 14).long().flatten(), minlength=14)
    # 2000 each are expected, with a deviation of 43.
    assert int((times - 2000).abs().max()) < 180
    assert abs(int(signs.long().sum())) < 700


@given(st.integers(0, 1000), st.integers(1, 4), st.floats(0, 10), st.sampled_from([(1, 7, 5), (3, 5, 9), (3, 2, 1)]))
def test_the_form_stays_and_the_batch_is_not_changed(
    seed: int, count: int, magnitude: float, shape: tuple[int, int, int]
) -> None:
    images = pictures(6, shape, seed)
    copy = images.clone()
    change = RandAugment(count, magnitude)
    result = change.apply(images, change.draw(Fixed(seed), 6))
    assert result.shape == images.shape
    assert result.dtype == torch.uint8
    assert torch.equal(images, copy)
