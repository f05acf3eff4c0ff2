"""Plan: a recipe with every open question answered from the data, the network and the machine."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from striate.errors import UsageError
from striate.training.optimization import default_learning_rate, default_weight_decay

if TYPE_CHECKING:
    from striate.data import Dataset
    from striate.training.recipe import Recipe

__all__ = ["Plan", "available_processors", "batch_bounds", "make_plan"]

#: Training images shown altogether when neither epochs nor time are given, within these bounds on the epochs.
IMAGES_SHOWN = 300_000
FEWEST_EPOCHS, MOST_EPOCHS = 5, 40


@dataclass(frozen=True)
class Plan:
    """What training will do.

    Args:
        epochs: None when only the time ends it.
        seconds: time budget, None without.
        batch: images for each update.
        steps: updates in one epoch.
        learning_rate: peak.
        weight_decay: of weights.
        layout: memory order of the maps.
        threads: processor threads.
    """

    epochs: int | None
    seconds: float | None
    batch: int
    steps: int
    learning_rate: float
    weight_decay: float
    layout: torch.memory_format
    threads: int

    def as_dict(self) -> dict[str, object]:
        """The plan as JSON-ready data."""
        return {
            "epochs": self.epochs,
            "seconds": self.seconds,
            "batch": self.batch,
            "steps_per_epoch": self.steps,
            "learning_rate": self.learning_rate,
            "weight_decay": self.weight_decay,
            "layout": "channels-last" if self.layout == torch.channels_last else "contiguous",
            "threads": self.threads,
        }


def make_plan(recipe: Recipe, dataset: Dataset) -> Plan:
    """Resolve everything a recipe leaves open.

    Raises:
        UsageError: when an option can have no effect with this data or beside the other options.
    """
    count = len(dataset.train.images)
    _refuse_idle_options(recipe, dataset)
    epochs = recipe.epochs
    if epochs is None and recipe.time is None:
        epochs = min(max(round(IMAGES_SHOWN / count), FEWEST_EPOCHS), MOST_EPOCHS)
    batch = recipe.batch or min(max(2 ** round(math.log2(count / 50)) if count >= 50 else 16, 16), 128)
    size = min(dataset.train.images.shape[2:])
    if recipe.shift >= size:
        raise UsageError("the shift is as large as the image", where="shift", got=str(recipe.shift), needs=f"less than {size}")
    return Plan(
        epochs=epochs,
        seconds=recipe.time,
        batch=min(batch, count),
        steps=len(batch_bounds(count, min(batch, count))),
        learning_rate=default_learning_rate(recipe),
        weight_decay=default_weight_decay(recipe),
        layout=torch.contiguous_format if recipe.layout == "contiguous" else torch.channels_last,
        threads=recipe.threads or available_processors(),
    )


def batch_bounds(count: int, batch: int) -> list[tuple[int, int]]:
    """Where each batch starts and ends.

    No image is left out. A single image left over joins the batch before it: batch normalisation cannot take the
    variance of one.

    >>> batch_bounds(10, 4), batch_bounds(9, 4)
    ([(0, 4), (4, 8), (8, 10)], [(0, 4), (4, 9)])
    """
    starts = list(range(0, count, batch))
    if len(starts) > 1 and count - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], count], strict=True))


def available_processors() -> int:
    """Processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _refuse_idle_options(recipe: Recipe, dataset: Dataset) -> None:
    given = recipe.model_fields_set
    if "warmup" in given and recipe.schedule != "one-cycle":
        raise UsageError(f"warmup has no effect on the schedule {recipe.schedule}", where="warmup", write="no warmup")
    if recipe.early_stopping is not None and dataset.val is None:
        raise UsageError(
            "early stopping needs validation images, and there are none", where="early_stopping", write="val: 0.1"
        )
