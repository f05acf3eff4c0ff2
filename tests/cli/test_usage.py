"""What was typed wrongly: exit code 2, the place, and what to type instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.commands import Run


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["trian"], "striate: there is no verb 'trian'\n  needs: one of zoo, inspect, "),
        (["--jsno"], "striate: there is no option '--jsno'\n"),
        (["inspect"], "striate inspect: NET is missing\n  write: striate inspect NET\n"),
        (["predict", "latest"], "striate predict: FILE is missing\n  write: striate predict RUN FILE\n"),
        (["predict"], "striate predict: RUN, FILE is missing\n  write: striate predict RUN FILE\n"),
        (["inspect", "simple-cnn", "--jason"], "striate inspect: there is no option --jason\n  write: --json\n"),
        (["inspect", "simple-cnn", "--inptu=3x8x8"], "striate inspect: there is no option --inptu\n  write: --input\n"),
        (["inspect", "simple-cnn", "--in", "3x8x8"], "striate inspect: there is no option --in\n"),
        (["inspect", "simple-cnn", "--input"], "striate inspect: --input needs a value\n"),
        (["inspect", "conv", "3"], "striate inspect: this is one argument too many: 3\n  needs: NET; quote what has"),
        (["zoo", "rsnet18"], "striate zoo: no network of the zoo is like this\n  got:   rsnet18\n  needs: a part of"),
        (["zoo", "--jsn"], "striate zoo: there is no option --jsn\n  write: --json\n"),
        *(
            (
                ["inspect", "simple-cnn", option, value],
                f"striate inspect: {option} needs a value\n  got:   an empty text\n",
            )
            for option in (
                "--output",
                "--unit",
                "--count-like",
                "--layer",
                "--set",
                "--input",
                "--kwargs",
                "--max-params",
            )
            for value in ("", " ")
        ),
        (["inspect", "simple-cnn", "--max-memory", "-1MiB"], "--max-memory: this is not a budget\n  got:   -1MiB\n"),
        (["compare", "--example", ""], "striate compare: --example needs a value\n"),
        (["train", "--runs", ""], "striate train: --runs needs a value\n"),
        (
            ["inspect", "simple-cnn", "--input", "3xx8"],
            "--input: this is not a shape\n  got:   3xx8\n  needs: channels",
        ),
        (["inspect", "simple-cnn", "--input", "0x8x8"], "--input: this is not a shape\n"),
        (["inspect", "simple-cnn", "--classes", "ten"], "--classes: this is not a count\n  got:   ten\n"),
        (["inspect", "simple-cnn", "--classes", "0"], "--classes: this is not a count\n"),
        (["inspect", "simple-cnn", "--layer", "conv9"], "the network simple-cnn has no node 'conv9'\n"),
        (["inspect", "simple-cn"], "no network is called this\n  got:   'simple-cn'\n"),
        (
            ["train", "--epochs", "many"],
            "--epochs: the option 'epochs' cannot have this value\n  got:   epochs: 'many'\n",
        ),
        (["train", "--epochs", "0"], "--epochs: the option 'epochs' cannot have this value\n"),
        (["train", "--optimizer", "adm"], "--optimizer: the option 'optimizer' cannot have this value\n"),
        (["train", "--channels", "2"], "--channels: the option 'channels' cannot have this value\n"),
        (["train", "--learning-rate=-1"], "--learning-rate: the option 'learning_rate' cannot have this value\n"),
        (["train", "--class-weights", "cat"], "--class-weights: these are not weights of classes\n  got:   cat\n"),
        (["train", "--class-weights", "a=1,a=2"], "--class-weights: these are not weights of classes\n"),
        (["train", "--recipe", "nowhere.yaml"], "nowhere.yaml: "),
        (["evaluate", "nothing-1"], "nothing-1: no such run\n"),
        (["report", "nothing-1"], "nothing-1: no such run\n"),
        (["predict", "nothing-1", "a.png"], "nothing-1: no such run\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_exit_code_2(
    striate: Run, words: list[str], error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = striate(*words)
    assert result.code == 2
    assert result.error.startswith(error)
    assert result.out == ""
    assert not list(tmp_path.iterdir())


def test_a_near_miss_of_a_verb_is_suggested(striate: Run) -> None:
    assert striate("inspct", "simple-cnn").error.endswith("  write: striate inspect\n")


def test_the_wrong_flag_is_named_and_not_the_recipe_file(striate: Run, tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("epochs: 3\n")
    result = striate("train", "--recipe", tmp_path / "good.yaml", "--batch", "none")
    assert result.error.startswith("--batch: ")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("epochs: many\n", "the option 'epochs' cannot have this value"),
        ("epoch: 3\n", "there is no option 'epoch'"),
        ("- epochs\n", "recipe"),
        ("epochs: [3\n", "is not YAML"),
    ],
)
def test_a_wrong_recipe_file_is_named(striate: Run, text: str, error: str, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    result = striate("train", "--recipe", file)
    assert result.code == 2
    assert result.error.startswith(f"{file}")
    assert error in result.error


def test_a_split_that_is_not_there(striate: Run, runs: Path) -> None:
    result = striate("evaluate", "latest", "--runs", runs, "--split", "tset")
    assert result.code == 2
    assert result.error.startswith(
        "--split: the run has no split 'tset'\n  needs: one of train, val, test\n  write: test\n"
    )
