"""The bookkeeping of a training: how far it has come, running means, and which epoch was best."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import torch

from striate.training.events import EpochDone, StepDone

if TYPE_CHECKING:
    from striate.training.plan import Plan

__all__ = ["Best", "Clock", "Meter"]


class Clock:
    """How far the training has come, in steps and in time."""

    def __init__(self, plan: Plan, steps_per_epoch: int) -> None:
        self._plan = plan
        self._total = None if plan.epochs is None else plan.epochs * steps_per_epoch
        self._start = time.perf_counter()
        self.steps = 0
        self.images = 0

    def tick(self, images: int) -> None:
        """Count one step."""
        self.steps += 1
        self.images += images

    @property
    def seconds(self) -> float:
        """Since training began."""
        return time.perf_counter() - self._start

    @property
    def expired(self) -> bool:
        """Whether the time budget is used up."""
        return self._plan.seconds is not None and self.seconds >= self._plan.seconds

    def progress(self) -> float:
        """Share of the training behind us, 0..1: by steps, by time, or the larger of both."""
        by_steps = 0.0 if self._total is None else self.steps / self._total
        by_time = 0.0 if self._plan.seconds is None else self.seconds / self._plan.seconds
        return min(max(by_steps, by_time), 1.0)

    def seconds_left(self) -> float:
        """Estimated from the steps so far."""
        left = math.inf if self._plan.seconds is None else self._plan.seconds - self.seconds
        if self._total is not None and self.steps:
            left = min(left, self.seconds / self.steps * (self._total - self.steps))
        return max(left, 0.0)


class Meter:
    """Running means of one epoch."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._loss = 0.0
        self._right = 0
        self._images = 0
        self._start = time.perf_counter()

    def add(self, loss: float, outputs: torch.Tensor, target: torch.Tensor) -> None:
        """Count one batch: its mean loss, raw outputs and labels."""
        count = len(target)
        self._loss += loss * count
        self._images += count
        if self._task == "classes":
            self._right += int((outputs.detach().argmax(dim=1) == target).sum())
        self._seconds = time.perf_counter() - self._start

    @property
    def _accuracy(self) -> float | None:
        return self._right / self._images if self._task == "classes" else None

    def step_done(self, epoch: int, step: int, steps: int, clock: Clock) -> StepDone:
        """The epoch so far, told after a step."""
        speed = self._images / self._seconds
        return StepDone(epoch, step, steps, self._loss / self._images, self._accuracy, speed, clock.seconds_left())

    def epoch_done(
        self,
        epoch: int,
        epochs: int | None,
        val_loss: float | None,
        val_accuracy: float | None,
        best: bool,
        clock: Clock,
    ) -> EpochDone:
        """The finished epoch with its validation."""
        return EpochDone(
            epoch=epoch,
            epochs=epochs,
            train_loss=self._loss / self._images,
            train_accuracy=self._accuracy,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            best=best,
            images_per_second=self._images / self._seconds,
            seconds=clock.seconds,
        )


class Best:
    """Which epoch was best.

    By validation accuracy (the later of equals, which has seen more and is
    further down the schedule), by loss without classes; the last one where there is no validation.
    """

    def __init__(self, patience: int | None) -> None:
        self._patience = patience
        self.epoch = 0
        self.accuracy: float | None = None
        self.loss: float | None = None

    def update(self, epoch: int, loss: float | None, accuracy: float | None) -> bool:
        """Take an epoch in; whether it is the best so far."""
        if self.epoch == 0 or loss is None:
            better = True
        elif accuracy is not None and self.accuracy is not None:
            better = accuracy >= self.accuracy
        else:
            better = self.loss is None or loss < self.loss
        if better:
            self.epoch, self.loss, self.accuracy = epoch, loss, accuracy
        return better

    def patience_is_over(self, epoch: int) -> bool:
        """Whether the best epoch lies too far back."""
        return self._patience is not None and epoch - self.epoch >= self._patience
