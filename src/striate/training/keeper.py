"""Keeper: writes metrics and weights of a training into its run folder."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from torch import nn

from striate.backend import save_weights
from striate.runs import RunFolder

if TYPE_CHECKING:
    from striate.graph import Graph
    from striate.training.events import EpochDone

__all__ = ["Keeper"]

#: A row for every so many steps keeps metrics.jsonl small whatever the size of the dataset.
STEPS_BETWEEN_ROWS = 10


class Keeper:
    """Opens ``metrics.jsonl`` and saves the first weights, so that a run has some from its first moment on."""

    def __init__(self, folder: RunFolder, graph: Graph, module: nn.Module) -> None:
        self._folder = folder
        self._graph = graph
        self._metrics = folder.metrics_writer()
        self.save_last(module)
        self.save_best(module)

    def __enter__(self) -> Keeper:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._metrics.close()

    def save_last(self, module: nn.Module) -> None:
        """The newest weights."""
        save_weights(module, self._folder.last_weights, self._graph)

    def save_best(self, module: nn.Module) -> None:
        """The weights that validated best."""
        save_weights(module, self._folder.best_weights, self._graph)

    def step(self, epoch: int, step: int, loss: float, learning_rate: float, *, last: bool) -> None:
        """A row for this step, every few steps."""
        if step % STEPS_BETWEEN_ROWS == 0 or last:
            row = {"kind": "step", "epoch": epoch, "step": step, "loss": loss, "learning_rate": learning_rate}
            self._metrics.append(row)

    def epoch(self, module: nn.Module, done: EpochDone, step: int, learning_rate: float) -> None:
        """A row for this epoch, its weights as the last ones, and as the best where they are."""
        self.save_last(module)
        if done.best:
            self.save_best(module)
        self._metrics.append(
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
