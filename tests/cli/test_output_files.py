"""``-o FILE``: what is written is what would be printed, and what cannot be written is said in the verb's own words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.commands import Run

VIEWS = [
    ("inspect", "lenet-5"),
    ("inspect", "lenet-5", "--cost"),
    ("inspect", "lenet-5", "--memory", "--batch", "2"),
    ("inspect", "lenet-5", "--advice"),
    ("inspect", "lenet-5", "--unit", "c3:0,0"),
    ("inspect", "lenet-5", "--count-like", "thop"),
    ("inspect", "lenet-5", "--set", "f6.units=50"),
    ("compare", "lenet-5", "simple-cnn"),
    ("compare", "lenet-5", "simple-cnn", "--format", "markdown"),
    ("compare", "--example", "groups"),
    ("lint", "lenet-5"),
]


@pytest.mark.parametrize("words", VIEWS, ids=" ".join)
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_the_file_holds_what_is_printed(
    striate: Run, tmp_path: Path, words: tuple[str, ...], more: tuple[str, ...]
) -> None:
    if more and "--format" in words:
        return
    file = tmp_path / "out.txt"
    expected = striate(*words, *more)
    result = striate(*words, *more, "-o", file)
    assert (result.code, result.out, result.err) == (expected.code, "", "")
    assert file.read_text(encoding="utf-8") == expected.out
    if more:
        assert json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("words", [VIEWS[0], VIEWS[1], VIEWS[7], VIEWS[10]], ids=" ".join)
def test_a_file_that_cannot_be_written(striate: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    inside = tmp_path / "no" / "such" / "file.txt"
    result = striate(*words, "-o", inside)
    assert (result.code, result.out) == (1, "")
    assert f"{inside}: the folder does not exist" in result.error
    # There is no such option here.
    assert "--runs" not in result.error
    assert result.error.rstrip().endswith("write: -o FILE")


@pytest.mark.parametrize("folder", [".", "/", ".."])
def test_a_folder_is_no_file(striate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    monkeypatch.chdir(tmp_path)
    result = striate("inspect", "lenet-5", "-o", folder)
    assert (result.code, result.out) == (1, "")
    assert result.error.startswith(f"--output: this is a folder\n  got:   {folder}\n")
    assert not list(tmp_path.iterdir())


def test_budgets_go_into_the_same_json(striate: Run, tmp_path: Path) -> None:
    file = tmp_path / "net.json"
    result = striate("inspect", "lenet-5", "--json", "--max-params", "10k", "-o", file)
    assert (result.code, result.out) == (1, "")
    (check,) = json.loads(file.read_text(encoding="utf-8"))["budgets"]
    assert (check["kept"], check["limit"]) == (False, 10_000)
