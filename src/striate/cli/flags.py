"""Flags made from the fields of Recipe, so that every option of a recipe is a flag and none can be forgotten."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer

from striate.errors import UsageError
from striate.training.recipe import Recipe

__all__ = ["given_options", "with_recipe_flags"]


def with_recipe_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Replace the ``**options`` of a command by one flag for each field of Recipe; a flag not given is None."""
    signature = inspect.signature(command, eval_str=True)
    own = [entry for entry in signature.parameters.values() if entry.kind is not inspect.Parameter.VAR_KEYWORD]
    flags = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                _flag_type(name, field.annotation) | None,
                typer.Option(
                    f"--{name.replace('_', '-')}",
                    help=_help(field.description or "", field.default),
                    show_default=False,
                    rich_help_panel="Recipe",
                ),
            ],
        )
        for name, field in Recipe.model_fields.items()
    ]
    keyword = [entry.replace(kind=inspect.Parameter.KEYWORD_ONLY) for entry in own]
    command.__signature__ = signature.replace(parameters=[*keyword, *flags])  # type: ignore[attr-defined]
    command.__annotations__ = {entry.name: entry.annotation for entry in [*keyword, *flags]}
    return command


def given_options(options: dict[str, Any]) -> dict[str, Any]:
    """The flags that were given; ``cat=2,dog=1`` becomes a weight for each class.

    Raises:
        UsageError: when a weight is not written like that.
    """
    given = {name: value for name, value in options.items() if value is not None}
    weights = given.get("class_weights")
    if isinstance(weights, str) and weights != "balanced":
        try:
            pairs = [part.rsplit("=", 1) for part in weights.split(",")]
            given["class_weights"] = {name: float(value) for name, value in pairs}
        except ValueError:
            raise UsageError(
                "these are not weights of classes",
                where="--class-weights",
                got=weights,
                needs="'balanced', or a weight for each class",
                write="--class-weights cat=2,dog=1",
            ) from None
    return given


def _flag_type(name: str, annotation: Any) -> Any:
    """int, float or a choice where the field is one; everything else is text that pydantic reads."""
    if name in ("time", "class_weights"):
        return str
    parts = [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        parts = [part for part in typing.get_args(annotation) if part is not type(None)]
    part = parts[0]
    if typing.get_origin(part) is Annotated:
        part = typing.get_args(part)[0]
    if typing.get_origin(part) is Literal:
        return part if all(isinstance(choice, str) for choice in typing.get_args(part)) else int
    return part if part in (int, float) else str


def _help(description: str, default: object) -> str:
    if default is None or "[" in description:
        return description
    return f"{description} [{default:g}]" if isinstance(default, float) else f"{description} [{default}]"
