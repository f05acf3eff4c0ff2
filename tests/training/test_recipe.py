"""Recipes: from YAML, flags and Python, and what is said when they are wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from striate.errors import UsageError
from striate.training import Recipe, make_recipe, read_recipe
from striate.training.recipe_values import parse_duration, parse_size

#: A value for every option, none of them the default.
EVERY: dict[str, Any] = {
    "epochs": 7,
    "time": 90.0,
    "early_stopping": 3,
    "loss": "mse",
    "label_smoothing": 0.1,
    "class_weights": {"cat": 2.0, "dog": 0.5},
    "optimizer": "sgd",
    "learning_rate": 0.125,
    "momentum": 0.5,
    "rest": "sgd",
    "rest_rate": 0.25,
    "bias_rate": 64.0,
    "weight_decay": 0.01,
    "l1": 0.001,
    "max_norm": 3.0,
    "clip": 1.5,
    "schedule": "cosine",
    "warmup": 0.3,
    "batch": 17,
    "init": "orthogonal",
    "whiten": True,
    "average": "ema",
    "average_decay": 0.9,
    "flip": "both",
    "shift": 2,
    "shift_fill": "reflect",
    "crop": 0.8,
    "scale": 0.1,
    "rotate": 15.0,
    "color": 0.2,
    "hue": 0.05,
    "randaugment": 2,
    "magnitude": 7.0,
    "cutout": 8,
    "mixup": 0.2,
    "cutmix": 1.0,
    "mix_share": 0.5,
    "sizes": "progressive",
    "smallest_size": 0.75,
    "full_size_at": 0.5,
    "tta": "flip",
    "val": 0.15,
    "test": 0.25,
    "size": "24x48",
    "channels": 3,
    "fit": "stretch",
    "broken": "error",
    "cache": "stream",
    "workers": 3,
    "device": "cuda:1",
    "deterministic": True,
    "precision": "bf16",
    "layout": "contiguous",
    "rewrites": "off",
    "threads": 2,
    "compile": "off",
    "probe": "off",
    "memory": "system",
    "seed": 11,
}


def file(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused(call: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(UsageError) as raised:
        call(*arguments, **options)
    return str(raised.value)


def test_the_list_above_is_whole_and_has_no_defaults() -> None:
    assert list(EVERY) == list(Recipe.model_fields)
    defaults = Recipe().as_dict()
    assert [name for name, value in EVERY.items() if value == defaults[name]] == []


def test_every_option_survives_the_way_through_yaml(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    with path.open("w") as stream:
        YAML().dump(EVERY, stream)
    recipe = read_recipe(path)
    assert recipe.as_dict() == EVERY
    assert make_recipe(recipe.as_dict()) == recipe
    assert make_recipe(json.loads(json.dumps(recipe.as_dict()))) == recipe


@pytest.mark.parametrize("name", EVERY)
def test_each_option_survives_alone(tmp_path: Path, name: str) -> None:
    path = tmp_path / "recipe.yaml"
    with path.open("w") as stream:
        YAML().dump({name: EVERY[name]}, stream)
    recipe = read_recipe(path)
    assert recipe.model_fields_set == {name}
    assert recipe.as_dict() == {**Recipe().as_dict(), name: EVERY[name]}


def test_the_defaults_survive_too() -> None:
    assert make_recipe(Recipe().as_dict()) == Recipe()


def test_every_option_has_a_description() -> None:
    assert all(field.description for field in Recipe.model_fields.values())


def test_a_recipe_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Recipe().epochs = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", {}),
        ("# nothing\n---\n", {}),
        ("\ufeffepochs: 3\n", {"epochs": 3}),
        ("size: 32", {"size": "32"}),
        ("size: [24, 48]", {"size": "24x48"}),
        ("size: 24×48", {"size": "24×48"}),
        ("time: 10m", {"time": 600.0}),
        ("time: 45", {"time": 45.0}),
        ("learning_rate: 1e-3", {"learning_rate": 0.001}),
        ("learning_rate: 1", {"learning_rate": 1.0}),
        ("flip: none", {"flip": "none"}),
        ("epochs: null\nval: ~", {"epochs": None, "val": None}),
        ("class_weights: balanced", {"class_weights": "balanced"}),
        ("class_weights: {0: 2, 7: 0.5}", {"class_weights": {"0": 2.0, "7": 0.5}}),
    ],
)
def test_what_a_file_may_say(tmp_path: Path, text: str, options: dict[str, Any]) -> None:
    recipe = read_recipe(file(tmp_path, text))
    assert {name: getattr(recipe, name) for name in options} == options
    assert recipe.model_fields_set == set(options)


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    path = file(tmp_path, "epochs: 3\nbatch: 8\n")
    recipe = read_recipe(path, {"epochs": 9, "seed": 4})
    assert (recipe.epochs, recipe.batch, recipe.seed) == (9, 8, 4)
    # even over what would be wrong
    assert read_recipe(file(tmp_path, "epochs: many"), {"epochs": 9}).epochs == 9


def test_a_wrong_flag_is_not_told_as_a_fault_of_the_file(tmp_path: Path) -> None:
    assert refused(read_recipe, file(tmp_path, "epochs: 3"), {"batch": 0}).startswith("the command line: ")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epohcs": 3}, ["there is no option 'epohcs'", "got:   epohcs: 3", "write: epochs"]),
        ({"learning-rate": 3}, ["there is no option 'learning-rate'", "write: learning_rate"]),
        ({1: 3}, ["there is no option 1"]),
        ({"epochs": 0}, ["'epochs'", "got:   epochs: 0", "needs: a number above 0, such as 10 or 0.5"]),
        ({"epochs": float("inf")}, ["'epochs'", "a number above 0"]),
        ({"epochs": "many"}, ["'epochs'", "got:   epochs: 'many'", "a number above 0"]),
        ({"epochs": True}, ["'epochs'", "needs: a number above 0"]),
        ({"whiten": "maybe"}, ["'whiten'"]),
        ({"bias_rate": 0}, ["'bias_rate'", "greater than 0"]),
        ({"average_decay": 1}, ["'average_decay'", "less than 1"]),
        ({"smallest_size": 0}, ["'smallest_size'", "greater than 0"]),
        ({"tta": "flips"}, ["'tta'", "write: tta: flip"]),
        ({"learning_rate": 0}, ["'learning_rate'", "greater than 0"]),
        ({"learning_rate": float("nan")}, ["'learning_rate'"]),
        ({"learning_rate": float("inf")}, ["'learning_rate'"]),
        ({"momentum": 1.0}, ["'momentum'", "less than 1"]),
        ({"label_smoothing": -0.1}, ["'label_smoothing'", "greater than or equal to 0"]),
        ({"crop": 0}, ["'crop'", "greater than 0"]),
        ({"rotate": 181}, ["'rotate'", "less than or equal to 180"]),
        ({"optimizer": "admw"}, ["'optimizer'", "'adamw', 'adam', 'sgd' or 'muon'", "write: optimizer: adamw"]),
        ({"flip": "left"}, ["'flip'", "'none', 'horizontal', 'vertical', 'both' or 'alternating'"]),
        ({"flip": None}, ["'flip'", "got:   flip: None"]),
        ({"flip": "alternate"}, ["'flip'", "write: flip: alternating"]),
        ({"hue": 0.6}, ["'hue'", "less than or equal to 0.5"]),
        ({"randaugment": 15}, ["'randaugment'", "less than or equal to 14"]),
        ({"magnitude": 11}, ["'magnitude'", "less than or equal to 10"]),
        ({"mixup": 1e-300}, ["'mixup'", "needs: 0, or 0.001 to 1000; 1 draws every share alike"]),
        ({"cutmix": -1}, ["'cutmix'", "0, or 0.001 to 1000"]),
        ({"cutmix": float("nan")}, ["'cutmix'", "0, or 0.001 to 1000"]),
        ({"mix_share": 0}, ["'mix_share'", "greater than 0"]),
        ({"channels": 2}, ["'channels'", "1 or 3"]),
        ({"time": "soon"}, ["'time'", "needs: a duration above 0, such as 90s, 10m or 1.5h"]),
        ({"time": 0}, ["'time'", "a duration above 0"]),
        ({"size": "large"}, ["'size'", "needs: pixels: a side, or height x width"]),
        ({"size": 0}, ["'size'"]),
        ({"size": [1, 2, 3]}, ["'size'"]),
        ({"class_weights": "even"}, ["'class_weights'", "needs: 'balanced', or a weight above 0 for each class"]),
        ({"class_weights": {"cat": -1}}, ["'class_weights'", "a weight above 0"]),
        ({"class_weights": {"cat": True}}, ["'class_weights'"]),
        ({"class_weights": {}}, ["'class_weights'"]),
        ({"seed": -1}, ["'seed'"]),
        ({"seed": 2**31}, ["'seed'"]),
    ],
)
def test_a_wrong_value_is_named(options: dict[Any, Any], words: list[str]) -> None:
    text = refused(make_recipe, options)
    assert text.startswith("recipe: ")
    for word in words:
        assert word in text


def test_a_wrong_line_of_a_file_is_named(tmp_path: Path) -> None:
    path = file(tmp_path, "# mine\nepochs: 3\n\noptimizer: adagrad\n")
    assert refused(read_recipe, path).startswith(f"{path}:4: the option 'optimizer' cannot have this value")
    path = file(tmp_path, "epochs: 3\nbatches: 4\n")
    assert refused(read_recipe, path).startswith(f"{path}:2: there is no option 'batches'")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- epochs: 3\n", ["recipe.yaml:1: a recipe is options with their values", "write: epochs: 10"]),
        ("many epochs", ["a recipe is options with their values"]),
        ("epochs: [1, 2", ["this is not YAML"]),
        ("epochs: 3\n epochs: 4", ["recipe.yaml:2"]),
        ("epochs: 3\nepochs: 4", ["'epochs' is written twice", "on line 1 and on line 2"]),
        ("epochs: !!python/object/apply:os.system ['true']", ["YAML tags are not read"]),
        ("epochs: 99999999999999999999", ["recipe.yaml:1: this number is too large"]),
        ("[" * 5000, ["nested too deeply"]),
        (b"\x89PNG\r\n\x1a\n\x00\x00", ["the recipe is not text in UTF-8"]),
        (b"epochs: 3\x00", ["this is a binary file, not YAML"]),
        (b"#" * (1 << 20) + b"#", ["the recipe: too large to be read", "at most 1.0 MiB"]),
        ("a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
        ), ["this expands to too many values"]),
    ],
)  # fmt: skip
def test_a_file_that_is_no_recipe(tmp_path: Path, text: str | bytes, words: list[str]) -> None:
    told = refused(read_recipe, file(tmp_path, text))
    assert "recipe.yaml" in told
    for word in words:
        assert word in told
    assert len(told) < 1500
    assert "network" not in told


def test_a_file_that_is_missing_or_a_folder(tmp_path: Path) -> None:
    missing = tmp_path / "missing.yaml"
    assert refused(read_recipe, missing) == f"{missing}: the recipe: this file is missing"
    assert refused(read_recipe, str(tmp_path)) == f"{tmp_path}: the recipe: not a file"


def test_a_large_wrong_value_is_told_in_short() -> None:
    assert len(refused(make_recipe, {"epochs": ["x" * 1000] * 1000})) < 500
    assert len(refused(make_recipe, {"nonsense": "x" * 100_000})) < 1000


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
def test_durations(hours: int, minutes: int, seconds: int) -> None:
    total = 3600 * hours + 60 * minutes + seconds
    if total:
        assert parse_duration(f"{hours}h{minutes}m{seconds}s") == total
        assert parse_duration(f" {hours} h {minutes} min {seconds} s ") == total
        assert parse_duration(str(total)) == parse_duration(total) == parse_duration(float(total)) == total


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("1.5h", 5400), ("0.5m", 30), ("2h 30m", 9000), ("1h10s", 3610)]
)
def test_duration_examples(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "value",
    ["", "s", "-5s", "10x", "10ms", "m10", "1m 1h", "nan", "inf", "1e3", "0s", None, True, float("nan"), -1, [1]],
)
def test_what_is_no_duration(value: object) -> None:
    with pytest.raises(ValueError, match="a duration above 0"):
        parse_duration(value)


@pytest.mark.parametrize(
    ("text", "size"), [("32", (32, 32)), ("24x48", (24, 48)), (" 24 × 48 ", (24, 48)), ("1x99999", (1, 99999))]
)
def test_sizes(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "0x8", "8x0", "8x", "x8", "8x8x8", "-8", "8.5", "100000"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="pixels"):
        parse_size(text)
