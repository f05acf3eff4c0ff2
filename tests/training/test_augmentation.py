"""The whole augmentation: what a recipe asks for, and that an image depends on seed, epoch and place alone."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from striate.training.augmentation import Augmentation
from striate.training.augmentations.key import Key
from striate.training.augmentations.showing import EpochShown, Showing
from striate.training.recipe import make_recipe
from training.samples import draw_images, make_dataset

EVERY: dict[str, Any] = {
    "flip": "both",
    "shift": 2,
    "shift_fill": "reflect",
    "crop": 0.7,
    "scale": 0.2,
    "rotate": 30.0,
    "color": 0.4,
    "hue": 0.1,
    "randaugment": 2,
    "magnitude": 6.0,
    "cutout": 3,
    "mixup": 0.4,
    "cutmix": 1.0,
    "mix_share": 0.8,
}
#: Each change alone, with what it needs.
ALONE: dict[str, dict[str, Any]] = {
    name: {name: EVERY[name]} for name in EVERY if name not in ("shift_fill", "magnitude", "mix_share")
} | {"alternating": {"flip": "alternating"}, "everything": EVERY}


def shown(
    options: dict[str, Any], epoch: int = 1, seed: int = 0, shape: tuple[int, int, int] = (3, 9, 8)
) -> EpochShown:
    dataset = make_dataset(train=48, shape=shape)
    augmentation = Augmentation.of(make_recipe(options))
    return Showing(dataset, augmentation, torch.channels_last, seed).epoch(epoch)


EVERYTHING = torch.arange(48)


def test_off_is_off() -> None:
    assert not Augmentation().active
    assert not Augmentation.of(make_recipe({})).active
    for options in ALONE.values():
        assert Augmentation.of(make_recipe(options)).active
    x_bchw, target = shown({}).batch(EVERYTHING)
    dataset = make_dataset(train=48, shape=(3, 9, 8))
    mean, std = (np.array(part).reshape(1, 3, 1, 1) for part in (dataset.preprocessing.mean, dataset.preprocessing.std))
    np.testing.assert_allclose(x_bchw.numpy(), (dataset.train.images / 255 - mean) / std, atol=1e-5)
    assert np.array_equal(target.numpy(), dataset.train.labels)


def test_a_recipe_says_it_all() -> None:
    augmentation = Augmentation.of(make_recipe(EVERY))
    found: dict[str, Any] = {}
    for change in (*augmentation.on_bytes, *augmentation.on_shares, *augmentation.on_inputs):
        found[type(change).__name__] = dataclasses.astuple(change)  # type: ignore[call-overload]
    assert found == {
        "Flips": ("both",),
        "Shift": (2, "reflect"),
        "RandAugment": (2, 6.0),
        "Warp": (0.7, 0.2, 30.0),
        "Color": (0.4,),
        "Hue": (0.1,),
        "Cutout": (3,),
    }
    mixing = augmentation.mixing
    assert mixing is not None
    assert [(type(kind).__name__, kind.alpha) for kind in mixing.kinds] == [("MixUp", 0.4), ("CutMix", 1.0)]
    assert mixing.share == 0.8
    defaults = Augmentation.of(make_recipe({"shift": 1, "randaugment": 1, "mixup": 1}))
    assert [dataclasses.astuple(change) for change in defaults.on_bytes] == [(1, "edge"), (1, 5.0)]  # type: ignore[call-overload]
    assert defaults.mixing is not None
    assert defaults.mixing.share == 1


@pytest.mark.parametrize("name", ALONE)
def test_an_image_is_the_same_to_the_last_bit_in_every_batch(name: str) -> None:
    epoch = shown(ALONE[name], epoch=2)
    plain, _ = shown({}).batch(EVERYTHING)
    x_bchw, target = epoch.batch(EVERYTHING)
    assert not torch.equal(x_bchw, plain)
    order = torch.randperm(48, generator=torch.Generator().manual_seed(1))
    for size in (1, 7, 48):
        # A new epoch object, as after a restart of the process.
        again = shown(ALONE[name], epoch=2)
        for start in range(0, 48, size):
            picked = order[start : start + size]
            x, t = again.batch(picked)
            assert torch.equal(x, x_bchw[picked])
            assert torch.equal(t, target[picked])


@pytest.mark.parametrize("name", ["everything", "randaugment", "color", "crop", "hue"])
def test_an_image_is_the_same_in_every_batch_where_images_are_large(name: str) -> None:
    epoch = shown(ALONE[name], shape=(3, 67, 45))
    x_bchw, _ = epoch.batch(EVERYTHING)
    for picked in (torch.tensor([5]), torch.tensor([40, 3, 17]), EVERYTHING.flip(0)):
        assert torch.equal(epoch.batch(picked)[0], x_bchw[picked])


@pytest.mark.parametrize("name", ALONE)
def test_another_epoch_and_another_seed_show_something_else(name: str) -> None:
    first, _ = shown(ALONE[name]).batch(EVERYTHING)
    assert not torch.equal(shown(ALONE[name], epoch=2).batch(EVERYTHING)[0], first)
    assert not torch.equal(shown(ALONE[name], seed=1).batch(EVERYTHING)[0], first)
    assert torch.equal(shown(ALONE[name]).batch(EVERYTHING)[0], first)


@pytest.mark.parametrize("name", ALONE)
def test_the_stored_images_and_the_random_state_stay(name: str) -> None:
    dataset = make_dataset(shape=(3, 9, 8))
    images, labels = dataset.train.images.copy(), dataset.train.labels.copy()
    state = torch.get_rng_state(), np.random.get_state()[1].copy()  # type: ignore[index, union-attr]
    Showing(dataset, Augmentation.of(make_recipe(ALONE[name])), torch.contiguous_format, 0).epoch(1).batch(EVERYTHING)
    assert np.array_equal(dataset.train.images, images)
    assert np.array_equal(dataset.train.labels, labels)
    assert torch.equal(torch.get_rng_state(), state[0])
    assert np.array_equal(np.random.get_state()[1], state[1])  # type: ignore[index]


@given(st.integers(0, 2**31 - 1), st.sampled_from([(1, 6, 7), (3, 6, 6), (3, 6, 11)]))
def test_everything_together_stays_within_black_and_white(seed: int, shape: tuple[int, int, int]) -> None:
    dataset = make_dataset(shape=shape)
    options = {name: value for name, value in EVERY.items() if name != "hue" or shape[0] == 3}
    epoch = Showing(dataset, Augmentation.of(make_recipe(options)), torch.channels_last, seed).epoch(1)
    x_bchw, target = epoch.batch(torch.arange(len(dataset.train)))
    assert x_bchw.shape == dataset.train.images.shape
    assert x_bchw.dtype == torch.float32
    assert x_bchw.is_contiguous(memory_format=torch.channels_last)
    mean, std = (
        torch.tensor(part).view(1, -1, 1, 1) for part in (dataset.preprocessing.mean, dataset.preprocessing.std)
    )
    unit = x_bchw * std + mean
    assert unit.min() > -1e-4
    assert unit.max() < 1 + 1e-4
    assert target.sum(dim=1).tolist() == [1.0] * len(target)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("name", ALONE)
def test_the_memory_order_is_the_one_asked_for(name: str, layout: torch.memory_format) -> None:
    dataset = make_dataset(shape=(3, 9, 8))
    epoch = Showing(dataset, Augmentation.of(make_recipe(ALONE[name])), layout, 0).epoch(1)
    assert epoch.batch(torch.arange(5))[0].is_contiguous(memory_format=layout)


def test_one_change_does_not_alter_what_another_draws() -> None:
    alone = Augmentation.of(make_recipe({"shift": 2})).draw(0, 1, 48).on_bytes[0]
    among = Augmentation.of(make_recipe(EVERY)).draw(0, 1, 48).on_bytes[1]
    assert all(torch.equal(a, b) for a, b in zip(alone, among, strict=True))


def test_draws_are_uniform_and_independent() -> None:
    key = Key(7, 3)
    rows = torch.cat([key.uniform(purpose, 20_000, 5) for purpose in ("warp", "color", "flip")], dim=1).numpy()
    assert rows.dtype == np.float32
    assert rows.min() >= 0
    assert rows.max() < 1
    for column in rows.T:
        # Kolmogorov-Smirnov: the largest distance from the straight line, 1.95 / sqrt(n) at one in a thousand
        distance = np.abs(np.sort(column) - np.arange(len(column)) / len(column)).max()
        assert distance < 1.95 / math.sqrt(len(column))
    correlations = np.corrcoef(rows.T) - np.eye(rows.shape[1])
    assert np.abs(correlations).max() < 0.03


def test_every_epoch_seed_and_purpose_draws_anew() -> None:
    tables = [
        Key(seed, epoch).uniform(purpose, 100, 2)
        for seed in (0, 1, 2**31 - 1)
        for epoch in (1, 2)
        for purpose in ("flip", "shift")
    ]
    for index, table in enumerate(tables):
        assert all(not torch.equal(table, other) for other in tables[:index])
    assert torch.equal(Key(0, 1).uniform("flip", 100, 2), tables[0])


def test_the_images_of_the_samples_differ() -> None:
    # What the tests above compare would be equal for equal images.
    images, _ = draw_images("classes", 48, (3, 9, 8))
    assert len({image.tobytes() for image in images}) == 48
