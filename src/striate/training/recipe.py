"""Recipe: everything that decides how a network is trained, with defaults that need no option.

A recipe comes from a YAML file, from flags or from Python; whatever is left at ``auto`` (None) is resolved by
:mod:`striate.training.plan` once network and data are known.
"""

from __future__ import annotations

import reprlib
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from striate.errors import RunError, SourceError, UsageError, near_miss
from striate.runs.bounded import read_bounded
from striate.training.recipe_values import (
    Angle,
    ClassWeights,
    Count,
    NotNegative,
    Pixels,
    Positive,
    Seconds,
    Seed,
    Share,
    Size,
    Zoom,
)

if TYPE_CHECKING:
    from striate.sources.tree import TreeNode

__all__ = ["Recipe", "make_recipe", "read_recipe"]

#: A recipe file larger than this, in bytes, is not a recipe.
MOST_BYTES = 1 << 20


class Recipe(BaseModel):
    """How a network is trained. None means: chosen from the data and the network, and written into the run.

    >>> Recipe(epochs=3, learning_rate=0.01).optimizer
    'adamw'
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    # How long
    epochs: Count | None = Field(default=None, description="passes over the training images [auto]")
    time: Seconds | None = Field(
        default=None, description="time budget such as 90s, 10m or 1h; the schedule ends with it"
    )
    early_stopping: Count | None = Field(
        default=None, description="stop after this many epochs without a better validation"
    )
    # What is minimised
    loss: Literal["auto", "cross-entropy", "mse", "binary-cross-entropy"] = Field(
        default="auto", description="what is minimised; auto follows the task"
    )
    label_smoothing: Share = Field(
        default=0.0, description="share of the target spread over all classes (cross-entropy)"
    )
    class_weights: ClassWeights | None = Field(
        default=None, description="'balanced', or a weight for each class (cross-entropy)"
    )
    # How it is minimised
    optimizer: Literal["adamw", "adam", "sgd"] = Field(default="adamw", description="update rule")
    learning_rate: Positive | None = Field(
        default=None, description="peak learning rate [adamw 0.004; adam 0.002; sgd 0.05]"
    )
    momentum: Share | None = Field(default=None, description="momentum, only for sgd [sgd 0.9]")
    weight_decay: NotNegative | None = Field(
        default=None, description="pull towards 0 of weights, not of biases and norms [adamw 0.05; sgd 0.0005; adam 0]"
    )
    l1: NotNegative = Field(default=0.0, description="L1 penalty on weights")
    max_norm: Positive | None = Field(default=None, description="largest L2 norm of a filter's weights")
    clip: Positive | None = Field(default=None, description="largest norm of the whole gradient")
    schedule: Literal["one-cycle", "cosine", "constant"] = Field(
        default="one-cycle", description="course of the learning rate"
    )
    warmup: Share | None = Field(
        default=None, description="share of the training spent rising, only for one-cycle [one-cycle 0.15]"
    )
    batch: Count | None = Field(default=None, description="images for each update [auto]")
    init: Literal["auto", "he", "xavier", "normal", "uniform", "orthogonal", "zero"] = Field(
        default="auto", description="initial weights; auto follows the activation behind each layer"
    )
    # What is shown
    flip: Literal["none", "horizontal", "vertical", "both"] = Field(default="none", description="random mirroring")
    shift: Pixels = Field(default=0, description="random shift by up to this many pixels")
    crop: Zoom = Field(default=1.0, description="random zoom: smallest share of each side")
    rotate: Angle = Field(default=0.0, description="random rotation by up to this angle, °")
    color: Share = Field(
        default=0.0, description="random change of brightness, contrast and saturation by up to this share"
    )
    # On what
    val: Share | None = Field(
        default=None, description="share of the training images kept for validation [0.1 if none is given]"
    )
    test: Share | None = Field(
        default=None, description="share of all images kept for the test [0.2 if the data has no splits]"
    )
    size: Size | None = Field(default=None, description="image size such as 32 or 24x48 [the images' own]")
    channels: Literal[1, 3] | None = Field(default=None, description="1 grey, 3 colour [as the images]")
    fit: Literal["exact", "crop", "stretch"] | None = Field(
        default=None, description="how an image of another size is made to fit"
    )
    broken: Literal["skip", "error"] = Field(default="skip", description="what to do with an image that cannot be read")
    # By which arithmetic
    precision: Literal["auto", "fp32", "bf16"] = Field(
        default="auto", description="arithmetic; auto measures and checks bf16"
    )
    layout: Literal["auto", "channels-last", "contiguous"] = Field(
        default="auto", description="memory order of the maps"
    )
    threads: Count | None = Field(default=None, description="processor threads [all]")
    seed: Seed = Field(default=0, description="seed of everything random")

    def as_dict(self) -> dict[str, Any]:
        """The recipe as JSON-ready data, every option included."""
        return self.model_dump(mode="json")


def make_recipe(options: dict[str, Any], *, where: str = "recipe", lines: dict[str, int] | None = None) -> Recipe:
    """A recipe from named options.

    Args:
        options: by the names of the fields of :class:`Recipe`.
        where: what errors call the place they come from.
        lines: the line of each option in that place, where it is a file.

    Raises:
        UsageError: for an unknown option (with a near miss) or an impossible value.
    """
    known = list(Recipe.model_fields)
    lines = lines or {}

    def place(name: str) -> str:
        return f"{where}:{lines[name]}" if name in lines else where

    for name, value in options.items():
        if name not in known:
            raise UsageError(
                f"there is no option {name!r}",
                where=place(name),
                got=f"{name}: {reprlib.repr(value)}",
                needs=f"one of {', '.join(known)}",
                write=near_miss(str(name), known),
            )
    try:
        return Recipe(**options)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        raise UsageError(
            f"the option {name!r} cannot have this value",
            where=place(name),
            got=f"{name}: {reprlib.repr(options.get(name))}",
            needs=first["msg"].removeprefix("Value error, ").removeprefix("Input should be "),
            write=_suggestion(name, options.get(name)),
        ) from None


def _suggestion(name: str, value: object) -> str | None:
    """The choice closest to a mistyped word."""
    annotation = Recipe.model_fields[name].annotation
    kinds = [annotation, *typing.get_args(annotation)]
    choices = [
        choice
        for kind in kinds
        if typing.get_origin(kind) is Literal
        for choice in typing.get_args(kind)
        if isinstance(choice, str)
    ]
    near = near_miss(value, choices) if isinstance(value, str) and choices else None
    return None if near is None else f"{name}: {near}"


def read_recipe(path: Path | str, flags: dict[str, Any] | None = None) -> Recipe:
    """A recipe from a YAML file, with ``flags`` winning over it.

    Raises:
        UsageError: when the file is missing, too large, not YAML or not a recipe.
    """
    flags = flags or {}
    # On their own first, so that a wrong flag is not told as a fault of the file.
    make_recipe(flags, where="the command line")
    options, lines = _read_options(Path(path))
    for name in flags:
        lines.pop(name, None)
    return make_recipe({**options, **flags}, where=str(path), lines=lines)


def _read_options(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The options in a file, and the line of each."""
    from striate.sources.parsing import read_tree
    from striate.sources.tree import MapNode

    where = str(path)
    try:
        text = read_bounded(path, MOST_BYTES).decode("utf-8-sig")
        if not _says_anything(text):
            return {}, {}
        tree = read_tree(text, where)
        if not isinstance(tree, MapNode):
            raise UsageError(
                "a recipe is options with their values, one on each line",
                where=f"{where}:{tree.line}",
                write="epochs: 10",
            )
        return {key.text: _value(node, where) for key, node in tree.entries}, {
            key.text: key.line for key, _ in tree.entries
        }
    except RunError as error:
        raise UsageError(f"the recipe: {error.problem}", where=where, got=error.got, needs=error.needs) from None
    except UnicodeDecodeError as error:
        raise UsageError("the recipe is not text in UTF-8", where=where, got=error.reason) from None
    except SourceError as error:
        problem = error.problem.replace("a network", "a recipe")
        raise UsageError(problem, where=error.where, got=error.got, write="option: value, on each line") from None


def _says_anything(text: str) -> bool:
    lines = (line.strip() for line in text.splitlines())
    return any(line and not line.startswith("#") and line != "---" for line in lines)


def _value(node: TreeNode, where: str) -> Any:
    """A value of the file in Python's types."""
    from striate.sources.tree import ListNode, Scalar, scalar_value

    if isinstance(node, Scalar):
        return scalar_value(node, f"{where}:{node.line}")
    if isinstance(node, ListNode):
        return [_value(item, where) for item in node.items]
    return {key.text: _value(value, where) for key, value in node.entries}
