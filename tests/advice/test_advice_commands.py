"""The command line of units, advice, changes, comparisons and budgets, and its messages."""

from __future__ import annotations

import json

import pytest

from striate.cli import main


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(words)
    out, err = capsys.readouterr()
    assert isinstance(caught.value.code, int)
    assert "Traceback" not in err
    return caught.value.code, out, err


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["inspect", "lenet-5", "--unit", "c3:0,0"], "rows 0 to 13; theory 0 to 13"),
        (["inspect", "lenet-5", "--unit", "f6"], "all units of 84"),
        (["inspect", "resnet18", "--advice"], "161, 193, 225, 257"),
        (["inspect", "simple-cnn", "--set", "conv1.filters=8"], "4,640 → 2,336"),
        (["inspect", "simple-cnn", "--set", "dense1.units=64", "--layer", "dense1"], "131,136"),
        (["inspect", "lenet-5", "--max-params", "62k"], "61,706, within the budget of 62,000"),
        (["compare", "resnet18", "resnet34"], "21,797,672"),
        (["compare", "resnet18", "vgg16", "lenet-5"], "138,357,544"),
        (["compare", "--example", "dense-vs-conv"], "150,529,000"),
        (["compare", "--list-examples"], "one-5x5-vs-two-3x3"),
    ],
)
def test_what_is_shown(capsys: pytest.CaptureFixture[str], words: list[str], found: str) -> None:
    code, out, err = run(capsys, *words)
    assert (code, err) == (0, "")
    assert found in out


@pytest.mark.parametrize(
    "words",
    [
        ["inspect", "lenet-5", "--unit", "c3:0,0"],
        ["inspect", "lenet-5", "--advice"],
        ["inspect", "simple-cnn", "--set", "conv1.filters=8"],
        ["inspect", "lenet-5", "--max-params", "62k"],
        ["compare", "resnet18", "resnet34"],
        ["compare", "--example", "groups"],
        ["compare", "--list-examples"],
    ],
)
def test_json_is_json(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    code, out, err = run(capsys, *words, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--unit", "c9:0,0"], ["has no node 'c9'"]),
        (["--unit", "c1:40,0"], ["no unit at this position", "0 to 27, 27", "c1:14,14"]),
        (["--unit", "c1:a,b"], ["does not name a unit", "--unit conv1:0,0"]),
        (["--unit", "c1:-1,0"], ["does not name a unit"]),
        (["--unit", "c1:0,0", "--advice"], ["show different things"]),
        (["--unit", "c1:0,0", "--format", "csv"], ["a view of its own"]),
        (["--set", "c1"], ["does not change an attribute", "--set conv1.stride=2"]),
        (["--set", "c1.strid=2"], ["--set c1.strid=2", "no attribute 'strid'", "write: stride"]),
        (["--set", "c1.stride=16"], ["--set c1.stride=16", "node 'c3'", "window"]),
        (["--set", "zzz.stride=2"], ["--set zzz.stride=2", "has no node 'zzz'"]),
        (["--max-params", "1m"], ["--max-params: this is not a budget", "--max-params 1M"]),
        (["--max-memory", "8MB"], ["--max-memory: this is not a budget", "--max-memory 8MiB"]),
    ],
)
def test_what_is_wrong_is_said(capsys: pytest.CaptureFixture[str], words: list[str], parts: list[str]) -> None:
    code, out, err = run(capsys, "inspect", "lenet-5", *words)
    assert (code, out) == (2, "")
    assert all(part in err for part in parts), err


def test_an_input_that_is_too_small(capsys: pytest.CaptureFixture[str]) -> None:
    text = "conv 8 5 > maxpool 2 > conv 4 5 > flatten > dense 3"
    code, _, err = run(capsys, "inspect", text, "--input", "1x9x20")
    assert code == 2
    assert "layer 3 (conv)" in err
    assert "write: --input 1x14x20" in err
    assert run(capsys, "inspect", text, "--input", "1x14x20")[0] == 0
    assert run(capsys, "inspect", text, "--input", "1x13x20")[0] == 2


def test_an_exceeded_budget_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "inspect", "lenet-5", "--max-params", "60k", "--max-macs", "1M")
    assert (code, err) == (1, "")
    assert "exceed the budget of 60,000 by 1,706" in out
    assert "c5: 48,120" in out
    assert "within the budget of 1,000,000" in out
    code, out, _ = run(capsys, "inspect", "lenet-5", "--max-params", "60k", "--json")
    assert code == 1
    assert json.loads(out)["budgets"][0]["kept"] is False
    code, out, err = run(capsys, "inspect", "lenet-5", "--max-params", "60k", "--format", "csv")
    assert code == 1
    assert "budget" not in out
    assert "c5: 48,120" in err


def test_budgets_are_held_against_the_changed_network(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["inspect", "simple-cnn", "--max-params", "100k"]
    assert run(capsys, *words)[0] == 1
    assert run(capsys, *words, "--set", "conv1.stride=2", "--set", "conv1.padding=1")[0] == 0


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "two networks or more"),
        (["lenet-5"], "striate compare lenet-5 resnet34"),
        (["--example", "dense-or-conv"], "write: dense-vs-conv"),
        (["lenet-5", "--example", "groups"], "brings its own networks"),
        (["lenet-5", "vgg16", "vgg11", "--layers"], "two networks only"),
        (["lenet-5", "resnet8"], "no network is called this"),
    ],
)
def test_comparisons_that_cannot_be(capsys: pytest.CaptureFixture[str], words: list[str], part: str) -> None:
    code, _, err = run(capsys, "compare", *words)
    assert code == 2
    assert part in err
