"""Every option of a recipe is a flag of train, and a printed recipe reads back as the same recipe."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from cli.commands import NET, QUICK, Run
from striate.cli import flags
from striate.cli.program import make_parser, verb_modules
from striate.training import Recipe, make_recipe, read_recipe

#: A value for every field, as it is typed and as it is meant.
VALUES: dict[str, tuple[str, Any]] = {
    "epochs": ("3", 3),
    "time": ("90s", 90.0),
    "early_stopping": ("2", 2),
    "loss": ("mse", "mse"),
    "label_smoothing": ("0.1", 0.1),
    "class_weights": ("cat=2,dog=0.5", {"cat": 2.0, "dog": 0.5}),
    "optimizer": ("sgd", "sgd"),
    "learning_rate": ("1e-2", 0.01),
    "momentum": ("0.8", 0.8),
    "rest": ("sgd", "sgd"),
    "rest_rate": ("0.1", 0.1),
    "bias_rate": ("64", 64.0),
    "weight_decay": ("0", 0.0),
    "l1": ("1e-5", 1e-5),
    "max_norm": ("3", 3.0),
    "clip": ("1", 1.0),
    "schedule": ("cosine", "cosine"),
    "warmup": ("0.1", 0.1),
    "batch": ("16", 16),
    "init": ("he", "he"),
    "whiten": ("", True),
    "average": ("lookahead", "lookahead"),
    "average_decay": ("0.9", 0.9),
    "flip": ("both", "both"),
    "shift": ("2", 2),
    "shift_fill": ("reflect", "reflect"),
    "crop": ("0.8", 0.8),
    "scale": ("0.1", 0.1),
    "rotate": ("15", 15.0),
    "color": ("0.2", 0.2),
    "hue": ("0.05", 0.05),
    "randaugment": ("2", 2),
    "magnitude": ("7", 7.0),
    "cutout": ("8", 8),
    "mixup": ("0.2", 0.2),
    "cutmix": ("1", 1.0),
    "mix_share": ("0.5", 0.5),
    "sizes": ("progressive", "progressive"),
    "smallest_size": ("0.75", 0.75),
    "full_size_at": ("0.5", 0.5),
    "tta": ("flip-shift", "flip-shift"),
    "val": ("0.2", 0.2),
    "test": ("0", 0.0),
    "size": ("24x48", "24x48"),
    "channels": ("3", 3),
    "fit": ("crop", "crop"),
    "broken": ("error", "error"),
    "cache": ("disk", "disk"),
    "workers": ("3", 3),
    "device": ("cpu", "cpu"),
    "deterministic": ("", True),
    "precision": ("fp32", "fp32"),
    "layout": ("contiguous", "contiguous"),
    "rewrites": ("off", "off"),
    "threads": ("1", 1),
    "compile": ("off", "off"),
    "probe": ("off", "off"),
    "memory": ("system", "system"),
    "seed": ("7", 7),
}


@pytest.fixture
def options() -> dict[str, Any]:
    """The options of ``striate train``: the flag of each by what it fills."""
    parser = make_parser("train", verb_modules()["train"])
    return {action.dest: action for action in parser._actions if action.option_strings}


def test_every_field_is_a_flag_and_every_flag_a_field(options: dict[str, Any]) -> None:
    own = {"data", "recipe", "print_recipe", "runs", "run_folder", "checkpoint_every", "verify_resume", "json"}
    own |= {"find_lr", "list_recipes"}
    assert set(options) == own | set(Recipe.model_fields)
    for name in Recipe.model_fields:
        assert options[name].option_strings[0] == flags.flag_of(name)
        assert len(options[name].option_strings) == (2 if options[name].nargs == 0 else 1)


def test_every_field_is_described(options: dict[str, Any]) -> None:
    for name, field in Recipe.model_fields.items():
        assert field.description, f"Recipe.{name} has no description"
        assert field.description.rstrip(".") == field.description
        assert field.description in options[name].help.replace("%%", "%")


def test_every_section_begins_with_a_field() -> None:
    fields = list(Recipe.model_fields)
    assert next(iter(flags.SECTIONS)) == fields[0], "the first section starts with the first field"
    places = [fields.index(name) for name in flags.SECTIONS]
    assert places == sorted(places)


@pytest.mark.parametrize("name", Recipe.model_fields)
def test_a_flag_sets_its_field(striate: Run, name: str, tmp_path: Path) -> None:
    typed, meant = VALUES[name]
    flag = flags.flag_of(name)
    result = striate("train", f"{flag}={typed}" if typed else flag, "--print-recipe")
    assert result.code == 0
    assert YAML(typ="safe", pure=True).load(result.out) == {name: meant}
    file = tmp_path / "recipe.yaml"
    file.write_text(result.out, encoding="utf-8")
    assert read_recipe(file) == make_recipe({name: meant})
    assert read_recipe(file).model_fields_set == {name}


def test_a_printed_recipe_lists_every_option(striate: Run) -> None:
    result = striate("train", "--print-recipe")
    for name, field in Recipe.model_fields.items():
        (line,) = [line for line in result.out.splitlines() if line.startswith(f"# {name}:")]
        assert str(field.description) in line


@settings(max_examples=60)
@given(st.sets(st.sampled_from(sorted(VALUES))))
def test_a_printed_recipe_reads_back_as_itself(names: set[str]) -> None:
    recipe = make_recipe({name: VALUES[name][1] for name in names})
    options = YAML(typ="safe", pure=True).load(flags.recipe_text(recipe)) or {}
    again = make_recipe(options)
    assert again == recipe
    assert again.model_fields_set == recipe.model_fields_set == names


def test_training_from_a_printed_recipe(striate: Run, photos: Path, tmp_path: Path) -> None:
    words = ("--data", photos, "--json", *QUICK, "--batch", "8", "--flip", "horizontal")
    first = striate("train", NET, "--runs", tmp_path / "a", *words).json
    file = tmp_path / "r.yaml"
    file.write_text(striate("train", *words[3:], "--print-recipe").out, encoding="utf-8")
    second = striate("train", NET, "--data", photos, "--recipe", file, "--runs", tmp_path / "b", "--json").json
    assert second["asked"] == first["asked"] == {"epochs": 1, "threads": 1, "batch": 8, "flip": "horizontal"}
    assert second["recipe"] == first["recipe"]
    assert second["results"]["test_loss"] == first["results"]["test_loss"]


def test_flags_win_over_the_file(striate: Run, tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text("epochs: 9\nbatch: 16\n")
    result = striate("train", "--recipe", file, "--epochs", "2", "--print-recipe")
    assert YAML(typ="safe", pure=True).load(result.out) == {"epochs": 2, "batch": 16}


def test_choices_are_listed(options: dict[str, Any]) -> None:
    for name, field in Recipe.model_fields.items():
        if typing.get_origin(field.annotation) is typing.Literal:
            assert options[name].metavar == "|".join(map(str, typing.get_args(field.annotation)))
    assert options["channels"].metavar == "1|3"
    assert options["epochs"].metavar == "N"
    assert options["learning_rate"].metavar == "X"
