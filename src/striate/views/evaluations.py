"""``striate test``: how good a network is on a split, on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from striate.units import format_count
from striate.views.confusions import largest_confusions
from striate.views.evaluation_wording import evaluation_facts, hardest_first
from striate.views.number_wording import format_percent
from striate.views.safe_text import visible
from striate.views.tables import Column, Facts, Grid, GridRow

if TYPE_CHECKING:
    from striate.runs.records import ClassScore, Evaluation

__all__ = ["evaluation_view"]

_MOST_CONFUSIONS = 5


def evaluation_view(evaluation: Evaluation, most_classes: int = 30) -> RenderableType:
    """Accuracy with its 95 % interval, loss, a line for each class, and the largest confusions.

    Args:
        evaluation: of any split and task.
        most_classes: with more classes than this, only those with the lowest F1 are listed, and the rest is said.
    """
    parts: list[RenderableType] = [
        Text.assemble((visible(evaluation.split), "bold"), f": {_extent(evaluation)}"),
        Text(),
        Facts(evaluation_facts(evaluation)),
    ]
    if evaluation.per_class:
        parts += [Text(), *_class_table(evaluation, most_classes)]
    if evaluation.confusion is not None:
        parts += [Text(), *_confusion_lines(evaluation)]
    return Group(*parts)


def _extent(evaluation: Evaluation) -> str:
    noun = {"classes": "classes", "tags": "tags", "values": "values"}[evaluation.task]
    return f"{format_count(evaluation.count)} images, {format_count(len(evaluation.classes))} {noun}"


def _class_table(evaluation: Evaluation, most: int) -> list[RenderableType]:
    scores, left = evaluation.per_class, 0
    if len(scores) > most:
        scores, left = hardest_first(scores)[:most], len(scores) - most
    columns = [Column("tag" if evaluation.task == "tags" else "class", flexible=True)]
    columns += [Column(title, right=True) for title in ("images", "precision", "recall", "F1")]
    table = Grid(columns, [_score_row(score) for score in scores])
    if not left:
        return [table]
    return [table, Text(f"\nthe {most} with the lowest F1; {format_count(left)} more are not shown", style="dim")]


def _confusion_lines(evaluation: Evaluation) -> list[RenderableType]:
    found = largest_confusions(evaluation.confusion or (), evaluation.classes)
    if not found:
        return [Text("no image was taken for another class")]
    columns = (
        Column("class", flexible=True),
        Column("taken for", flexible=True),
        Column("images", right=True),
        Column("of", right=True),
    )
    rows = [
        GridRow(
            (
                Text(visible(one.true)),
                Text(visible(one.predicted)),
                Text(format_count(one.count)),
                Text(format_count(one.of)),
            )
        )
        for one in found[:_MOST_CONFUSIONS]
    ]
    table = Grid(columns, rows)
    rest = len(found) - _MOST_CONFUSIONS
    if rest < 1:
        return [table]
    noun = "pair of classes was" if rest == 1 else "pairs of classes were"
    return [table, Text(f"\n{format_count(rest)} more {noun} mixed up", "dim")]


def _score_row(score: ClassScore) -> GridRow:
    shares = (Text(_share(share)) for share in (score.precision, score.recall, score.f1))
    return GridRow((Text(visible(score.name)), Text(format_count(score.count)), *shares))


def _share(share: float | None) -> str:
    return "–" if share is None else f"{format_percent(share)} %"
