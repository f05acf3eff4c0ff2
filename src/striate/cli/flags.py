"""Flags made from the fields of Recipe, so that every option of a recipe is a flag and none can be forgotten."""

from __future__ import annotations

import argparse
import types
import typing
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from striate.errors import UsageError
from striate.training.recipe import Recipe, make_recipe
from striate.training.recipe_file import read_recipe

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from striate.cli.parser import Parser

__all__ = ["SECTIONS", "add_recipe_flags", "flag_of", "read_flags", "recipe_text"]

#: The sections of the help, each from this field of Recipe on.
SECTIONS = {
    "epochs": "How long",
    "loss": "What is minimised",
    "optimizer": "How it is minimised",
    "flip": "What is shown (augmentation)",
    "val": "On which images",
    "device": "By which arithmetic",
}


def add_recipe_flags(parser: Parser) -> None:
    """One flag for each field of Recipe; a flag that is not given is None."""
    group = parser.options
    for name, field in Recipe.model_fields.items():
        if name in SECTIONS:
            group = parser.add_argument_group(SECTIONS[name])
        if bool in _parts(field.annotation):
            action: Any = argparse.BooleanOptionalAction
            group.add_argument(flag_of(name), dest=name, action=action, default=None, help=_help(field))
        else:
            group.add_argument(flag_of(name), dest=name, metavar=_metavar(name, field.annotation), help=_help(field))


def flag_of(name: str) -> str:
    """The flag for a field.

    >>> flag_of("learning_rate")
    '--learning-rate'
    """
    return f"--{name.replace('_', '-')}"


def read_flags(options: argparse.Namespace, file: str | None) -> Recipe:
    """The recipe behind the flags that were given, and the file they win over.

    Raises:
        UsageError: names the flag, or the file, that is wrong.
    """
    given = {name: _value(name, getattr(options, name)) for name in Recipe.model_fields}
    given = {name: value for name, value in given.items() if value is not None}
    for name, value in given.items():
        # Each for itself first: an error names the flag, not the file that happens to be there too.
        make_recipe({name: value}, where=flag_of(name))
    return make_recipe(given, where="the command line") if file is None else read_recipe(file, given)


def recipe_text(recipe: Recipe) -> str:
    """A recipe as a YAML file that reads back as the same recipe: what was not chosen stands there as a comment.

    >>> print(recipe_text(Recipe(epochs=3)).splitlines()[1])
    epochs: 3  # passes over the training images, whole or not, such as 0.5 [auto]
    """
    lines: list[str] = []
    for name, field in Recipe.model_fields.items():
        if name in SECTIONS:
            lines += ["", f"# {SECTIONS[name]}"] if lines else [f"# {SECTIONS[name]}"]
        chosen = name in recipe.model_fields_set
        value = recipe.model_dump(mode="json")[name]
        shown = "" if value is None and not chosen else f" {_yaml(value)}"
        lines.append(f"{'' if chosen else '# '}{name}:{shown}  # {_plain_help(field)}")
    return "\n".join(lines) + "\n"


def _value(name: str, text: Any) -> Any:
    """What pydantic is to read: numbers and words as they were typed, weights of classes as a mapping."""
    annotation = Recipe.model_fields[name].annotation
    if not isinstance(text, str):
        return text
    if name == "class_weights" and text != "balanced":
        return _class_weights(text)
    if any(isinstance(choice, int) and str(choice) == text for choice in _choices(annotation)):
        return int(text)
    return text


def _class_weights(text: str) -> dict[str, float]:
    """``cat=2,dog=1`` as a mapping."""
    pairs = [part.rpartition("=") for part in text.split(",")]
    names = [name for name, _, _ in pairs]
    try:
        weights = [float(weight) for _, _, weight in pairs]
    except ValueError:
        weights = []
    if not weights or not all(names) or len(set(names)) != len(names):
        raise UsageError(
            "these are not weights of classes",
            where="--class-weights",
            got=text,
            needs="'balanced', or one weight for each class",
            write="--class-weights cat=2,dog=1",
        )
    return dict(zip(names, weights, strict=True))


def _parts(annotation: Any) -> Iterator[Any]:
    """The types behind ``Annotated[T, ...] | None``."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        for part in typing.get_args(annotation):
            yield from _parts(part)
    elif origin is Annotated:
        yield from _parts(typing.get_args(annotation)[0])
    elif annotation is not type(None):
        yield annotation


def _choices(annotation: Any) -> list[Any]:
    return [
        choice for part in _parts(annotation) if typing.get_origin(part) is Literal for choice in typing.get_args(part)
    ]


def _metavar(name: str, annotation: Any) -> str:
    words = {"time": "TIME", "size": "SIZE", "class_weights": "WEIGHTS", "device": "DEVICE"}
    if name in words:
        return words[name]
    if choices := _choices(annotation):
        return "|".join(map(str, choices))
    return {int: "N", float: "X"}.get(next(_parts(annotation)), "TEXT")


def _help(field: FieldInfo) -> str:
    return _plain_help(field).replace("%", "%%")


def _plain_help(field: FieldInfo) -> str:
    text, default = field.description or "", field.default
    if default is None or "[" in text:
        return text
    return f"{text} [{default:g}]" if isinstance(default, float) else f"{text} [{default}]"


def _yaml(value: Any) -> str:
    """A value in YAML's flow style, which JSON is a part of."""
    import json

    return (
        value if isinstance(value, str) and value.replace("-", "").isalpha() else json.dumps(value, ensure_ascii=False)
    )
