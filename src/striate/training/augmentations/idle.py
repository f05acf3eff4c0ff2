"""Augmentation that would change nothing, or make no sense, is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.errors import UsageError

if TYPE_CHECKING:
    from striate.data import Dataset
    from striate.training.recipe import Recipe

__all__ = ["refuse_idle_augmentation"]

#: Options that say how another one works, with those that give them an effect.
_NEEDS = {"shift_fill": ("shift",), "magnitude": ("randaugment",), "mix_share": ("mixup", "cutmix")}

#: What to write to have an effect.
_WRITE = {"shift": "shift: 2", "randaugment": "randaugment: 2", "mixup": "mixup: 0.2", "cutmix": "cutmix: 1"}


def refuse_idle_augmentation(recipe: Recipe, dataset: Dataset, epochs: int | None) -> None:
    """Refuse what can have no effect on these images or beside the other options.

    Args:
        recipe: as given.
        dataset: what is trained on.
        epochs: how many will be trained; None when only the time ends the training.

    Raises:
        UsageError: names the option and what to write.
    """
    for option, others in _NEEDS.items():
        value = getattr(recipe, option)
        if value is not None and not any(getattr(recipe, other) for other in others):
            raise UsageError(
                f"{option} has no effect without {' or '.join(others)}",
                where=option,
                got=f"{option}: {value}",
                write=f"{_WRITE[others[0]]}, or no {option}",
            )
    if recipe.flip == "alternating" and epochs == 1:
        raise UsageError(
            "alternating flips need a second epoch; in one they are random flips",
            where="flip",
            got="flip: alternating, with 1 epoch",
            write="flip: horizontal, or epochs: 2",
        )
    smaller = min(dataset.shape[1:])
    for option, name in (("shift", "shift"), ("cutout", "square to cut out")):
        if (pixels := getattr(recipe, option)) >= smaller:
            raise UsageError(
                f"the {name} is as large as the image", where=option, got=str(pixels), needs=f"less than {smaller}"
            )
    if recipe.hue and dataset.shape[0] != 3:
        raise UsageError(
            "hue has no effect on images without colour",
            where="hue",
            got=f"images with {dataset.shape[0]} channel{'s' if dataset.shape[0] > 1 else ''}",
            needs="3 channels",
            write="no hue; color changes brightness and contrast of any image",
        )
    for option in ("mixup", "cutmix"):
        if getattr(recipe, option):
            _check_mixing(option, dataset)


def _check_mixing(option: str, dataset: Dataset) -> None:
    if dataset.task == "values":
        raise UsageError(
            f"{option} mixes classes or tags, and these images have values",
            where=option,
            got="values, which need not lie between those of two images when the pixels do",
            write=f"no {option}",
        )
    if len(dataset.train) < 2:
        raise UsageError(
            f"{option} has no effect on a single image", where=option, needs="2 training images", write=f"no {option}"
        )
