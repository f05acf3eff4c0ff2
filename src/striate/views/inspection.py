"""``striate inspect``: the numbers of a network as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from striate.units import format_count, format_shape
from striate.views.inspect_rows import InspectRow, Notes, inspect_notes, inspect_rows, output_words
from striate.views.outline_rows import tree_rows
from striate.views.safe_text import visible
from striate.views.tables import Column, Facts, Grid, GridRow

if TYPE_CHECKING:
    from striate.analysis.report import Report

__all__ = ["inspect_table", "inspect_tree"]

Cells = tuple[str, ...]

_HEADERS = ("layer", "what", "output", "parameters", "share", "MACs", "share", "field")
_NAME, _WHAT, _SHARES = 0, 1, (4, 6)
_NARROWEST_WHAT = 22
"""Below this the description is not a column of its own any more."""


def inspect_table(report: Report, notes: Notes = ()) -> RenderableType:
    """A network as a table, with its totals below; every number is exact.

    On a narrow console the descriptions are broken, then the two shares are left out, which is said, and at last the
    descriptions stand between the rows.

    Args:
        report: of any network.
        notes: names and values to add below the totals.

    >>> from striate import zoo
    >>> from striate.analysis import inspect
    >>> from striate.views import make_console
    >>> make_console().print(inspect_table(inspect(zoo.build("lenet-5"))))  # doctest: +ELLIPSIS
    lenet-5: 1×32×32 → 10
    ...
    """
    return _InspectTable(report, inspect_rows(report), notes)


def inspect_tree(report: Report, depth: int | None = None, notes: Notes = ()) -> RenderableType:
    """The same table with groups collapsed and equal neighbours folded; its totals are those of :func:`inspect_table`.

    Args:
        report: of any network.
        depth: how many parts of a name (``layer1.0.conv1`` has three) are told apart; default: all, so that only
            equal neighbours are folded.
        notes: as for :func:`inspect_table`.

    >>> from striate import zoo
    >>> from striate.analysis import inspect
    >>> from striate.views import make_console
    >>> make_console().print(inspect_tree(inspect(zoo.build("resnet152")), 2))  # doctest: +ELLIPSIS
    resnet152: 3×224×224 → 1000
    ...
    layer3.1–35  35 × (10 layers: 3 conv, 3 batchnorm, 3 relu, add)  ...
    ...
    """
    return _InspectTable(report, tree_rows(report, depth), notes)


class _InspectTable:
    def __init__(self, report: Report, rows: Sequence[InspectRow], notes: Notes) -> None:
        self.report = report
        self.rows = rows
        self.notes = notes

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        report = self.report
        yield Text.assemble((visible(report.name), "bold"), f": {format_shape(report.input)} → {output_words(report)}")
        yield Text()
        rows = [_cells(row) for row in self.rows]
        total = ("total", "", "", format_count(report.parameters), "", format_count(report.macs), "", "")
        layout = _layout([_HEADERS, *rows, total], options.max_width)
        columns = [
            Column(
                _HEADERS[place],
                right=place not in (_NAME, _WHAT),
                flexible=place == _WHAT,
                width=layout.name if place == _NAME else 0,
            )
            for place in layout.columns
        ]
        footer = tuple(total[place] for place in layout.columns)
        yield Grid(columns, [_grid_row(row, layout) for row in rows], footer, layout.gap)
        yield Text()
        yield Facts([*inspect_notes(report), *self.notes])
        if not set(_SHARES) <= set(layout.columns):
            yield Text(f"\nshares of the totals are left out: {layout.enough} columns show them", style="dim")


@dataclass(frozen=True)
class _Layout:
    """Which columns are drawn; ``what`` outside the columns stands beside the name, or below the row.

    Args:
        columns: numbers of the columns.
        gap: spaces between them.
        name: width of the first column.
        enough: the width at which nothing has to be left out.
    """

    columns: tuple[int, ...]
    gap: int
    name: int
    enough: int


def _cells(row: InspectRow) -> Cells:
    return (
        row.name,
        row.what,
        row.shape,
        row.parameters,
        row.parameters_share,
        row.macs,
        row.macs_share,
        row.field,
    )


def _layout(rows: Sequence[Cells], width: int) -> _Layout:
    """The fullest layout that fits."""
    natural = [max(cell_len(entry) for entry in column) for column in zip(*rows, strict=True)]
    every = tuple(range(len(natural)))
    without_shares = tuple(place for place in every if place not in _SHARES)
    narrowest = min(natural[_WHAT], _NARROWEST_WHAT)
    enough = sum(natural) - natural[_WHAT] + narrowest + len(every) - 1
    for columns, gap, least in (
        (every, 2, natural[_WHAT]),
        (every, 1, narrowest),
        (without_shares, 2, narrowest),
        (without_shares, 1, narrowest),
    ):
        if sum(natural[place] for place in columns if place != _WHAT) + gap * (len(columns) - 1) + least <= width:
            return _Layout(columns, gap, natural[_NAME], enough)
    columns = tuple(place for place in without_shares if place != _WHAT)
    taken = sum(natural[place] for place in columns)
    gap = 2 if taken + 2 * (len(columns) - 1) <= width else 1
    spare = width - taken - gap * (len(columns) - 1)
    both = max(cell_len(f"{row[_NAME]}  {row[_WHAT]}") for row in rows)
    return _Layout(columns, gap, max(natural[_NAME], min(natural[_NAME] + spare, both)), enough)


def _grid_row(row: Cells, layout: _Layout) -> GridRow:
    cells = tuple(Text(row[place], _style(place, row[place])) for place in layout.columns)
    if _WHAT in layout.columns:
        return GridRow(cells)
    name, what = row[_NAME], row[_WHAT]
    if cell_len(f"{name}  {what}") <= layout.name:
        return GridRow((Text.assemble((name, "cyan"), "  ", (what, "dim")), *cells[1:]))
    return GridRow(cells, below=Text(f"  {what}", "dim"))


def _style(place: int, entry: str) -> str:
    if place == _NAME:
        return "cyan"
    return "dim" if place in _SHARES or entry == "–" else ""
