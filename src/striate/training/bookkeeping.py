"""The bookkeeping of a training: how far it has come, running means, which epoch was best, and the sum of it all."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Literal

import torch

from striate.runs.checkpoint_record import BestRecord, MeterRecord, ProgressRecord
from striate.training.events import EpochDone, StepDone
from striate.training.spent import Spent

if TYPE_CHECKING:
    from striate.training.plan import Plan

__all__ = ["Best", "Clock", "Ending", "History", "Meter"]

Ending = Literal["done", "out of time", "stopped early", "interrupted"]
"""Why a training is over."""


class Clock:
    """How far the training has come, in steps and in time."""

    def __init__(self, plan: Plan) -> None:
        self._budget = plan.seconds
        self._total = plan.total_steps
        self._start = time.perf_counter()
        self._carried = 0.0
        self.steps = 0

    def carry_on(self, steps: int, seconds: float) -> None:
        """Go on from where another process stood; the time of this one so far counts too."""
        self.steps, self._carried = steps, seconds

    def tick(self) -> None:
        """Count one step."""
        self.steps += 1

    @property
    def seconds(self) -> float:
        """Since training began, in this process and in those before it."""
        return self._carried + time.perf_counter() - self._start

    @property
    def expired(self) -> bool:
        """Whether the time budget is used up."""
        return self._budget is not None and self.seconds >= self._budget

    def progress(self) -> float:
        """Share of the training behind us, 0..1: by steps, by time, or the larger of both."""
        by_steps = 0.0 if self._total is None else self.steps / self._total
        by_time = 0.0 if self._budget is None else self.seconds / self._budget
        return min(max(by_steps, by_time), 1.0)

    def seconds_left(self) -> float:
        """Estimated from the steps so far."""
        left = math.inf if self._budget is None else self._budget - self.seconds
        if self._total is not None and self.steps:
            left = min(left, self.seconds / self.steps * (self._total - self.steps))
        return max(left, 0.0)


class Meter:
    """Running means of one epoch.

    Args:
        task: what the labels are.
        record: of the same epoch, where another process began it.
    """

    def __init__(self, task: str, record: MeterRecord | None = None) -> None:
        record = record or MeterRecord()
        self._task = task
        self._loss, self._weight, self._right = record.loss, record.weight, record.right
        self.steps, self.images, self.seconds = record.steps, record.images, record.seconds
        self.learning_rate = record.learning_rate
        self.start()

    def start(self) -> None:
        """From now on, time counts."""
        self._start = time.perf_counter() - self.seconds

    def add(
        self, loss: float, weight: float, learning_rate: float, outputs: torch.Tensor, target: torch.Tensor
    ) -> None:
        """Count one batch: its mean loss and what it weighs in the mean, learning rate, raw outputs and labels."""
        self._loss += loss * weight
        self._weight += weight
        self.steps += 1
        self.images += len(target)
        self.learning_rate = learning_rate
        if self._task == "classes":
            self._right += int((outputs.detach().argmax(dim=1) == target).sum())
        self.seconds = time.perf_counter() - self._start

    def as_record(self) -> MeterRecord:
        """Everything that another process needs to go on with it."""
        return MeterRecord(
            steps=self.steps,
            images=self.images,
            loss=self._loss,
            weight=self._weight,
            right=self._right,
            seconds=self.seconds,
            learning_rate=self.learning_rate,
        )

    @property
    def loss(self) -> float:
        """Mean over the images so far, weighted as the loss weighs them."""
        return self._loss / self._weight

    @property
    def accuracy(self) -> float | None:
        """Share of the images so far that were right; None without classes."""
        return self._right / self.images if self._task == "classes" else None

    @property
    def speed(self) -> float:
        """Images per second, training only."""
        return self.images / self.seconds if self.seconds else 0.0


class Best:
    """Which epoch was best.

    By validation accuracy (the later of equals, which has seen more and is further down the schedule), by validation
    loss where there is no accuracy, and the last one where there is no validation. Patience is renewed by a higher
    accuracy or a lower loss than ever: an accuracy may stand still while the network still learns.

    Args:
        patience: epochs without a better validation after which it is over; None for ever.
    """

    def __init__(self, patience: int | None) -> None:
        self._patience = patience
        self._improved = 0
        self._lowest = math.inf
        self.epoch = 0
        self.accuracy: float | None = None
        self.loss: float | None = None

    def update(self, epoch: int, loss: float | None, accuracy: float | None) -> bool:
        """Take an epoch in; whether it is the best so far."""
        if self.epoch == 0 or loss is None or self.loss is None:
            better = equal = True
        elif accuracy is not None and self.accuracy is not None:
            better, equal = accuracy > self.accuracy, accuracy == self.accuracy
        else:
            better, equal = loss < self.loss, False
        if better or (loss is not None and loss < self._lowest):
            self._improved = epoch
        self._lowest = min(self._lowest, math.inf if loss is None else loss)
        if better or equal:
            self.epoch, self.loss, self.accuracy = epoch, loss, accuracy
        return better or equal

    def carry_on(self, record: BestRecord) -> None:
        """Go on from where another process stood."""
        self.epoch, self.loss, self.accuracy = record.epoch, record.loss, record.accuracy
        self._improved, self._lowest = record.improved, record.lowest

    def as_record(self) -> BestRecord:
        """Everything that another process needs to go on with it."""
        return BestRecord(
            epoch=self.epoch, loss=self.loss, accuracy=self.accuracy, improved=self._improved, lowest=self._lowest
        )

    def patience_is_over(self, epoch: int) -> bool:
        """Whether the last improvement lies too far back."""
        return self._patience is not None and epoch - self._improved >= self._patience


class History:
    """Everything that has happened so far, known also when training ends in the middle. With it the clock starts.

    Args:
        plan: what will be done.
        patience: see :class:`Best`.
    """

    def __init__(self, plan: Plan, patience: int | None) -> None:
        self._plan = plan
        self._images = 0
        self._seconds = 0.0
        self.clock = Clock(plan)
        self.best = Best(patience)
        self.epochs = 0
        #: In how many parts the images of an update are computed; it grows when memory runs out.
        self.parts = plan.parts
        #: Where the time goes.
        self.spent = Spent()
        #: Spent on writing checkpoints.
        self.checkpoint_seconds = 0.0

    def carry_on(self, record: ProgressRecord) -> None:
        """Go on from where another process stood."""
        self.clock.carry_on(record.steps, record.seconds)
        self.best.carry_on(record.best)
        self.epochs, self._images, self._seconds = record.epochs, record.images, record.training_seconds
        self.checkpoint_seconds = record.checkpoint_seconds
        self.parts = record.parts
        self.spent.carry_on(record.spent, record.spent_in_epochs)

    def as_record(self, meter: Meter) -> ProgressRecord:
        """Everything that another process needs to go on, with the epoch that is not over."""
        return ProgressRecord(
            epochs=self.epochs,
            steps=self.clock.steps,
            seconds=self.clock.seconds,
            images=self._images,
            training_seconds=self._seconds,
            checkpoint_seconds=self.checkpoint_seconds,
            best=self.best.as_record(),
            meter=meter.as_record(),
            parts=self.parts,
            spent=self.spent.as_record(),
            spent_in_epochs=self.spent.in_epochs(),
        )

    def ending(self) -> Ending | None:
        """Why training is over after the epochs so far; None while it is not."""
        if self.epochs == self._plan.whole_epochs:
            return "done"
        if self.epochs and self.clock.expired:
            return "out of time"
        return "stopped early" if self.best.patience_is_over(self.epochs) else None

    def step_done(self, epoch: int, meter: Meter) -> StepDone:
        """What listeners are told after a step."""
        return StepDone(
            epoch,
            meter.steps,
            self._plan.steps_in(epoch),
            meter.loss,
            meter.accuracy,
            meter.speed,
            self.clock.seconds_left(),
            self.clock.steps,
        )

    def epoch_done(self, epoch: int, meter: Meter, loss: float | None, accuracy: float | None) -> EpochDone:
        """Take in a finished epoch with its validation; what listeners are told."""
        self.epochs = epoch
        self._images += meter.images
        self._seconds += meter.seconds
        return EpochDone(
            epoch=epoch,
            epochs=self._plan.whole_epochs,
            train_loss=meter.loss,
            train_accuracy=meter.accuracy,
            val_loss=loss,
            val_accuracy=accuracy,
            best=self.best.update(epoch, loss, accuracy),
            images_per_second=meter.speed,
            seconds=self.clock.seconds,
            spent=self.spent.epoch_over(),
        )

    def results(self) -> dict[str, float | int | str | None]:
        """The sum, for ``run.json``; the validation is that of the best epoch."""
        results: dict[str, float | int | str | None] = {
            "epochs_done": min(self.epochs, self._plan.epochs or self.epochs),
            "steps_done": self.clock.steps,
            "best_epoch": self.best.epoch,
            "seconds": self.clock.seconds,
            "checkpoint_seconds": self.checkpoint_seconds,
            "images_per_second": self._images / self._seconds if self._seconds else 0.0,
        }
        if self.best.loss is not None:
            results["val_loss"] = self.best.loss
        if self.best.accuracy is not None:
            results["val_accuracy"] = self.best.accuracy
        return results
