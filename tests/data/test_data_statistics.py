"""Statistics and fingerprints, against NumPy and hashlib."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.data import Split, load_data
from striate.data import statistics as module
from striate.data.card import split_hash
from striate.data.statistics import channel_statistics
from striate.errors import DataError


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 9), st.sampled_from([1, 3]), st.integers(1, 7), st.integers(1, 7)),
)
def test_they_are_those_of_numpy(seed: int, shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    mean, std, found = channel_statistics(images)
    values = images.astype(np.float64) / 255
    expected = values.std(axis=(0, 2, 3))
    np.testing.assert_allclose(mean, values.mean(axis=(0, 2, 3)), rtol=1e-12)
    constant = images.min(axis=(0, 2, 3)) == images.max(axis=(0, 2, 3))
    np.testing.assert_allclose(std, np.where(constant, 1.0, expected), rtol=1e-9)
    assert len(found) == constant.sum()


def test_chunks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (50, 3, 4, 4), dtype=np.uint8)
    whole = channel_statistics(images)
    monkeypatch.setattr(module, "CHUNK", 64)
    assert channel_statistics(images) == whole


def test_many_pixels_do_not_lose_digits() -> None:
    images = np.full((4, 1, 1000, 1000), 255, np.uint8)
    images[0, 0, 0, 0] = 254
    mean, std, _ = channel_statistics(images)
    share = 1 / 4e6
    assert 1 - mean[0] == pytest.approx(share / 255, rel=1e-9)
    assert std[0] == pytest.approx((share * (1 - share)) ** 0.5 / 255, rel=1e-12)


def test_a_constant_channel_is_said(tmp_path) -> None:  # type: ignore[no-untyped-def]
    images = np.random.default_rng(0).integers(0, 256, (20, 6, 6, 3), dtype=np.uint8)
    images[..., 1] = 7
    np.savez(tmp_path / "x.npz", images=images, labels=np.arange(20) % 2)
    dataset = load_data(tmp_path / "x.npz")
    assert dataset.preprocessing.std[1] == 1.0
    assert dataset.preprocessing.mean[1] == pytest.approx(7 / 255)
    assert [finding.code for finding in dataset.findings if finding.code != "D027"] == ["D013"]
    assert "every pixel of channel 1 of the training images is 7" in dataset.findings[0].message


def test_they_come_from_the_training_split_only() -> None:
    dataset = load_data("digits")
    values = dataset.train.images / 255
    assert dataset.preprocessing.mean[0] == pytest.approx(values.mean(), rel=1e-12)
    assert dataset.preprocessing.std[0] == pytest.approx(values.std(), rel=1e-12)


def test_the_hash_is_over_ids_labels_and_pixels() -> None:
    split = load_data("digits").train
    plain = hashlib.sha256(json.dumps(split.ids).encode())
    plain.update(b"<i8(1294,)" + split.labels.astype("<i8").tobytes())
    plain.update(b"|u1(1294, 1, 8, 8)" + split.images.tobytes())
    assert split_hash(split) == plain.hexdigest()
    pixels, labels = split.images.copy(), split.labels.copy()
    pixels[5, 0, 3, 3] ^= 1
    labels[5] = (labels[5] + 1) % 10
    changed = [
        dataclasses.replace(split, images=pixels),
        dataclasses.replace(split, labels=labels),
        dataclasses.replace(split, ids=("other", *split.ids[1:])),
    ]
    assert len({split_hash(entry) for entry in [split, *changed]}) == 4


def test_a_split_must_fit_together() -> None:
    images = np.zeros((2, 1, 3, 3), np.uint8)
    with pytest.raises(DataError, match="differ in number"):
        Split(images, np.zeros(3, np.int64), ("a", "b"))
    with pytest.raises(DataError, match="wrong form"):
        Split(images.astype(np.float32), np.zeros(2, np.int64), ("a", "b"))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="wrong form"):
        Split(images.transpose(0, 1, 3, 2)[:, :, ::2], np.zeros(2, np.int64), ("a", "b"))
