"""Recipe: everything that decides how a network is trained, with defaults that need no option.

A recipe comes from a YAML file, from flags or from Python; whatever is left at ``auto`` (None) is resolved by
:mod:`striate.training.plan` once network and data are known.
"""

from __future__ import annotations

import reprlib
import typing
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from striate.errors import UsageError, near_miss
from striate.training.recipe_values import (
    Angle,
    ClassWeights,
    Concentration,
    Count,
    Device,
    Epochs,
    Magnitude,
    NotNegative,
    Operations,
    Part,
    Pixels,
    Positive,
    Seconds,
    Seed,
    Share,
    Size,
    Turn,
    Zoom,
)

__all__ = ["Recipe", "make_recipe"]


class Recipe(BaseModel):
    """How a network is trained. None means: chosen from the data and the network, and written into the run.

    >>> Recipe(epochs=3, learning_rate=0.01).optimizer
    'adamw'
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    # How long
    epochs: Epochs | None = Field(
        default=None, description="passes over the training images, whole or not, such as 0.5 [auto]"
    )
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
    optimizer: Literal["adamw", "adam", "sgd", "muon"] = Field(default="adamw", description="update rule")
    learning_rate: Positive | None = Field(
        default=None, description="peak learning rate [adamw 0.004; adam 0.002; sgd 0.05; muon 0.02]"
    )
    momentum: Share | None = Field(default=None, description="momentum, only for sgd and muon [0.9]")
    rest: Literal["adamw", "sgd"] | None = Field(
        default=None, description="update rule of what muon leaves: first and last layer, biases, norms [muon adamw]"
    )
    rest_rate: Positive | None = Field(
        default=None, description="peak learning rate of what muon leaves [adamw 0.004; sgd 0.05]"
    )
    bias_rate: Positive = Field(default=1.0, description="factor on the learning rate of the shifts of batchnorm")
    weight_decay: NotNegative | None = Field(
        default=None, description="pull towards 0 of weights, not of biases and norms [adamw 0.05; sgd 0.0005; adam 0]"
    )
    l1: NotNegative = Field(default=0.0, description="L1 penalty on weights")
    max_norm: Positive | None = Field(default=None, description="largest L2 norm of a filter's weights")
    clip: Positive | None = Field(default=None, description="largest norm of the whole gradient")
    schedule: Literal["one-cycle", "triangular", "cosine", "constant"] = Field(
        default="one-cycle", description="course of the learning rate"
    )
    warmup: Share | None = Field(
        default=None, description="share of the training spent rising [one-cycle 0.15; triangular 0.23]"
    )
    batch: Count | None = Field(default=None, description="images for each update [auto]")
    init: Literal["auto", "he", "xavier", "normal", "uniform", "orthogonal", "dirac", "zero"] = Field(
        default="auto", description="initial weights; auto follows the activation behind each layer"
    )
    whiten: bool = Field(
        default=False, description="fix the filters of the first convolution so that they whiten the training images"
    )
    average: Literal["none", "ema", "lookahead"] = Field(
        default="none", description="average of the weights along the training, which is what is kept"
    )
    average_decay: Share | None = Field(
        default=None, description="share of the average that stays at each step [ema 0.999; lookahead 0.95]"
    )
    # What is shown
    flip: Literal["none", "horizontal", "vertical", "both", "alternating"] = Field(
        default="none", description="random mirroring; alternating: horizontal, each image in every other epoch"
    )
    shift: Pixels = Field(default=0, description="random shift by up to this many pixels")
    shift_fill: Literal["edge", "reflect", "zero"] | None = Field(
        default=None, description="what a shift leaves free is filled with: edge, reflection or black [edge]"
    )
    crop: Zoom = Field(default=1.0, description="random zoom: smallest share of each side")
    scale: Share = Field(default=0.0, description="random enlarging or shrinking by up to this share")
    rotate: Angle = Field(default=0.0, description="random rotation by up to this angle, °")
    color: Share = Field(
        default=0.0, description="random change of brightness, contrast and saturation by up to this share"
    )
    hue: Turn = Field(default=0.0, description="random turn of all colours by up to this share of the colour circle")
    randaugment: Operations = Field(
        default=0, description="RandAugment: random operations on each image, out of 14, 0 for none"
    )
    magnitude: Magnitude | None = Field(
        default=None, description="strength of the operations, 0 to 10, only for randaugment [randaugment 5]"
    )
    cutout: Pixels = Field(default=0, description="side of a random square that is blotted out, in pixels")
    mixup: Concentration = Field(
        default=0.0, description="MixUp: blend pairs of images and their labels by Beta(X, X), 1 for all shares alike"
    )
    cutmix: Concentration = Field(
        default=0.0, description="CutMix: paste a part of another image by Beta(X, X); labels shared by area"
    )
    mix_share: Part | None = Field(
        default=None, description="share of the images that mixup or cutmix mixes [mixup and cutmix 1]"
    )
    sizes: Literal["full", "progressive"] = Field(
        default="full", description="progressive: begin with smaller images, which cost less"
    )
    smallest_size: Zoom | None = Field(
        default=None, description="where the progressive sizes begin, as a share of each side [progressive 0.625]"
    )
    full_size_at: Share | None = Field(
        default=None, description="share of the training after which images are whole [progressive 0.6]"
    )
    tta: Literal["none", "flip", "shift", "flip-shift"] = Field(
        default="none", description="test-time augmentation: evaluate and predict by the mean over moved images"
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
    cache: Literal["auto", "memory", "disk", "stream"] = Field(
        default="auto", description="where decoded pixels are kept; stream: nowhere; auto: where they fit"
    )
    workers: Count | None = Field(default=None, description="processes that decode a stream [one for each processor]")
    # By which arithmetic
    device: Device = Field(
        default="auto", description="what computes: cpu, cuda, cuda:N or mps; auto is cuda where there is one, else cpu"
    )
    deterministic: bool = Field(
        default=False, description="on CUDA only kernels that give the same bits every time; the processor's always do"
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        default="auto", description="arithmetic; auto measures and checks bf16"
    )
    layout: Literal["auto", "channels-last", "contiguous"] = Field(
        default="auto", description="memory order of the maps"
    )
    rewrites: Literal["auto", "fused", "off"] = Field(
        default="auto",
        description="compute maximum pooling before ReLU, and in one step with it where that is measured to pay"
        " (fused: in any case): the same bits, faster",
    )
    threads: Count | None = Field(default=None, description="processor threads [auto]")
    compile: Literal["auto", "on", "off"] = Field(
        default="auto", description="torch.compile; auto tries it for long trainings"
    )
    probe: Literal["auto", "again", "off"] = Field(
        default="auto", description="measure what is left to auto, measure it again, or take the usual"
    )
    memory: Literal["auto", "system"] = Field(
        default="auto", description="keep freed memory while training, or leave that to the system"
    )
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
