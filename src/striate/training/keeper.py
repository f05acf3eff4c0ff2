"""Keeper: writes metrics, weights and checkpoints of a training into its run folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING

import torch

from striate.backend import save_weights
from striate.errors import DataError, StorageError
from striate.training.bookkeeping import Meter
from striate.training.state import BEST, WEIGHTS, has_part, restore_module

if TYPE_CHECKING:
    from pathlib import Path

    from striate.runs import MetricsWriter, RunFolder
    from striate.training.averaged import Averaged
    from striate.training.bookkeeping import History
    from striate.training.checkpointing import Checkpointer
    from striate.training.events import EpochDone
    from striate.training.job import Job

__all__ = ["Keeper"]

#: A row for every so many steps keeps metrics.jsonl small whatever the size of the dataset.
STEPS_BETWEEN_ROWS = 10


class Keeper:
    """Entered, it opens ``metrics.jsonl``; begun, a run has weights and a checkpoint from the start.

    Every method raises StorageError when the disk is full; what was saved before stays whole.
    """

    def __init__(self, folder: RunFolder, job: Job, history: History, checkpointer: Checkpointer) -> None:
        self._folder = folder
        self._graph, self._module, self._task = job.graph, job.module, job.dataset.task
        self._history = history
        self._checkpointer = checkpointer
        self._metrics: MetricsWriter | None = None
        self._average: Averaged | None = None

    def __enter__(self) -> Keeper:
        self._metrics = self._folder.metrics_writer(keep_rows=self._checkpointer.rows)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._metrics is not None:
            self._metrics.close()

    def begin(self, optimizer: torch.optim.Optimizer, average: Averaged) -> Meter:
        """Save the beginning, or bring everything to where the checkpoint stands.

        Args:
            optimizer: fresh.
            average: fresh; it is what is kept of the weights from now on.

        Returns:
            the running means of the epoch that is not over.

        Raises:
            RunError: the checkpoint does not fit the network.
        """
        self._average = average
        resumed = self._checkpointer.begin(optimizer, average)
        if resumed is not None and has_part(resumed.tensors, BEST):
            restore_module(self._module, resumed.tensors, BEST, resumed.where)
            save_weights(self._module, self._folder.best_weights, self._graph)
            restore_module(self._module, resumed.tensors, WEIGHTS, resumed.where)
        else:
            self.save_best()
        self.save_last()
        if resumed is not None:
            return Meter(self._task, resumed.meter)
        self._save_checkpoint(meter := Meter(self._task))
        return meter

    def save_last(self) -> None:
        """The newest weights, or their average."""
        self._save(self._folder.last_weights)

    def save_best(self) -> None:
        """The weights that validated best, or their average."""
        self._save(self._folder.best_weights)

    def step(self, epoch: int, step: int, loss: float, learning_rate: float, *, last: bool) -> None:
        """A row for this step, every few steps and for the last one."""
        if step % STEPS_BETWEEN_ROWS == 0 or last:
            row = {"kind": "step", "epoch": epoch, "step": step, "loss": loss, "learning_rate": learning_rate}
            self._writer.append(row)
            self._history.spent.mark("other")

    def between_steps(self, meter: Meter) -> None:
        """A checkpoint, where it is time for one."""
        if self._checkpointer.due(epoch_over=False):
            self._save_checkpoint(meter)

    def epoch(self, done: EpochDone, meter: Meter) -> Meter:
        """The weights of this epoch as the last ones, as the best where they are, a row for it, and a checkpoint.

        Returns:
            the running means of the next epoch.
        """
        self.save_last()
        if done.best:
            self.save_best()
        self._history.spent.mark("checkpoints")
        spent = {} if done.spent is None else done.spent.seconds
        self._writer.append(
            {
                "kind": "epoch",
                "epoch": done.epoch,
                "step": self._history.clock.steps,
                "seconds": done.seconds,
                "train_loss": done.train_loss,
                "train_accuracy": done.train_accuracy,
                "val_loss": done.val_loss,
                "val_accuracy": done.val_accuracy,
                "best": done.best,
                "learning_rate": meter.learning_rate,
                "images_per_second": done.images_per_second,
                "spent": {part: round(seconds, 6) for part, seconds in spent.items()},
            }
        )
        following = Meter(self._task)
        # What follows the last epoch takes a while too, and can be interrupted.
        if self._history.ending() is not None or self._checkpointer.due(epoch_over=True):
            self._save_checkpoint(following)
        return following

    @contextlib.contextmanager
    def saving(self, meter: Meter) -> Iterator[None]:
        """Where images cannot be had in the block, what was learnt up to here is saved before the error goes on."""
        try:
            yield
        except (DataError, StorageError):
            with contextlib.suppress(StorageError):
                self.interrupted(meter)
            raise

    def interrupted(self, meter: Meter) -> None:
        """The newest weights and a checkpoint in the middle of an epoch."""
        self.save_last()
        self._save_checkpoint(meter)

    def _save(self, path: Path) -> None:
        with contextlib.nullcontext() if self._average is None else self._average.shown():
            save_weights(self._module, path, self._graph)

    def _save_checkpoint(self, meter: Meter) -> None:
        # The rows first: after a power cut a checkpoint must not count more of them than there are.
        self._writer.flush()
        self._checkpointer.save(meter, self._writer.rows)

    @property
    def _writer(self) -> MetricsWriter:
        if self._metrics is None:
            raise RuntimeError("a keeper is used inside its with block")
        return self._metrics
