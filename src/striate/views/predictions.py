"""``striate predict``: what the network says about each image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rich.console import Group, RenderableType
from rich.text import Text

from striate.units import format_count
from striate.views.number_wording import format_measure, format_percent
from striate.views.safe_text import visible
from striate.views.tables import Column, Grid, GridRow

__all__ = ["PredictionLike", "predictions_view"]


class PredictionLike(Protocol):
    """What a prediction must tell to be shown; one class, tags or values.

    Attributes:
        path: the image.
        label: the answer; None where there is none, as for values or an image that cannot be read.
        confidence: of the label, 0..1; None where it has none.
        top: the most probable classes with their confidence, or the values by name.
        error: why there is no answer; else None.
    """

    @property
    def path(self) -> str: ...  # noqa: D102
    @property
    def label(self) -> str | None: ...  # noqa: D102
    @property
    def confidence(self) -> float | None: ...  # noqa: D102
    @property
    def top(self) -> tuple[tuple[str, float], ...]: ...  # noqa: D102
    @property
    def error(self) -> str | None: ...  # noqa: D102


def predictions_view(predictions: Sequence[PredictionLike]) -> RenderableType:
    """One line for each image: the answer, how sure the network is, and what else it thought of.

    Args:
        predictions: in the order to show them.
    """
    if not predictions:
        return Text("no images")
    # Numbers have neither label nor confidence; tags have a label, which may be empty: none of them.
    values = all(one.label is None for one in predictions if one.error is None)
    columns = [Column("image", flexible=True), Column("values" if values else "answer", flexible=True)]
    if not values:
        columns += [Column("confidence", right=True), Column("or", flexible=True)]
    table = Grid(columns, [_row(one, values) for one in predictions])
    unread = sum(one.error is not None for one in predictions)
    if not unread:
        return table
    noun = "image" if len(predictions) == 1 else "images"
    count = f"{format_count(unread)} of {format_count(len(predictions))} {noun} could not be answered"
    return Group(table, Text(), Text(count, style="red"))


def _row(one: PredictionLike, values: bool) -> GridRow:
    path = Text(visible(one.path), "cyan")
    if one.error is not None:
        # The message takes a line of its own: it is a sentence, and would make the column of answers wide.
        rest = (Text("–"),) if values else (Text("–"), Text("–"), Text())
        return GridRow((path, *rest), below=Text(f"  error: {visible(one.error)}", "red"))
    if values:
        return GridRow((path, Text(_values(one))))
    return GridRow(
        (
            path,
            Text(visible(one.label or ("–" if one.label is None else "none")), "bold"),
            Text(_confidence(one)),
            Text(_others(one), "dim"),
        )
    )


def _confidence(one: PredictionLike) -> str:
    return "–" if one.confidence is None else f"{format_percent(one.confidence)} %"


def _others(one: PredictionLike) -> str:
    others = [(name, share) for name, share in one.top if name != one.label or one.confidence is None]
    return ", ".join(f"{visible(name)} {format_percent(share)} %" for name, share in others)


def _values(one: PredictionLike) -> str:
    if one.label is not None and not one.top:
        return visible(one.label)
    return ", ".join(f"{visible(name)} = {format_measure(value)}" for name, value in one.top) or "–"
