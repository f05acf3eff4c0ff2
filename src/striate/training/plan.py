"""Plan: a recipe with every open question answered from the data, the network and the machine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from striate.errors import UsageError
from striate.graph import Graph
from striate.graph.layers.normalization import BatchNorm
from striate.training.devices import CPU, find_device
from striate.training.idle_options import refuse_idle_options
from striate.training.idle_tricks import refuse_idle_tricks
from striate.training.inputs import layout_name, memory_layout
from striate.training.memory_room import room_for
from striate.training.optimization import default_learning_rate, default_weight_decay
from striate.training.processors import default_threads

if TYPE_CHECKING:
    from striate.data import Dataset
    from striate.training.recipe import Recipe

__all__ = ["Plan", "batch_bounds", "make_plan"]

#: A mean or deviation of target values beyond this is said to be far away.
FAR = 10.0
#: Training images shown altogether when neither epochs nor time are given, within these bounds on the epochs.
IMAGES_SHOWN = 300_000
FEWEST_EPOCHS, MOST_EPOCHS = 5, 40


@dataclass(frozen=True)
class Plan:
    """What training will do.

    Args:
        epochs: whole or not; None when only the time ends it.
        seconds: time budget, None without.
        batch: images for each update.
        steps: updates in one epoch.
        learning_rate: peak.
        weight_decay: of weights.
        layout: memory order of the maps.
        threads: processor threads.
        notes: what was asked and could not be had, and what will go badly, one sentence each.
        parts: in how many parts the images of an update are computed; more than one where memory is short.
        device: what computes.
    """

    epochs: float | None
    seconds: float | None
    batch: int
    steps: int
    learning_rate: float
    weight_decay: float
    layout: torch.memory_format
    threads: int
    notes: tuple[str, ...] = ()
    parts: int = 1
    device: torch.device = CPU

    @property
    def total_steps(self) -> int | None:
        """Updates in the whole training; None when only the time ends it."""
        return None if self.epochs is None else max(round(self.epochs * self.steps), 1)

    @property
    def whole_epochs(self) -> int | None:
        """Epochs that are begun; the last of them may be cut short. None when only the time ends it."""
        return None if self.total_steps is None else -(-self.total_steps // self.steps)

    def steps_in(self, epoch: int) -> int:
        """Updates in an epoch, counted from 1."""
        if self.total_steps is None:
            return self.steps
        return min(self.steps, self.total_steps - (epoch - 1) * self.steps)

    def as_dict(self) -> dict[str, object]:
        """The plan as JSON-ready data."""
        return {
            "epochs": self.epochs,
            "seconds": self.seconds,
            "batch": self.batch,
            "steps_per_epoch": self.steps,
            "learning_rate": self.learning_rate,
            "weight_decay": self.weight_decay,
            "layout": layout_name(self.layout),
            "threads": self.threads,
            **({"parts": self.parts} if self.parts > 1 else {}),
            "device": str(self.device),
        }


def make_plan(recipe: Recipe, graph: Graph, dataset: Dataset) -> Plan:
    """Resolve everything a recipe leaves open.

    Raises:
        UsageError: when an option can have no effect with these images or beside the other options, when the batch
            is too small for the network, or when there is no such device.
    """
    count, device = len(dataset.train), find_device(recipe.device)
    epochs = recipe.epochs
    if epochs is None and recipe.time is None:
        epochs = min(max(round(IMAGES_SHOWN / count), FEWEST_EPOCHS), MOST_EPOCHS)
    refuse_idle_options(recipe, dataset, None if epochs is None else math.ceil(epochs))
    refuse_idle_tricks(recipe, graph, dataset)
    batch = min(recipe.batch or _usual_batch(count), count)
    room = room_for(graph, recipe, batch, device, dataset.train.images.nbytes)
    asked = room.batch
    bounds = batch_bounds(count, min(asked, count))
    _check_batch_normalization(graph, min(end - start for start, end in bounds))
    notes: tuple[str, ...] = ()
    if recipe.batch is not None and recipe.batch > count:
        notes = (f"a batch of {recipe.batch} was asked for; there are {count} training images, and all are one batch",)
    notes += (*room.notes, *_far_values(dataset))
    return Plan(
        epochs=epochs,
        seconds=recipe.time,
        batch=min(asked, count),
        steps=len(bounds),
        learning_rate=default_learning_rate(recipe),
        weight_decay=default_weight_decay(recipe),
        layout=_usual_layout(recipe, device),
        threads=recipe.threads or default_threads(),
        notes=notes,
        parts=room.parts,
        device=device,
    )


def _usual_layout(recipe: Recipe, device: torch.device) -> torch.memory_format:
    """Channels last; but not on MPS, where it has given wrong numbers."""
    contiguous = recipe.layout == "contiguous" or (recipe.layout == "auto" and device.type == "mps")
    return memory_layout("contiguous" if contiguous else "channels-last")


def _far_values(dataset: Dataset) -> tuple[str, ...]:
    """A network begins with outputs around 0 and moves them by about the learning rate a step: it never gets far."""
    if dataset.task != "values":
        return ()
    labels = dataset.train.labels.astype(np.float64)
    return tuple(
        f"the values of {name!r} (mean {mean:.4g}, deviation {std:.4g}) are far from the scale on which networks learn;"
        " write them as (value - mean) / deviation"
        for name, mean, std in zip(dataset.classes, labels.mean(axis=0), labels.std(axis=0), strict=True)
        if abs(mean) > FAR or std > FAR
    )


def _usual_batch(count: int) -> int:
    """About 50 updates an epoch, by powers of two within 16..128."""
    return min(max(2 ** round(math.log2(count / 50)) if count >= 50 else 16, 16), 128)


def batch_bounds(count: int, batch: int) -> list[tuple[int, int]]:
    """Where each batch starts and ends.

    No image is left out. A single image left over joins the batch before it: batch normalisation cannot take the
    variance of one.

    >>> batch_bounds(10, 4), batch_bounds(9, 4)
    ([(0, 4), (4, 8), (8, 10)], [(0, 4), (4, 9)])
    """
    starts = list(range(0, count, batch))
    if batch > 1 and len(starts) > 1 and count - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], count], strict=True))


def _check_batch_normalization(graph: Graph, smallest: int) -> None:
    """A single image has a variance only where its map has several positions."""
    if smallest > 1:
        return
    for node in graph.nodes:
        if isinstance(node.layer, BatchNorm) and math.prod(graph.shapes[node.name][1:]) == 1:
            raise UsageError(
                f"the batch normalisation {node.name!r} needs two images or more in a batch",
                where="batch",
                got="a batch of 1, and one position in each channel: there is no variance of one number",
                needs="at least 2 images in each batch",
                write="batch: 2",
            )
