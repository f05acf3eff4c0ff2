"""Options without effect are errors: nobody should believe in an option that did nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.errors import UsageError
from striate.training.augmentations.idle import refuse_idle_augmentation

if TYPE_CHECKING:
    from striate.data import Dataset
    from striate.training.recipe import Recipe

__all__ = ["DATA_OPTIONS", "refuse_idle_data_options", "refuse_idle_options"]

#: Recipe options that say how images are read, with the value that says nothing.
DATA_OPTIONS = {
    "val": None,
    "test": None,
    "size": None,
    "channels": None,
    "fit": None,
    "broken": "skip",
    "cache": "auto",
    "workers": None,
}


def refuse_idle_options(recipe: Recipe, dataset: Dataset, epochs: int | None) -> None:
    """Refuse what can have no effect with these images or beside the other options.

    Args:
        recipe: as given.
        dataset: what is trained on.
        epochs: how many will be trained; None when only the time ends the training.

    Raises:
        UsageError: names the option and what to write.
    """
    if recipe.momentum is not None and recipe.optimizer not in ("sgd", "muon"):
        raise UsageError(
            f"momentum has no effect on {recipe.optimizer}",
            where="momentum",
            got=f"momentum: {recipe.momentum:g}",
            needs="optimizer: sgd or muon",
            write="optimizer: sgd, or no momentum",
        )
    if recipe.warmup is not None and recipe.schedule not in ("one-cycle", "triangular"):
        raise UsageError(
            f"warmup has no effect on the schedule {recipe.schedule}",
            where="warmup",
            got=f"warmup: {recipe.warmup:g}",
            needs="schedule: one-cycle or triangular",
            write="schedule: one-cycle, or no warmup",
        )
    if recipe.early_stopping is not None:
        _check_patience(recipe.early_stopping, dataset, epochs)
    refuse_idle_augmentation(recipe, dataset, epochs)


def refuse_idle_data_options(recipe: Recipe) -> None:
    """Refuse options on reading images when the images are already loaded.

    Raises:
        UsageError: names the option.
    """
    for option, nothing in DATA_OPTIONS.items():
        value = getattr(recipe, option)
        if value != nothing:
            raise UsageError(
                f"{option} has no effect on images that are already loaded",
                where=option,
                got=f"{option}: {value}",
                needs="the name of a source, which is then read with it",
                write=f"no {option}",
            )


def _check_patience(patience: int, dataset: Dataset, epochs: int | None) -> None:
    if dataset.val is None:
        raise UsageError(
            "early stopping needs validation images, and there are none",
            where="early_stopping",
            got=f"early_stopping: {patience}",
            write="val: 0.1, or no early_stopping",
        )
    # The first epoch is better than nothing, and after the last one training ends anyway.
    if epochs is not None and patience >= epochs - 1:
        raise UsageError(
            f"early stopping can have no effect within {epochs} epochs",
            where="early_stopping",
            got=f"early_stopping: {patience}",
            needs=f"fewer than {epochs - 1} epochs of patience" if epochs > 2 else "more epochs",
            write="more epochs, less patience, or no early_stopping",
        )
