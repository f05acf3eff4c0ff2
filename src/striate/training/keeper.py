"""Keeper: writes metrics and weights of a training into its run folder."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from torch import nn

from striate.backend import save_weights

if TYPE_CHECKING:
    from striate.graph import Graph
    from striate.runs import MetricsWriter, RunFolder
    from striate.training.events import EpochDone

__all__ = ["Keeper"]

#: A row for every so many steps keeps metrics.jsonl small whatever the size of the dataset.
STEPS_BETWEEN_ROWS = 10


class Keeper:
    """Entered, it opens ``metrics.jsonl`` and saves the first weights, so that a run has some from the start.

    Every method raises StorageError when the disk is full; what was saved before stays whole.
    """

    def __init__(self, folder: RunFolder, graph: Graph, module: nn.Module) -> None:
        self._folder = folder
        self._graph = graph
        self._module = module
        self._metrics: MetricsWriter | None = None

    def __enter__(self) -> Keeper:
        self.save_last()
        self.save_best()
        self._metrics = self._folder.metrics_writer()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._metrics is not None:
            self._metrics.close()

    def save_last(self) -> None:
        """The newest weights."""
        save_weights(self._module, self._folder.last_weights, self._graph)

    def save_best(self) -> None:
        """The weights that validated best."""
        save_weights(self._module, self._folder.best_weights, self._graph)

    def step(self, epoch: int, step: int, loss: float, learning_rate: float, *, last: bool) -> None:
        """A row for this step, every few steps and for the last one."""
        if step % STEPS_BETWEEN_ROWS == 0 or last:
            row = {"kind": "step", "epoch": epoch, "step": step, "loss": loss, "learning_rate": learning_rate}
            self._append(row)

    def epoch(self, done: EpochDone, step: int, learning_rate: float) -> None:
        """The weights of this epoch as the last ones, as the best where they are, and a row for it."""
        self.save_last()
        if done.best:
            self.save_best()
        self._append(
            {
                "kind": "epoch",
                "epoch": done.epoch,
                "step": step,
                "seconds": done.seconds,
                "train_loss": done.train_loss,
                "train_accuracy": done.train_accuracy,
                "val_loss": done.val_loss,
                "val_accuracy": done.val_accuracy,
                "best": done.best,
                "learning_rate": learning_rate,
                "images_per_second": done.images_per_second,
            }
        )

    def _append(self, row: dict[str, object]) -> None:
        if self._metrics is None:
            raise RuntimeError("a keeper is used inside its with block")
        self._metrics.append(row)
