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

__all__ = ["LOSS_OF_TASK", "Loss", "larger_share", "make_loss"]


@dataclass(frozen=True, eq=False)
class Loss:
    """What training minimises.

    Args:
        mean: from (outputs, labels) to one number, the mean over the batch. Labels of mixed images are shares of the
            classes or tags, float32 (batch, outputs).
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
        weights = self.class_weights.to(labels.device)
        of_images = labels.to(weights) @ weights if labels.is_floating_point() else weights[labels]
        # On the processor, because MPS has no float64.
        return float(of_images.cpu().sum(dtype=torch.float64))


def larger_share(target: torch.Tensor) -> torch.Tensor:
    """The class that an image's accuracy is counted against while it is trained on.

    For mixed images that is the class with the larger share, the first of equals: to be right about the part that is
    hardly seen would be no merit. Class indices stay as they are.

    >>> larger_share(torch.tensor([[0.25, 0.75, 0.0]])).tolist(), larger_share(torch.tensor([2])).tolist()
    ([1], [2])
    """
    return target.argmax(dim=1) if target.is_floating_point() else target


LOSS_OF_TASK = {"classes": "cross-entropy", "tags": "binary-cross-entropy", "values": "mse"}


def make_loss(recipe: Recipe, task: str, classes: tuple[str, ...], counts: dict[str, int]) -> tuple[str, Loss]:
    """The loss a recipe asks for, or the one that fits the task.

    Cross-entropy takes logits ``(batch, classes)`` and class indices, or the shares of the classes in mixed images
    (float, rows that sum to 1): ``Σ w·y·(-log p) / Σ w·y`` over images and classes, which for one 1 among 0s is the
    same as for the index. Mean squared error and binary cross-entropy with classes take one 1 among 0s as their target,
    or the shares. With tags the labels are 0 or 1, with values numbers.

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
            if not labels.is_floating_point():
                return F.cross_entropy(outputs, labels, factors, label_smoothing=smoothing)
            # For shares torch divides by the number of images whatever their classes weigh.
            shares = labels.to(outputs)
            total = F.cross_entropy(outputs, shares, factors, reduction="sum", label_smoothing=smoothing)
            return total / (len(shares) if factors is None else (shares @ factors).sum())

        return name, Loss(cross_entropy, weights)
    measure = F.mse_loss if name == "mse" else F.binary_cross_entropy_with_logits
    if task == "classes":
        size = len(classes)

        def against_shares(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            shares = labels if labels.is_floating_point() else F.one_hot(labels, size)
            return measure(outputs, shares.to(outputs))

        return name, Loss(against_shares)
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
