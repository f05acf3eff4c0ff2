"""Thumbnails, hashes and words against Pillow, Python's integers and sha256."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import roc_auc_score

from striate.data import Split
from striate.data.duplicates import copies
from striate.data.near_duplicates import _candidates
from striate.data.shortcuts import brightness_finding
from striate.data.signatures import bits_set, signatures, thumbnails


def images(count: int, channels: int, height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, channels, height, width), dtype=np.uint8)


@pytest.mark.parametrize(("height", "width"), [(8, 9), (16, 18), (13, 17), (28, 28), (5, 3), (1, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_thumbnail_is_the_mean_over_areas(channels: int, height: int, width: int) -> None:
    pixels = images(4, channels, height, width)
    for image, small in zip(pixels, thumbnails(pixels), strict=True):
        grey = Image.fromarray(image.astype(np.float32).mean(axis=0))
        # each pixel becomes a block, so that the edges of the areas fall between pixels
        large = grey.resize((width * 9, height * 8), Image.Resampling.NEAREST)
        truth = np.asarray(large).reshape(8, height, 9, width).mean(axis=(1, 3))
        assert np.allclose(small, truth, atol=1e-3)


def test_hash_bits_say_where_it_gets_brighter() -> None:
    pixels = images(30, 1, 8, 9)
    for image, word in zip(pixels[:, 0].tolist(), signatures(pixels).hashes.tolist(), strict=True):
        bits = "".join("1" if row[x + 1] > row[x] else "0" for row in image for x in range(8))
        assert word == int(bits, 2)


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20))
def test_bits_are_counted(values: list[int]) -> None:
    assert bits_set(np.array(values, np.uint64)).tolist() == [value.bit_count() for value in values]


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 5, 7), (1, 1, 1), (3, 32, 32)])
def test_words_are_equal_for_equal_pixels_only(shape: tuple[int, int, int]) -> None:
    pixels = images(300, *shape)
    pixels[200:] = pixels[:100]
    one_less = pixels[:100].copy()
    one_less[:, -1, -1, -1] ^= 128
    pixels = np.concatenate([pixels, one_less])
    words = signatures(pixels).words
    digests = [hashlib.sha256(image.tobytes()).digest() for image in pixels]
    assert len(set(words.tolist())) == len(set(digests))
    assert words[:100].tolist() == words[200:300].tolist()


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = images(50, 3, 20, 20)
    whole = signatures(pixels)
    monkeypatch.setattr("striate.data.signatures.CHUNK", 5000)
    parts = signatures(pixels)
    assert (whole.words == parts.words).all()
    assert (whole.hashes == parts.hashes).all()


@pytest.mark.parametrize("same_word", [False, True])
def test_groups_are_those_of_equal_bytes(same_word: bool) -> None:
    generator = np.random.default_rng(1)
    pool = images(40, 1, 6, 6)
    picked = {"train": generator.integers(0, 40, 60), "test": generator.integers(0, 40, 20)}
    splits = {name: Split(pool[which], which, tuple(map(str, which))) for name, which in picked.items()}
    found = {name: signatures(split.images) for name, split in splits.items()}
    if same_word:  # a coincidence must not make a group
        for one in found.values():
            one.words[one.words % 2 == 0] = 0
    skip = {name: np.zeros(len(split), bool) for name, split in splits.items()}
    truth: dict[bytes, set[tuple[str, int]]] = {}
    for name, split in splits.items():
        for index, image in enumerate(split.images):
            truth.setdefault(image.tobytes(), set()).add((name, index))
    groups = [set(group) for group in copies(splits, found, skip)]
    wanted = [places for places in truth.values() if len(places) > 1]
    if same_word:
        assert all(group in wanted for group in groups)
    else:
        assert sorted(map(sorted, groups)) == sorted(map(sorted, wanted))


def test_alike_images_by_the_thousand_stay_cheap() -> None:
    """One hash for all is the worst case: 50,000 images have 1.25 thousand million pairs."""
    part = np.arange(50_000) % 2
    pairs = _candidates(np.zeros(50_000, np.uint64), part)
    assert 0 < len(pairs) <= 1000 + 50_000 // 8
    assert (part[pairs[:, 0]] != part[pairs[:, 1]]).all()


def test_near_hashes_are_found_by_brute_force_too() -> None:
    generator = np.random.default_rng(2)
    hashes = generator.integers(0, 2**63, 400, dtype=np.uint64)
    near = hashes[:100] ^ (np.uint64(1) << generator.integers(0, 64, 100, dtype=np.uint64))
    every = np.concatenate([hashes, near])
    part = np.repeat([0, 1], [400, 100])
    truth = {(a, b) for a in range(400) for b in range(400, 500) if (int(every[a]) ^ int(every[b])).bit_count() <= 3}
    assert len(truth) >= 100
    assert {tuple(pair) for pair in _candidates(every, part).tolist()} == truth


@pytest.mark.parametrize("shift", [0.0, 10.0, 60.0, 200.0])
def test_brightness_is_judged_by_the_area_under_the_roc_curve(shift: float) -> None:
    generator = np.random.default_rng(3)
    labels = np.repeat([0, 1, 2], [100, 60, 300])
    brightness = generator.normal(100, 15, len(labels)).round().astype(np.float32)
    brightness[labels == 1] += shift
    area = roc_auc_score(labels == 1, brightness)
    found = brightness_finding(labels, ["a", "b", "c"], brightness)
    assert bool(found) == (area >= 0.998 or area <= 0.002), area
    if found:
        assert "'b' is brighter" in found[0].message
