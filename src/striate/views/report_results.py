"""What a run achieved, in the form the page shows it: headline, confusions, classes, epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from striate.units import format_count
from striate.views.evaluation_wording import guess_share, hits
from striate.views.number_wording import format_interval, format_measure, format_percent

if TYPE_CHECKING:
    from striate.runs.records import Evaluation

__all__ = [
    "MOST_MATRIX_CLASSES",
    "Cell",
    "Headline",
    "confusion_cells",
    "epoch_table",
    "headline",
    "headline_evaluation",
]

MOST_MATRIX_CLASSES = 25
"""With more classes the confusion matrix is a list of its largest entries."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The number a run is judged by.

    Args:
        label: what it is, with the split it was measured on.
        value: the number with its unit.
        interval: its 95 % interval in words; None where it has none.
        notes: what it rests on, one sentence each.
        point: the share itself, 0..1, to be drawn; None for errors.
        low: lower end of its interval.
        high: upper end of its interval.
        guess: the share that the simplest answer reaches.
    """

    label: str
    value: str
    interval: str | None
    notes: tuple[str, ...]
    point: float | None = None
    low: float | None = None
    high: float | None = None
    guess: float | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One entry of a confusion matrix.

    Args:
        count: images.
        right: whether it lies on the diagonal.
        strength: of its colour, in percent.
        words: the entry as a sentence.
    """

    count: int
    right: bool
    strength: int
    words: str


def headline_evaluation(evaluations: Sequence[Evaluation]) -> Evaluation | None:
    """The evaluation on test, else on val, else the first."""
    by_split = {evaluation.split: evaluation for evaluation in evaluations}
    return by_split.get("test") or by_split.get("val") or next(iter(evaluations), None)


def headline(evaluation: Evaluation) -> Headline:
    """The number to put first."""
    images = f"{format_count(evaluation.count)} {evaluation.split} image{'' if evaluation.count == 1 else 's'}"
    caution: tuple[str, ...] = ()
    if evaluation.split == "val":
        caution = ("The validation images also chose the best epoch: expect a little less on new ones.",)
    right = hits(evaluation)
    if evaluation.accuracy is None or right is None:
        errors = [("RMSE", evaluation.rmse), ("MAE", evaluation.mae), ("Loss", evaluation.loss)]
        known = [(name, value) for name, value in errors if value is not None]
        others = tuple(f"{name} {format_measure(value)}." for name, value in known[1:])
        rest = (*others, f"Measured on {images}.", *caution)
        return Headline(f"{known[0][0]} on {evaluation.split}", format_measure(known[0][1]), None, rest)
    notes = [f"{format_count(right)} of {images} right."]
    if evaluation.task == "tags":
        notes = [f"{format_count(right)} of {images} with every tag right."]
    guess = guess_share(evaluation)
    if guess is not None:
        notes.append(f"Always answering the most frequent class: {format_percent(guess)} %.")
    return Headline(
        label=f"Accuracy on {evaluation.split}",
        value=f"{format_percent(evaluation.accuracy, 2)} %",
        interval=None if evaluation.interval is None else f"95 % interval {format_interval(evaluation.interval)} %",
        notes=(*notes, *caution),
        point=evaluation.accuracy,
        low=None if evaluation.interval is None else evaluation.interval.low,
        high=None if evaluation.interval is None else evaluation.interval.high,
        guess=guess,
    )


def confusion_cells(evaluation: Evaluation) -> tuple[tuple[Cell, ...], ...]:
    """The confusion matrix, row by row; empty when there is none or it has too many classes to be read."""
    matrix, classes = evaluation.confusion, evaluation.classes
    if matrix is None or len(classes) > MOST_MATRIX_CLASSES:
        return ()
    return tuple(
        tuple(
            _cell(count, sum(row), true == predicted, classes[true], classes[predicted])
            for predicted, count in enumerate(row)
        )
        for true, row in enumerate(matrix)
    )


def _cell(count: int, of: int, right: bool, true: str, predicted: str) -> Cell:
    share = count / of if of else 0.0
    # A mistake is rare where a network is good: the root keeps even a single one visible.
    strength = 45 * share if right else 60 * math.sqrt(share)
    words = f"{true}, answered {predicted}: {format_count(count)} of {format_count(of)} ({format_percent(share)} %)"
    return Cell(count, right, max(round(strength), 14) if count else 0, words)


_COLUMNS = (
    ("train_loss", "training loss"),
    ("val_loss", "validation loss"),
    ("train_accuracy", "training accuracy"),
    ("val_accuracy", "validation accuracy"),
    ("learning_rate", "learning rate"),
    ("images_per_second", "images/s"),
    ("seconds", "seconds"),
)


def epoch_table(
    rows: Sequence[Mapping[str, Any]], most: int = 500
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Titles and rows of the numbers of each epoch; a column nothing is known of is left out.

    Args:
        rows: of ``metrics.jsonl``.
        most: rows; of more epochs, the last ones are kept.
    """
    epochs = [row for row in rows if row.get("kind") == "epoch"][-most:]
    kept = [(key, title) for key, title in _COLUMNS if any(row.get(key) is not None for row in epochs)]
    titles = ("epoch", *(title for _, title in kept))
    return titles, tuple(
        (str(row.get("epoch", "–")), *(_entry(key, row.get(key)) for key, _ in kept)) for row in epochs
    )


def _entry(key: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "–"
    if key.endswith("accuracy"):
        return f"{format_percent(value, 2)} %"
    return (
        f"{value:,.0f}"
        if key == "images_per_second"
        else f"{value:,.1f}"
        if key == "seconds"
        else format_measure(value)
    )
