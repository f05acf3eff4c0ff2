"""Evaluation: a network's outputs on a split, and the numbers that follow from them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from striate.data.image_source import stretches
from striate.runs.interval import wilson_interval
from striate.runs.records import ClassScore, Evaluation, Preprocessing, Task
from striate.training.devices import device_of, moved
from striate.training.inputs import to_input, to_tensor
from striate.training.seen_again import averaged_outputs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from striate.data import Split
    from striate.data.image_source import ImageSource
    from striate.graph import Graph
    from striate.training.losses import Loss

__all__ = [
    "evaluate_outputs",
    "images_at_once",
    "loss_and_accuracy",
    "network_outputs",
    "tags_said",
    "to_probabilities",
]

#: Images looked at together at most, and the memory that their two largest maps may take.
MOST_IMAGES, MOST_BYTES = 256, 256 * 1024**2


def images_at_once(graph: Graph) -> int:
    """How many images a network looks at together, so that large images and wide layers fit into memory.

    While a layer is computed its input and its output are held, so the two largest maps of the network count.

    >>> from striate.graph import network
    >>> images_at_once(network("wide", (3, 512, 512)).conv(64, 3, padding="same").relu().globalavgpool().build())
    2
    """
    largest = sorted(math.prod(shape) for shape in graph.shapes.values())[-2:]
    return max(1, min(MOST_IMAGES, MOST_BYTES // (4 * sum(largest))))


def network_outputs(
    module: nn.Module,
    images: ImageSource,
    preprocessing: Preprocessing,
    layout: torch.memory_format,
    at_once: int,
    views: str = "none",
) -> torch.Tensor:
    """The raw outputs for every image, in fp32 and eval mode; the module's mode is put back.

    Args:
        module: takes (batch, channels, height, width); on any device.
        images: (count, channels, height, width) uint8; those of a stream are decoded as they are needed.
        preprocessing: of the run.
        layout: memory order of the maps.
        at_once: images looked at together; see :func:`images_at_once`.
        views: test-time augmentation, a key of :data:`striate.training.seen_again.VIEWS`.

    Returns:
        (count, outputs) float32, on the processor.
    """
    was_training, device = module.training, device_of(module)
    module.eval()
    try:
        with torch.inference_mode(), torch.autocast(device.type, enabled=False):
            parts = []
            for stretch in stretches(images, at_once):
                some = moved(to_tensor(stretch), device)
                parts.append(averaged_outputs(module, to_input(some, preprocessing, layout), views).float())
        return torch.cat(parts).cpu()
    finally:
        module.train(was_training)


def to_probabilities(outputs: torch.Tensor, task: Task) -> torch.Tensor:
    """Softmax for classes, sigmoid for tags, the numbers themselves for values."""
    if task == "classes":
        return outputs.softmax(dim=1)
    return outputs.sigmoid() if task == "tags" else outputs


def tags_said(outputs: torch.Tensor) -> torch.Tensor:
    """Which tags an image is said to have: those more probable than not. Raw outputs (count, tags) → bool."""
    return outputs > 0


def loss_and_accuracy(outputs: torch.Tensor, split: Split, task: Task, loss: Loss) -> tuple[float, float | None]:
    """The mean loss, and the share of the images that are right in every respect; None for values."""
    value = float(loss(outputs, to_tensor(split.labels)))
    return value, None if task == "values" else _hits(outputs, split) / len(split)


def _hits(outputs: torch.Tensor, split: Split) -> int:
    labels = to_tensor(split.labels)
    if labels.ndim == 1:
        return int((outputs.argmax(dim=1) == labels).sum())
    return int((tags_said(outputs) == labels.bool()).all(dim=1).sum())


def evaluate_outputs(
    outputs: torch.Tensor, split: Split, name: str, task: Task, classes: tuple[str, ...], loss: Loss
) -> Evaluation:
    """Loss, accuracy with its 95 % interval, confusion matrix and per-class scores; for values RMSE and MAE.

    Args:
        outputs: (count, outputs) float32, raw.
        split: with the labels.
        name: of the split.
        task: what the labels are.
        classes: names of the outputs.
        loss: as in training.
    """
    value, accuracy = loss_and_accuracy(outputs, split, task, loss)
    confusion = None
    scores: tuple[ClassScore, ...] = ()
    rmse = mae = None
    if task == "values":
        error = outputs.double().numpy() - split.labels
        rmse, mae = math.sqrt(float(np.mean(error**2))), float(np.mean(np.abs(error)))
    elif task == "classes":
        matrix = np.zeros((len(classes), len(classes)), dtype=np.int64)
        np.add.at(matrix, (split.labels, outputs.argmax(dim=1).numpy()), 1)
        confusion = tuple(tuple(row) for row in matrix.tolist())
        scores = _class_scores(classes, np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0))
    else:
        said, there = tags_said(outputs).numpy(), split.labels.astype(bool)
        scores = _class_scores(classes, (said & there).sum(axis=0), there.sum(axis=0), said.sum(axis=0))
    return Evaluation(
        split=name,
        task=task,
        classes=classes,
        count=len(split),
        loss=value,
        accuracy=accuracy,
        interval=None if accuracy is None else wilson_interval(_hits(outputs, split), len(split)),
        confusion=confusion,
        per_class=scores,
        rmse=rmse,
        mae=mae,
    )


def _class_scores(
    classes: tuple[str, ...], right: NDArray[Any], there: NDArray[Any], said: NDArray[Any]
) -> tuple[ClassScore, ...]:
    """Precision, recall and F1 of each class from its counts; None where a share is of nothing.

    scikit-learn would take most of a second to import for three divisions.
    """
    return tuple(
        ClassScore(
            name=name,
            count=true,
            precision=hits / answers if answers else None,
            recall=hits / true if true else None,
            f1=2 * hits / (true + answers) if true + answers else None,
        )
        for name, hits, true, answers in zip(classes, right.tolist(), there.tolist(), said.tolist(), strict=True)
    )
