"""Class folders: order, layouts, links, and what is left out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from striate.data import load_data
from striate.errors import DataError

Folders = Callable[..., Path]
Picture = Callable[..., Image.Image]


def test_classes_and_images_are_in_natural_order(folders: Folders) -> None:
    dataset = load_data(folders({"class10": 12, "class2": 3, "Class1": 3}), val=0, test=0)
    assert dataset.classes == ("Class1", "class2", "class10")
    assert dataset.train.ids[-3:] == ("class10/img9.png", "class10/img10.png", "class10/img11.png")
    assert dataset.train.labels.tolist() == [0] * 3 + [1] * 3 + [2] * 12
    assert dataset.card.splits["train"].counts == {"Class1": 3, "class2": 3, "class10": 12}


def test_very_long_numbers_sort(folders: Folders) -> None:
    from striate.data.naming import natural_sort

    long = "9" * 5000
    assert natural_sort([long + "9", "7", long, "007", ""]) == ["", "007", "7", long, long + "9"]


def test_folders_below_a_class_belong_to_it(folders: Folders) -> None:
    dataset = load_data(folders({"cat/siamese": 2, "cat/manx": 2, "dog": 4}), val=0, test=0)
    assert dataset.classes == ("cat", "dog")
    assert dataset.card.splits["train"].counts == {"cat": 4, "dog": 4}


@pytest.mark.parametrize("names", [("Train", "Validation", "TEST"), ("training", "valid", "testing")])
def test_split_folders_by_other_names(folders: Folders, names: tuple[str, ...]) -> None:
    dataset = load_data(folders({f"{name}/{label}": 2 for name in names for label in "ab"}))
    assert list(dataset.splits) == ["train", "val", "test"]
    assert dataset.classes == ("a", "b")


def test_two_folders_for_one_split(folders: Folders) -> None:
    with pytest.raises(DataError) as caught:
        load_data(folders({f"{name}/{label}": 2 for name in ("train", "val", "valid") for label in "ab"}))
    assert "two folders mean the same split" in str(caught.value)
    assert "val and valid" in str(caught.value)


def test_test_without_train(folders: Folders) -> None:
    with pytest.raises(DataError, match="there is no training split"):
        load_data(folders({"test/a": 2, "test/b": 2}))
    with pytest.raises(DataError, match="there is no training split"):
        load_data(folders({"test": 2, "cat": 2}, name="other"))


def test_one_folder_too_high(folders: Folders) -> None:
    root = folders({"cifar/cat": 3, "cifar/dog": 3})
    with pytest.raises(DataError) as caught:
        load_data(root)
    assert "there is only one class" in str(caught.value)
    assert f"write: {root / 'cifar'}" in str(caught.value)


def test_no_class_folders(folders: Folders, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_data(folders({".": 3}))
    assert "images outside class folders: img0.png, img1.png, img2.png" in str(caught.value)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="got:   an empty folder"):
        load_data(tmp_path / "empty")
    (tmp_path / "empty/labels.csv").write_text("path,label\n")
    with pytest.raises(DataError) as caught:
        load_data(tmp_path / "empty")
    assert f"write: {tmp_path / 'empty/labels.csv'}" in str(caught.value)
    with pytest.raises(DataError, match=r"train.*no images in class folders"):
        load_data(folders({"train": 3, "test/a": 3}, name="loose"))


def test_what_is_left_out_is_said(folders: Folders, picture: Picture) -> None:
    root = folders({"a": 3, "b": 3})
    (root / "a/notes.txt").write_text("x")
    (root / "README").write_text("x")
    (root / "b/phone.HEIC").write_bytes(b"x")
    picture().save(root / "loose.png")
    for hidden in (".DS_Store", "a/.hidden.png", "Thumbs.db"):
        (root / hidden).write_bytes(b"x")
    (root / ".cache").mkdir()
    (root / "__MACOSX").mkdir()
    found = load_data(root, val=0, test=0).findings[:3]
    assert [finding.code for finding in found] == ["D002"] * 3
    assert found[0].message == "1 image of a kind that is not read here (.heic 1) left out: b/phone.HEIC"
    assert found[1].message.startswith("2 files that are no image (")
    assert "README, a/notes.txt" in found[1].message or "a/notes.txt, README" in found[1].message
    assert found[2].message == "1 image outside class folders left out: loose.png"


def test_links_are_followed_inside_only(folders: Folders, tmp_path: Path, picture: Picture) -> None:
    root = folders({"a": 3, "b": 3})
    picture().save(tmp_path / "outside.png")
    (root / "a/out.png").symlink_to(tmp_path / "outside.png")
    (root / "a/inside.png").symlink_to(root / "b/img0.png")
    (root / "a/nowhere.png").symlink_to(root / "gone.png")
    (root / "a/loop").symlink_to(root, target_is_directory=True)
    (root / "b/self.png").symlink_to(root / "b/self.png")
    dataset = load_data(root, val=0, test=0)
    assert len(dataset.train) == 7
    assert "a/inside.png" in dataset.train.ids
    finding = dataset.findings[0]
    assert finding.code == "D012"
    assert finding.message.startswith("4 links to a folder, out of the source or to nothing not followed: a/loop, ")


def test_a_source_that_is_a_link_itself(folders: Folders, tmp_path: Path) -> None:
    root = folders({"a": 3, "b": 3})
    (tmp_path / "link").symlink_to(root, target_is_directory=True)
    assert len(load_data(tmp_path / "link", val=0, test=0).train) == 6


def test_only_links_out_of_the_source(folders: Folders, tmp_path: Path) -> None:
    root = folders({"a": 3, "b": 3})
    (tmp_path / "farm").mkdir()
    for name in "ab":
        (tmp_path / "farm" / name).symlink_to(root / name, target_is_directory=True)
    with pytest.raises(DataError) as caught:
        load_data(tmp_path / "farm")
    assert "links that are not followed: a, b" in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_and_locked_folders_do_not_hang(folders: Folders) -> None:
    root = folders({"a": 3, "b": 3})
    os.mkfifo(root / "a/pipe.png")
    dataset = load_data(root, val=0, test=0)
    assert dataset.findings[0].message == "1 of the folder's entries cannot be read: a/pipe.png (not a file)"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_said(folders: Folders) -> None:
    root = folders({"a": 3, "b": 3, "b/locked": 1})
    (root / "a/img0.png").chmod(0)
    (root / "b/locked").chmod(0)
    try:
        dataset = load_data(root, val=0, test=0)
    finally:
        (root / "b/locked").chmod(0o700)
    assert dataset.skipped == (("a/img0.png", "no permission to read it"),)
    assert any("b/locked (no permission" in finding.message for finding in dataset.findings)


def test_a_folder_that_cannot_be_listed_is_said(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folders({"a": 3, "b": 3, "b/locked": 1})
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr("striate.data.walking.os.scandir", refuse)
    dataset = load_data(root, val=0, test=0)
    assert dataset.findings[0].message.endswith("cannot be read: b/locked (no permission to read it)")


def test_names_that_are_not_unicode(folders: Folders, picture: Picture) -> None:
    root = folders({"a": 3, "b": 3})
    try:
        picture().save(os.fsencode(root) + b"/a/caf\xe9.png")
    except OSError:
        pytest.skip("the file system takes Unicode names only")
    dataset = load_data(root, val=0, test=0)
    assert "a/caf\\xe9.png" in dataset.train.ids
    assert dataset.card.json_bytes()
