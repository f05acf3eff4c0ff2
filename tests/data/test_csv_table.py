"""CSV tables: classes, tags, values, splits, and rows that cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from striate.data import load_data
from striate.errors import DataError, UsageError

Write = Callable[..., Path]


@pytest.fixture
def table(folders: Callable[..., Path]) -> Write:
    """``table(header, row, row …)`` writes them beside twenty images img/img0.png …"""
    root = folders({"img": 20})

    def write(*lines: str, encoding: str = "utf-8") -> Path:
        (root / "data.csv").write_text("\n".join(lines) + "\n", encoding=encoding)
        return root / "data.csv"

    return write


def rows(cell: Callable[[int], str], count: int = 20) -> list[str]:
    return [f"img/img{index}.png,{cell(index)}" for index in range(count)]


def failure(path: Path, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        load_data(path, **options)  # type: ignore[arg-type]
    return str(caught.value)


def test_classes(table: Write) -> None:
    path = table("path,label", *rows(lambda index: f"kind {index % 2 + 9}"))
    dataset = load_data(path)
    assert (dataset.task, dataset.classes, dataset.card.kind) == ("classes", ("kind 9", "kind 10"), "csv")
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 14, "val": 2, "test": 4}
    for split in dataset.splits.values():
        assert split.labels.dtype == np.int64
        for name, label in zip(split.ids, split.labels, strict=True):
            assert int(name.removeprefix("img/img").removesuffix(".png")) % 2 == label


def test_given_splits_and_other_spellings(table: Write) -> None:
    splits = ["train", "Train ", "VALID", "test"]
    path = table("Path , LABEL,Split", *rows(lambda index: f"{index // 10},{splits[index % 4]}"), encoding="utf-8-sig")
    dataset = load_data(path)
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 10, "val": 5, "test": 5}
    assert dataset.card.split_rule == "given by the split column"


def test_tags(table: Write) -> None:
    cells = ["red|round", "red", "", "round | soft", "soft"]
    dataset = load_data(table("path,labels", *rows(lambda index: cells[index % 5])), val=0, test=0)
    assert (dataset.task, dataset.classes) == ("tags", ("red", "round", "soft"))
    assert dataset.train.labels.dtype == np.uint8
    assert dataset.train.labels[:5].tolist() == [[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 1, 1], [0, 0, 1]]
    assert dataset.card.splits["train"].counts == {"red": 8, "round": 8, "soft": 8}


def test_tags_are_split_and_missing_ones_said(table: Write) -> None:
    path = table("path,labels", *rows(lambda index: "rare" if index == 3 else f"t{index % 2}"))
    dataset = load_data(path)
    assert dataset.train.labels[:, dataset.classes.index("rare")].sum() == 1
    assert [finding.message for finding in dataset.findings if finding.code < "D021"] == [
        "no image of val has the tag 'rare'",
        "no image of test has the tag 'rare'",
    ]


def test_values(table: Write) -> None:
    dataset = load_data(table("path,value", *rows(lambda index: str(index / 4))), val=0, test=0)
    assert (dataset.task, dataset.classes) == ("values", ("value",))
    assert dataset.train.labels.dtype == np.float32
    assert dataset.train.labels[:, 0].tolist() == [index / 4 for index in range(20)]
    assert dataset.card.splits["train"].counts == {}
    path = table("path,value:Age,value:size", *rows(lambda index: f"{index},-1e3"))
    dataset = load_data(path)
    assert dataset.classes == ("Age", "size")
    assert dataset.train.labels.shape == (14, 2)
    assert dataset.card.split_rule == "test 20 % of all, val 10 % of the rest, at random, seed 0"


def test_other_columns_are_said(table: Write) -> None:
    path = table("id,path,label,note", *(f"{i},img/img{i}.png,{i % 2},x" for i in range(20)))
    assert load_data(path).findings[0].message == "columns that are not used: id, note"


def test_missing_images_are_skipped_by_name(table: Write) -> None:
    path = table("path,label", *rows(lambda index: str(index % 2), count=22))
    dataset = load_data(path)
    assert dataset.skipped == (("img/img20.png", "no such file"), ("img/img21.png", "no such file"))
    assert "2 of 22 images could not be used" in dataset.findings[0].message
    assert "img/img20.png: an image cannot be used" in failure(path, broken="error")


def test_folders_and_pipes_in_the_table(table: Write) -> None:
    path = table("path,label", *rows(lambda index: str(index % 2)), "img,1")
    assert load_data(path).skipped == (("img", "not a file"),)


def test_cells_in_quotes_and_blank_lines(table: Write) -> None:
    path = table("path,label", "", *rows(lambda index: '"a, ""b"""' if index % 2 else "c"), "  , ")
    assert load_data(path).classes == ('a, "b"', "c")


@pytest.mark.parametrize(
    ("lines", "parts"),
    [
        ([""], ["the table is empty"]),
        (["path,label"], ["the table names no image"]),
        (["path;label", "a;b"], ["not separated by commas"]),
        (["file,label", "a,b"], ["lacks a column", "file,label"]),
        (["path,lable", "a,b"], ["lacks a column", "write: lable → label"]),
        (["path,label,value", "a,b,1"], ["two kinds of label"]),
        (["path,value,value:x", "a,1,1"], ["two kinds of label"]),
        (["path,label,label", "a,b,c"], ["a column stands twice"]),
        (["path,label", "img/img0.png"], ["data.csv:2: wrong number of cells"]),
        (["path,label", "img/img0.png,"], ["data.csv:2: an image without a label"]),
        (["path,label", ",a"], ["data.csv:2: a row without a path"]),
        (["path,label", "x\0y,a"], ["data.csv:2: a row without a path"]),
        (["path,label", "img/img0.png,a", "img/../img/img0.png,b"], ["data.csv:3", "already in line 2"]),
        (["path,label,split", "img/img0.png,a,dev"], ["data.csv:2: unknown split", "'dev'"]),
        (["path,label,split", "img/img0.png,a,test"], ["there is no training split"]),
        (["path,value", "img/img0.png,tall"], ["data.csv:2: no number in column 'value'", "'tall'"]),
        (["path,value", "img/img0.png,nan"], ["a finite number"]),
        (["path,value", "img/img0.png,1e39"], ["a finite number"]),
        (["path,label", 'img/img0.png,"a'], ["not well-formed CSV"]),
        (["path,label", "img/img0.png," + "a" * 200_000], ["not well-formed CSV"]),
        (["path,labels", "img/img0.png,", "img/img1.png,"], ["no image has a tag"]),
        (["path,label", "img/img0.png,a", "img/img1.png,a"], ["there is only one class"]),
        (["path,label", "img/img0.png,a", "img/img1.png,b"], ["too few images", "at least 3 of each class"]),
        (["path,value", "img/img0.png,1", "img/img1.png,2"], ["too few images to divide", "at least 3"]),
    ],
)
def test_what_cannot_be_used_is_explained(table: Write, lines: list[str], parts: list[str]) -> None:
    text = failure(table(*lines))
    for part in parts:
        assert part in text


def test_splits_with_other_classes_and_tags(table: Write) -> None:
    path = table("path,label,split", *rows(lambda i: f"{'ab'[i % 2]},train"), "img/x.png,A,test", "img/y.png,b,test")
    assert "'A' looks like 'a' renamed" in failure(path)
    path = table("path,labels,split", *rows(lambda i: f"{'ab'[i % 2]},train"), "img/x.png,a|c,test")
    text = failure(path)
    assert "data.csv:22: a tag in test that no training image has" in text
    assert "'c'" in text


def test_it_must_be_text(table: Write) -> None:
    path = table("path,label")
    path.write_bytes(b"path,label\nimg/img0.png,caf\xe9\n")
    assert "not UTF-8 text" in failure(path)


def test_the_task_must_be_the_columns(table: Write) -> None:
    path = table("path,label", *rows(lambda index: str(index % 2)))
    with pytest.raises(UsageError, match="it has a column for classes"):
        load_data(path, task="values")
    assert load_data(path, task="classes").task == "classes"


def test_a_table_that_is_too_large(table: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("striate.data.table.LARGEST_TABLE", 10)
    assert "the table is too large" in failure(table("path,label", *rows(str)))


def test_a_tag_lost_with_a_broken_image(table: Write) -> None:
    path = table("path,labels", *rows(lambda index: f"t{index % 2}"), "img/gone.png,lone")
    assert "tags without a training image" in failure(path)
