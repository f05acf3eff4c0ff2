"""What an evaluation says, in words; shared by the terminal and the page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from striate.units import format_count
from striate.views.number_wording import format_accuracy, format_measure, format_percent

if TYPE_CHECKING:
    from striate.runs.records import ClassScore, Evaluation

__all__ = ["evaluation_facts", "guess_share", "hardest_first", "hits"]


def hits(evaluation: Evaluation) -> int | None:
    """How many images were right; None where that is not a question.

    A confusion matrix is counted; without one it follows from the accuracy.
    """
    if evaluation.confusion is not None:
        return sum(row[place] for place, row in enumerate(evaluation.confusion))
    return None if evaluation.accuracy is None else round(evaluation.accuracy * evaluation.count)


def guess_share(evaluation: Evaluation) -> float | None:
    """The accuracy of always answering the most frequent class; None where there is no such answer."""
    if evaluation.task != "classes" or not evaluation.count:
        return None
    if evaluation.confusion is not None:
        return max(sum(row) for row in evaluation.confusion) / evaluation.count
    return max((score.count for score in evaluation.per_class), default=0) / evaluation.count or None


def evaluation_facts(evaluation: Evaluation) -> tuple[tuple[str, str], ...]:
    """The headline numbers as names and values."""
    facts: list[tuple[str, str]] = []
    right = hits(evaluation)
    if evaluation.accuracy is not None and right is not None:
        counted = f"{format_count(right)} of {format_count(evaluation.count)} right"
        if evaluation.task == "tags":
            counted = f"{format_count(right)} of {format_count(evaluation.count)} images with every tag right"
        if evaluation.interval is not None:
            counted += "; in brackets the 95 % Wilson interval"
        facts.append(("accuracy", f"{format_accuracy(evaluation.accuracy, evaluation.interval)}   {counted}"))
        guess = guess_share(evaluation)
        if guess is not None:
            facts.append(("to compare", f"{format_percent(guess)} % by always answering the most frequent class"))
    if evaluation.rmse is not None:
        facts.append(("RMSE", f"{format_measure(evaluation.rmse)}   root of the mean squared error"))
    if evaluation.mae is not None:
        facts.append(("MAE", f"{format_measure(evaluation.mae)}   mean absolute error"))
    facts.append(("loss", format_measure(evaluation.loss)))
    return tuple(facts)


def hardest_first(scores: Iterable[ClassScore]) -> tuple[ClassScore, ...]:
    """Classes by F1, the lowest first; those that have none come last."""
    return tuple(sorted(scores, key=lambda score: (score.f1 is None, score.f1 or 0.0)))
