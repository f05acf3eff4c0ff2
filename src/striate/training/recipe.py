"""Recipe: everything that decides how a network is trained, with defaults that need no option.

A recipe comes from a YAML file, from flags or from Python; whatever is left at ``auto`` (None) is resolved by
:mod:`striate.training.plan` once network and data are known.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from striate.errors import UsageError, near_miss

__all__ = ["Recipe", "make_recipe", "parse_duration", "read_recipe"]

#: A recipe file larger than this is not a recipe.
MOST_BYTES = 1 << 20

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(value: object) -> object:
    """Seconds from ``90``, ``90s``, ``10m`` or ``1.5h``; anything else is handed on for pydantic to refuse.

    >>> parse_duration("10m")
    600.0
    """
    if isinstance(value, str) and value and value[-1] in _UNITS:
        try:
            return float(value[:-1]) * _UNITS[value[-1]]
        except ValueError:
            return value
    return value


Share = Annotated[float, Field(ge=0.0, lt=1.0)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, BeforeValidator(parse_duration), Field(gt=0.0, allow_inf_nan=False)]


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
    class_weights: Literal["balanced"] | dict[str, Positive] | None = Field(
        default=None, description="'balanced', or a weight for each class (cross-entropy)"
    )
    # How it is minimised
    optimizer: Literal["adamw", "adam", "sgd"] = Field(default="adamw", description="update rule")
    learning_rate: Positive | None = Field(default=None, description="peak learning rate [adam, adamw 0.002; sgd 0.05]")
    momentum: Share = Field(default=0.9, description="momentum (sgd)")
    weight_decay: NotNegative | None = Field(
        default=None, description="pull towards 0 of weights, not of biases and norms [adamw 0.01; sgd 0.0005; adam 0]"
    )
    l1: NotNegative = Field(default=0.0, description="L1 penalty on weights")
    max_norm: Positive | None = Field(default=None, description="largest L2 norm of a filter's weights")
    clip: Positive | None = Field(default=None, description="largest norm of the whole gradient")
    schedule: Literal["one-cycle", "cosine", "constant"] = Field(
        default="one-cycle", description="course of the learning rate"
    )
    warmup: Share = Field(default=0.25, description="share of the training spent rising (one-cycle)")
    batch: Count | None = Field(default=None, description="images for each update [auto]")
    init: Literal["auto", "he", "xavier", "normal", "uniform", "orthogonal", "zero"] = Field(
        default="auto", description="initial weights; auto follows the activation behind each layer"
    )
    # What is shown
    flip: Literal["none", "horizontal", "vertical", "both"] = Field(default="none", description="random mirroring")
    shift: Annotated[int, Field(ge=0)] = Field(default=0, description="random shift by up to this many pixels")
    crop: Annotated[float, Field(gt=0.0, le=1.0)] = Field(
        default=1.0, description="random zoom: smallest share of each side"
    )
    rotate: Annotated[float, Field(ge=0.0, le=180.0)] = Field(
        default=0.0, description="random rotation by up to this angle, °"
    )
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
    size: str | None = Field(default=None, description="image size such as 32 or 24x48 [the images' own]")
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
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(default=0, description="seed of everything random")

    def as_dict(self) -> dict[str, Any]:
        """The recipe as JSON-ready data, every option included."""
        return self.model_dump(mode="json")


def make_recipe(options: dict[str, Any], *, where: str = "recipe") -> Recipe:
    """A recipe from named options.

    Raises:
        UsageError: for an unknown option (with a near miss) or an impossible value.
    """
    known = list(Recipe.model_fields)
    for name, value in options.items():
        if name not in known:
            raise UsageError(
                f"there is no option {name!r}",
                where=where,
                got=f"{name}: {value}",
                needs=f"one of {', '.join(known)}",
                write=near_miss(str(name), known),
            )
    try:
        return Recipe(**options)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise UsageError(
            f"the option {name!r} cannot have this value",
            where=where,
            got=f"{name}: {options.get(name)!r}",
            needs=first["msg"][0].lower() + first["msg"][1:],
        ) from None


def read_recipe(path: Path | str, flags: dict[str, Any] | None = None) -> Recipe:
    """A recipe from a YAML file, with ``flags`` winning over it.

    Raises:
        UsageError: when the file is missing, too large, not YAML or not a recipe.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    path = Path(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise UsageError("too large for a recipe", where=str(path), needs=f"at most {MOST_BYTES} bytes")
        options = YAML(typ="safe", pure=True).load(data.decode())
    except OSError as error:
        raise UsageError("the recipe cannot be read", where=str(path), got=error.strerror or str(error)) from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise UsageError("the recipe is not YAML", where=str(path), got=str(error).split("\n")[0]) from None
    if options is None:
        options = {}
    if not isinstance(options, dict):
        raise UsageError("a recipe is a list of options", where=str(path), got=str(options)[:80], write="epochs: 10")
    return make_recipe({**options, **(flags or {})}, where=str(path))
