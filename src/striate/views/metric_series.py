"""The rows of ``metrics.jsonl`` as series to be drawn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["MetricSeries", "Series", "metric_series", "thinned"]

Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers over training.

    Args:
        x: epochs, or steps where no epoch was finished.
        y: one finite number for each x.
    """

    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.x)

    @property
    def last(self) -> float:
        """The last number."""
        return self.y[-1]


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """Everything there is to draw about a run.

    Args:
        unit: what x counts, ``epoch`` or ``step``.
        epochs: how many were finished.
        step_loss: of single batches.
        train_loss, val_loss, train_accuracy, val_accuracy: of whole epochs; accuracies are 0..1.
        learning_rate: at each step where it is known, else at each epoch.
        not_finite: the first epoch with a loss that was not a finite number; None when there is none.
    """

    unit: str
    epochs: int
    step_loss: Series
    train_loss: Series
    val_loss: Series
    train_accuracy: Series
    val_accuracy: Series
    learning_rate: Series
    not_finite: int | None


def metric_series(rows: Rows) -> MetricSeries:
    """Series of all rows that hold a finite number; what is null is left out.

    >>> rows = [{"kind": "step", "epoch": 1, "step": 5, "loss": 2.0, "learning_rate": 0.1},
    ...         {"kind": "epoch", "epoch": 1, "step": 10, "train_loss": 1.5, "val_loss": None}]
    >>> series = metric_series(rows)
    >>> series.step_loss.x, series.train_loss.y, bool(series.val_loss)
    ((0.5,), (1.5,), False)
    """
    epochs = [row for row in rows if row.get("kind") == "epoch"]
    steps = [row for row in rows if row.get("kind") == "step"]
    per_epoch = _steps_per_epoch(epochs)
    rates = _series(steps, "step", "learning_rate", per_epoch)
    return MetricSeries(
        unit="epoch" if epochs else "step",
        epochs=len(epochs),
        step_loss=_series(steps, "step", "loss", per_epoch),
        train_loss=_series(epochs, "epoch", "train_loss"),
        val_loss=_series(epochs, "epoch", "val_loss"),
        train_accuracy=_series(epochs, "epoch", "train_accuracy"),
        val_accuracy=_series(epochs, "epoch", "val_accuracy"),
        learning_rate=rates or _series(epochs, "epoch", "learning_rate"),
        not_finite=_first_not_finite(rows),
    )


def thinned(series: Series, most: int) -> Series:
    """At most ``most`` points: the means of as many neighbouring groups.

    >>> thinned(Series((1, 2, 3, 4), (1, 3, 5, 7)), 2)
    Series(x=(1.5, 3.5), y=(2.0, 6.0))
    """
    count = len(series.x)
    if count <= most:
        return series
    cuts = [place * count // most for place in range(most + 1)]
    groups = [slice(low, high) for low, high in itertools.pairwise(cuts)]

    def means(values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(math.fsum(values[group]) / len(values[group]) for group in groups)

    return Series(means(series.x), means(series.y))


def _steps_per_epoch(epochs: Rows) -> float:
    if not epochs:
        return 1.0
    step, epoch = _number(epochs[-1].get("step")), _number(epochs[-1].get("epoch"))
    return step / epoch if step and epoch else 1.0


def _series(rows: Rows, place: str, value: str, scale: float = 1.0) -> Series:
    points = [(_number(row.get(place)), _number(row.get(value))) for row in rows]
    known = [(x / scale, y) for x, y in points if x is not None and y is not None]
    return Series(tuple(x for x, _ in known), tuple(y for _, y in known))


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _first_not_finite(rows: Rows) -> int | None:
    for row in rows:
        loss = "loss" if row.get("kind") == "step" else "train_loss"
        epoch = row.get("epoch")
        if loss in row and _number(row[loss]) is None and isinstance(epoch, int):
            return epoch
    return None
