"""A learning-rate range test on a terminal: the smoothed loss at growing rates, and what is suggested."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from striate.views.tables import Column, Grid, GridRow

__all__ = ["rate_sweep_view"]

#: Rows at most, and cells of the longest bar.
_ROWS, _CELLS = 20, 40


def rate_sweep_view(
    rates: Sequence[float], smoothed: Sequence[float], suggestion: float | None, reason: str, rule: str
) -> RenderableType:
    """A line for every few rates with a bar as long as the loss, the suggestion marked, and how it was made.

    Args:
        rates: of each step, growing.
        smoothed: the smoothed loss of each step.
        suggestion: a rate; None where there is none.
        reason: how it ended.
        rule: how the suggestion is made.
    """
    columns = [Column("rate", right=True), Column("loss", right=True), Column(""), Column("")]
    stride = max(math.ceil(len(rates) / _ROWS), 1)
    kept = range(0, len(rates), stride)
    most = max((smoothed[place] for place in kept), default=1.0)
    marks = {_nearest(rates, kept, rate): text for rate, text in _marks(rates, smoothed, suggestion)}
    rows = [
        GridRow(
            (
                Text(f"{rates[place]:.2g}", "cyan"),
                Text(f"{smoothed[place]:.3f}"),
                Text("█" * max(round(_CELLS * smoothed[place] / most), 1), "blue"),
                Text(marks.get(place, ""), "bold"),
            )
        )
        for place in kept
    ]
    ending = f"learning rate: {suggestion:.2g}, {rule}" if suggestion is not None else "no suggestion"
    return Group(Grid(columns, rows), Text(), Text(ending, "bold"), Text(reason, "dim"))


def _marks(rates: Sequence[float], smoothed: Sequence[float], suggestion: float | None) -> list[tuple[float, str]]:
    if suggestion is None:
        return []
    lowest = min(range(len(rates)), key=lambda place: smoothed[place] if rates[place] > suggestion else math.inf)
    return [(rates[lowest], "← lowest"), (suggestion, "← suggested")]


def _nearest(rates: Sequence[float], places: Sequence[int], rate: float) -> int:
    return min(places, key=lambda place: abs(math.log(rates[place] / rate)))
