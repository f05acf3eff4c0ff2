"""Losses: what training minimises, from the network's raw outputs and the labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from striate.errors import UsageError, near_miss

if TYPE_CHECKING:
    from striate.training.recipe import Recipe

__all__ = ["LOSS_OF_TASK", "Loss", "make_loss"]


@dataclass(frozen=True, eq=False)
class Loss:
    """What training minimises.

    Args:
        mean: from (outputs, labels) to one number, the mean over the batch.
        class_weights: (classes,), where the mean is one by these weights; None where every image counts alike.
    """

    mean: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    class_weights: torch.Tensor | None = None

    def __call__(self, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The mean over a batch."""
        return self.mean(outputs, labels)

    def weight(self, labels: torch.Tensor) -> float:
        """What a batch weighs in a mean over several: its images, or the sum of their classes' weights."""
        if self.class_weights is None:
            return float(len(labels))
        return float(self.class_weights.to(labels.device)[labels].sum(dtype=torch.float64))


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

        def cross_entropy(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            factors = None if weights is None else weights.to(outputs)
            return F.cross_entropy(outputs, labels, factors, label_smoothing=smoothing)

        return name, Loss(cross_entropy, weights)
    measure = F.mse_loss if name == "mse" else F.binary_cross_entropy_with_logits
    if task == "classes":
        size = len(classes)
        return name, Loss(lambda outputs, labels: measure(outputs, F.one_hot(labels, size).to(outputs)))
    return name, Loss(lambda outputs, labels: measure(outputs, labels.to(outputs)))


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
