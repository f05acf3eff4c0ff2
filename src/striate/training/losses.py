"""Losses: what training minimises, from the network's raw outputs and the labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from striate.errors import UsageError, near_miss

if TYPE_CHECKING:
    from striate.training.recipe import Recipe

__all__ = ["LOSS_OF_TASK", "Loss", "make_loss"]

#: From (outputs, labels) to one number, the mean over the batch.
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

LOSS_OF_TASK = {"classes": "cross-entropy", "tags": "binary-cross-entropy", "values": "mse"}


def make_loss(recipe: Recipe, task: str, classes: tuple[str, ...], counts: dict[str, int]) -> tuple[str, Loss]:
    """The loss a recipe asks for, or the one that fits the task.

    Cross-entropy takes logits ``(batch, classes)`` and class indices. Mean squared error and binary cross-entropy
    with classes take one 1 among 0s as their target. With tags the labels are 0 or 1, with values numbers.

    Args:
        recipe: its ``loss``, ``label_smoothing`` and ``class_weights`` count here.
        task: ``classes``, ``tags`` or ``values``.
        classes: the names of the outputs.
        counts: training images of each class, for balanced weights.

    Raises:
        UsageError: when the loss does not fit the task, or an option has no effect on it.
    """
    name = LOSS_OF_TASK[task] if recipe.loss == "auto" else recipe.loss
    if name == "cross-entropy" and task != "classes":
        raise UsageError(
            f"cross-entropy needs one class for each image, and these images have {task}",
            where="loss",
            got=name,
            write=f"loss: {LOSS_OF_TASK[task]}",
        )
    if name == "binary-cross-entropy" and task == "values":
        raise UsageError("binary cross-entropy needs labels of 0 and 1", where="loss", got=name, write="loss: mse")
    if name != "cross-entropy":
        for option in ("label_smoothing", "class_weights"):
            if getattr(recipe, option):
                raise UsageError(
                    f"{option} has no effect on {name}", where=option, needs="loss: cross-entropy", write=f"no {option}"
                )
    if name == "cross-entropy":
        weights = _class_weights(recipe, classes, counts)
        smoothing = recipe.label_smoothing
        return name, lambda outputs, labels: F.cross_entropy(
            outputs, labels, None if weights is None else weights.to(outputs), label_smoothing=smoothing
        )
    measure = F.mse_loss if name == "mse" else F.binary_cross_entropy_with_logits
    if task == "classes":
        size = len(classes)
        return name, lambda outputs, labels: measure(outputs, F.one_hot(labels, size).to(outputs))
    return name, lambda outputs, labels: measure(outputs, labels.to(outputs))


def _class_weights(recipe: Recipe, classes: tuple[str, ...], counts: dict[str, int]) -> torch.Tensor | None:
    """``balanced``: images / (classes · images of the class), as scikit-learn has it."""
    if recipe.class_weights is None:
        return None
    if recipe.class_weights == "balanced":
        total = sum(counts.values())
        return torch.tensor([total / (len(classes) * max(counts[name], 1)) for name in classes], device="cpu")
    unknown = [name for name in recipe.class_weights if name not in classes]
    if unknown:
        raise UsageError(
            f"class_weights names {unknown[0]!r}, and there is no such class",
            where="class_weights",
            got=f"{unknown[0]}: {recipe.class_weights[unknown[0]]:g}",
            needs=f"some of {', '.join(classes)}; classes left out weigh 1",
            write=near_miss(unknown[0], classes),
        )
    return torch.tensor([recipe.class_weights.get(name, 1.0) for name in classes], device="cpu")
