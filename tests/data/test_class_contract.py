"""The class contract, over folders and in itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from striate.data import class_contract, load_data
from striate.errors import DataError

Folders = Callable[..., Path]


def test_equal_classes_pass() -> None:
    class_contract({"train": ["a", "b"], "val": ["a", "b"], "test": ["a", "b"]})


@pytest.mark.parametrize(
    ("other", "parts"),
    [
        (["cat"], ["test lacks 'dog'", "add images of 'dog' to test"]),
        (["cat", "dog", "fox"], ["test has 'fox', which train has not", "add images of 'fox' to train"]),
        (["Cat", "dog"], ["'Cat' looks like 'cat' renamed", "rename 'Cat' in test to 'cat'"]),
        (["cat", "dogs"], ["test lacks 'dog'", "'dogs' looks like 'dog' renamed"]),
        (["dog", "cat"], ["in another order", "class 0 is 'cat' in train and 'dog' in test"]),
    ],
)
def test_other_classes_are_named(other: list[str], parts: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        class_contract({"train": ["cat", "dog"], "test": other}, where="animals")
    text = str(caught.value)
    assert text.startswith("animals: ")
    for part in parts:
        assert part in text


def test_each_renaming_is_matched_once() -> None:
    with pytest.raises(DataError) as caught:
        class_contract({"train": ["a b", "cat"], "test": ["A_B", "CAT"]})
    assert "'A_B' looks like 'a b' renamed" in str(caught.value)
    assert "'CAT' looks like 'cat' renamed" in str(caught.value)


def test_names_that_differ_only_in_their_unicode_form_are_matched() -> None:
    with pytest.raises(DataError, match="looks like"):
        class_contract({"train": ["caf\u00e9", "tea"], "test": ["cafe\u0301", "tea"]})


@pytest.mark.parametrize(
    ("names", "text"), [(["cat"], "only one class"), ([], "no class"), (["a", "a"], "twice"), (["", "a"], "no name")]
)
def test_a_reference_needs_two_different_classes(names: list[str], text: str) -> None:
    with pytest.raises(DataError, match=text):
        class_contract({"train": names})


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ({"train/cat": 3, "train/dog": 3, "test/cat": 1}, "test lacks 'dog'"),
        ({"train/cat": 3, "train/dog": 3, "test/cat": 1, "test/dog": 1, "test/fox": 1}, "test has 'fox'"),
        ({"train/cat": 3, "train/dog": 3, "val/cat": 1, "val/Dog": 1}, "'Dog' looks like 'dog' renamed"),
        ({"train/cat": 3, "train/dog": 3, "val/cat": 1, "val/dog": 0}, "val lacks 'dog'"),
        ({"cat": 3}, "only one class"),
        ({"cat": 3, "dog": 0}, "class folder without an image"),
        ({"train/cat": 3, "train/dog": 0, "test/cat": 2}, "class folder without an image"),
    ],
)
def test_folders_that_break_it(folders: Folders, layout: dict[str, int], text: str) -> None:
    with pytest.raises(DataError) as caught:
        load_data(folders(layout))
    assert text in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_class_whose_images_are_all_broken_is_missed(folders: Folders) -> None:
    root = folders({"train/cat": 3, "train/dog": 3, "test/cat": 1, "test/dog": 1})
    (root / "test/dog/img0.png").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        load_data(root)
    assert "class without an image in test after 1 unreadable image was skipped" in str(caught.value)
    assert "'dog'" in str(caught.value)


def test_classes_that_differ_in_case_only_are_said(folders: Folders) -> None:
    dataset = load_data(folders({"a": 3, "b": 3, "B": 3}))
    assert dataset.classes == ("a", "B", "b")
    assert [finding.code for finding in dataset.findings if finding.code != "D027"] == ["D017"]
