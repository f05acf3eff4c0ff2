"""Splits: disjoint, complete, stratified, and the same for the same seed."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from striate.data import load_data
from striate.data.splitting import draw_share, share_counts
from striate.errors import DataError, UsageError

counts_of_classes = st.lists(st.integers(3, 40), min_size=2, max_size=8)
shares = st.floats(0.01, 0.6)


def labelled(counts: list[int]) -> tuple[np.ndarray, list[str]]:
    labels = np.repeat(np.arange(len(counts)), counts)
    return labels, [f"train/{index}" for index in range(len(labels))]


@given(counts=counts_of_classes, share=shares, seed=st.integers(0, 2**40), keep=st.integers(1, 2))
def test_each_class_is_divided_within_one_image(counts: list[int], share: float, seed: int, keep: int) -> None:
    labels, ids = labelled(counts)
    mask = draw_share(labels, ids, share, name="test", keep=keep, seed=seed, task="classes")
    taken = np.bincount(labels[mask], minlength=len(counts))
    for count, number in zip(counts, taken, strict=True):
        assert 1 <= number <= count - keep
        assert abs(number - share * count) < 1 or number == count - keep
    again = draw_share(labels, ids, share, name="test", keep=keep, seed=seed, task="classes")
    assert (mask == again).all()


@given(counts=st.lists(st.integers(20, 60), min_size=2, max_size=8), share=st.floats(0.1, 0.5))
def test_the_total_is_the_share_of_all(counts: list[int], share: float) -> None:
    assert sum(share_counts(counts, share, keep=1)) == round(share * sum(counts))


@given(counts=st.lists(st.integers(20, 60), min_size=2, max_size=6), seed=st.integers(0, 1000))
def test_counts_are_within_one_of_scikit_learn(counts: list[int], seed: int) -> None:
    labels, _ = labelled(counts)
    _, theirs = train_test_split(labels, test_size=0.2, stratify=labels, random_state=seed)
    ours = share_counts(counts, 0.2, keep=1)
    assert all(abs(a - b) <= 1 for a, b in zip(ours, np.bincount(theirs, minlength=len(counts)), strict=True))


def test_the_draw_is_the_smallest_hashes_of_each_class() -> None:
    labels, ids = labelled([30, 30])
    mask = draw_share(labels, ids, 0.2, name="val", keep=1, seed=7, task="classes")
    for label in (0, 1):
        own = [name for name, value in zip(ids, labels, strict=True) if value == label]
        own.sort(key=lambda name: hashlib.sha256(f"7\0val\0{name}".encode()).digest())
        assert set(own[:6]) == {name for name, m, v in zip(ids, mask, labels, strict=True) if m and v == label}


def test_images_that_are_added_leave_the_others_where_they_were() -> None:
    labels, ids = labelled([100, 100])
    before = draw_share(labels, ids, 0.2, name="test", keep=1, seed=0, task="classes")
    more_labels, more_ids = np.append(labels, [0, 1]), [*ids, "new/1", "new/2"]
    after = draw_share(more_labels, more_ids, 0.2, name="test", keep=1, seed=0, task="classes")
    assert (before != after[:-2]).sum() <= 4


def test_val_and_test_are_drawn_independently() -> None:
    labels, ids = labelled([200, 200])
    val = draw_share(labels, ids, 0.5, name="val", keep=1, seed=0, task="classes")
    test = draw_share(labels, ids, 0.5, name="test", keep=1, seed=0, task="classes")
    assert 60 < (val & test).sum() < 140


@given(
    tags=st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=30, max_size=120),
    seed=st.integers(0, 1000),
    share=st.sampled_from([0.1, 0.2, 0.4]),
)
def test_tags_are_divided_in_proportion(tags: list[list[bool]], seed: int, share: float) -> None:
    labels = np.array(tags, np.uint8)
    ids = [str(index) for index in range(len(labels))]
    mask = draw_share(labels, ids, share, name="test", keep=1, seed=seed, task="tags")
    assert 0 < mask.sum() < len(labels)
    counts, taken = labels.sum(axis=0, dtype=int), labels[mask].sum(axis=0, dtype=int)
    # greedy, so not within one: the rarest tag is met best, the others nearly
    assert (np.abs(taken - share * counts) <= 2 + 0.1 * counts).all()
    assert all(taken[tag] < counts[tag] for tag in range(4) if counts[tag])


def test_values_are_divided_at_random() -> None:
    values = np.arange(100, dtype=np.float32)[:, None]
    mask = draw_share(values, [str(i) for i in range(100)], 0.25, name="val", keep=1, seed=0, task="values")
    assert mask.sum() == 25


def test_digits_are_complete_and_disjoint() -> None:
    dataset = load_data("digits", seed=3, val=0.25)
    ids = [name for split in dataset.splits.values() for name in split.ids]
    assert len(ids) == len(set(ids)) == 1797
    assert [len(split) for split in dataset.splits.values()] == [1078, 360, 359]
    assert dataset.card.split_rule == "test 20 % of all, val 25 % of the rest, stratified, seed 3"
    assert dataset.card.split_seed == 3
    assert load_data("digits", seed=3, val=0.25).test.ids == dataset.test.ids  # type: ignore[union-attr]
    assert load_data("digits", seed=4, val=0.25).test.ids != dataset.test.ids  # type: ignore[union-attr]


def test_no_val_and_no_test() -> None:
    dataset = load_data("digits", val=0, test=0)
    assert (len(dataset.train), dataset.val, dataset.test) == (1797, None, None)
    assert (dataset.card.split_rule, dataset.card.split_seed) == ("all images in train", None)
    assert dataset.findings == ()
    dataset = load_data("digits", test=0)
    assert dataset.card.split_rule == "val 10 % of all, stratified, seed 0"


def test_one_image_per_class_cannot_be_divided(folders) -> None:  # type: ignore[no-untyped-def]
    root = folders({"cat": 1, "dog": 1, "fox": 9})
    with pytest.raises(DataError) as caught:
        load_data(root)
    text = str(caught.value)
    assert "class 'cat' has 1 image, class 'dog' has 1 image" in text
    assert "at least 3 of each class: one each for train, val and test" in text
    assert "val=0 and test=0" in text
    assert len(load_data(root, val=0, test=0).train) == 11


@pytest.mark.parametrize("count", [3, 4, 5])
def test_three_images_per_class_are_enough(folders, count: int) -> None:  # type: ignore[no-untyped-def]
    dataset = load_data(folders({"cat": count, "dog": count}))
    for split in dataset.splits.values():
        assert set(split.labels.tolist()) == {0, 1}


def test_given_splits_are_used_as_they_are(folders) -> None:  # type: ignore[no-untyped-def]
    layout = {f"{split}/{name}": 4 for split in ("train", "valid", "test") for name in ("cat", "dog")}
    dataset = load_data(folders(layout))
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 8, "val": 8, "test": 8}
    assert (dataset.card.split_rule, dataset.card.split_seed) == ("given by folders", None)
    assert all(name.startswith("valid/") for name in dataset.val.ids)  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="its own val split"):
        load_data(folders(layout), val=0.2)


def test_val_is_taken_from_train_alone(folders) -> None:  # type: ignore[no-untyped-def]
    root = folders({"train/cat": 20, "train/dog": 10, "test/cat": 2, "test/dog": 2})
    dataset = load_data(root)
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 27, "val": 3, "test": 4}
    assert np.bincount(dataset.val.labels).tolist() == [2, 1]  # type: ignore[union-attr]
    assert dataset.card.split_rule == "train and test given by folders; val 10 % of train, stratified, seed 0"


def test_train_and_val_without_test(folders) -> None:  # type: ignore[no-untyped-def]
    root = folders({"train/a": 5, "train/b": 5, "val/a": 2, "val/b": 2})
    dataset = load_data(root)
    assert dataset.test is None
    assert dataset.findings[0].message.startswith("there is no test split")
    dataset = load_data(root, test=0.4)
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 6, "val": 4, "test": 4}
