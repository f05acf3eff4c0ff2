"""Course: what changes as a training goes on. Everything follows from the share of it that is behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from striate.training.first_layer import FirstLayer
from striate.training.progressive import ImageSizes
from striate.training.schedule import make_schedule

if TYPE_CHECKING:
    from striate.training.job import Job

__all__ = ["Course"]


class Course:
    """The learning rates, what of the first layer is trained, and the size of the images.

    Args:
        job: what is trained, and how.
        optimizer: of the network; its groups say in ``factor`` how many times the learning rate is theirs.
    """

    def __init__(self, job: Job, optimizer: torch.optim.Optimizer) -> None:
        self._peak, self._schedule = job.plan.learning_rate, make_schedule(job.recipe)
        self._groups = optimizer.param_groups
        self._first = FirstLayer(job.module, job.graph) if job.recipe.whiten else None
        self._sizes = ImageSizes(job.recipe) if job.recipe.sizes == "progressive" else None
        self._progress = 0.0

    def follow(self, progress: float) -> float:
        """Set everything for a step that begins at this share of the training, 0..1; the learning rate."""
        self._progress = progress
        rate = self._peak * self._schedule(progress)
        for group in self._groups:
            group["lr"] = rate * group["factor"]
        if self._first is not None:
            self._first.follow(progress)
        return rate

    def sized(self, images_bchw: torch.Tensor) -> torch.Tensor:
        """The images in the size of this step."""
        return images_bchw if self._sizes is None else self._sizes.resized(images_bchw, self._progress)
