"""Evaluation: a network's outputs on a split, and the numbers that follow from them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from striate.data import Split
from striate.runs.interval import wilson_interval
from striate.runs.records import ClassScore, Evaluation, Preprocessing, Task
from striate.training.inputs import to_input

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from striate.training.losses import Loss

__all__ = ["evaluate_outputs", "network_outputs", "to_probabilities"]

#: Images looked at together; large enough to be fast, small enough for big images on small machines.
BATCH = 256


def network_outputs(
    module: nn.Module, images: NDArray[np.uint8], preprocessing: Preprocessing, layout: torch.memory_format
) -> torch.Tensor:
    """The raw outputs for every image, in fp32 and eval mode; the module's mode is put back.

    Args:
        module: takes (batch, channels, height, width).
        images: (count, channels, height, width) uint8.
        preprocessing: of the run.
        layout: memory order of the maps.

    Returns:
        (count, outputs) float32.
    """
    was_training = module.training
    module.eval()
    try:
        with torch.inference_mode():
            parts = [
                module(
                    to_input(torch.from_numpy(images[start : start + BATCH]), preprocessing).to(memory_format=layout)
                )
                for start in range(0, len(images), BATCH)
            ]
        return torch.cat(parts).float()
    finally:
        module.train(was_training)


def to_probabilities(outputs: torch.Tensor, task: Task) -> torch.Tensor:
    """Softmax for classes, sigmoid for tags, the numbers themselves for values."""
    if task == "classes":
        return outputs.softmax(dim=1)
    return outputs.sigmoid() if task == "tags" else outputs


def evaluate_outputs(
    outputs: torch.Tensor, split: Split, name: str, task: Task, classes: tuple[str, ...], loss: Loss
) -> Evaluation:
    """Loss, accuracy with its 95 % interval, confusion matrix and per-class scores.

    Args:
        outputs: (count, outputs) float32, raw.
        split: with the labels.
        name: of the split.
        task: what the labels are.
        classes: names of the outputs.
        loss: as in training.
    """
    labels = torch.from_numpy(split.labels)
    value = float(loss(outputs, labels))
    count = len(split.labels)
    if task == "values":
        error = (outputs - labels).numpy()
        return Evaluation(
            split=name,
            task=task,
            classes=classes,
            count=count,
            loss=value,
            accuracy=None,
            interval=None,
            confusion=None,
            per_class=(),
            rmse=math.sqrt(float(np.mean(error**2))),
            mae=float(np.mean(np.abs(error))),
        )
    confusion = None
    if task == "classes":
        predicted, truth = outputs.argmax(dim=1).numpy(), split.labels
        hits = int((predicted == truth).sum())
        matrix = np.zeros((len(classes), len(classes)), dtype=np.int64)
        np.add.at(matrix, (truth, predicted), 1)
        confusion = tuple(tuple(int(cell) for cell in row) for row in matrix)
    else:
        predicted, truth = (outputs > 0).numpy().astype(np.uint8), split.labels
        hits = int((predicted == truth).all(axis=1).sum())
    return Evaluation(
        split=name,
        task=task,
        classes=classes,
        count=count,
        loss=value,
        accuracy=hits / count,
        interval=wilson_interval(hits, count),
        confusion=confusion,
        per_class=_class_scores(truth, predicted, classes),
    )


def _class_scores(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], classes: tuple[str, ...]
) -> tuple[ClassScore, ...]:
    """Precision, recall and F1 by scikit-learn; None where nothing was said or nothing was there."""
    from sklearn.metrics import precision_recall_fscore_support

    labels = range(len(classes)) if truth.ndim == 1 else None
    rows = precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=np.nan)
    return tuple(
        ClassScore(
            name=name,
            count=int(count),
            precision=_share(precision),
            recall=_share(recall),
            f1=_share(f1),
        )
        for name, precision, recall, f1, count in zip(classes, *rows, strict=True)
    )


def _share(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
