"""A table that leaves columns out, and says so, where the console is too narrow for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from striate.views.tables import Column, Grid, GridRow

__all__ = ["SparingGrid"]

_GAP = 2
_NARROWEST = 12
"""A column that may be broken counts as so wide."""


class SparingGrid:
    """A :class:`striate.views.tables.Grid` that fits.

    Args:
        columns: its columns.
        rows: its rows, without lines below them.
        footer: a row of totals.
        spare: places of the columns that may be left out, the first one first.

    >>> from striate.views import make_console
    >>> columns = [Column("layer"), Column("what"), Column("MACs", right=True)]
    >>> grid = SparingGrid(columns, [GridRow((Text("conv1"), Text("conv 16"), Text("442,368")))], None, spare=(1,))
    >>> make_console().print(grid, width=18)
    layer     MACs
    ──────────────
    conv1  442,368
    <BLANKLINE>
    left out: what (23
    columns show it)
    """

    def __init__(
        self, columns: Sequence[Column], rows: Sequence[GridRow], footer: tuple[str, ...] | None, spare: Sequence[int]
    ) -> None:
        self.columns, self.rows, self.footer = tuple(columns), tuple(rows), footer
        self.spare = tuple(spare)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = [self._least(place) for place in range(len(self.columns))]
        left_out: set[int] = set()
        for place in (*self.spare, None):
            kept = [at for at in range(len(self.columns)) if at not in left_out]
            if place is None or _together(widths, kept) <= options.max_width:
                break
            left_out.add(place)
        rows = [GridRow(tuple(row.cells[at] for at in kept)) for row in self.rows]
        footer = None if self.footer is None else tuple(self.footer[at] for at in kept)
        yield Grid([self.columns[at] for at in kept], rows, footer, _GAP)
        if left_out:
            names = [self.columns[at].title for at in sorted(left_out)]
            enough = _together(widths, range(len(widths)))
            shown = "it" if len(names) == 1 else "them"
            yield Text()
            yield Text(f"left out: {', '.join(names)} ({enough} columns show {shown})", style="dim")

    def _least(self, place: int) -> int:
        """The width that a column cannot do without."""
        column = self.columns[place]
        cells = [column.width, cell_len(column.title), *(row.cells[place].cell_len for row in self.rows)]
        if self.footer is not None:
            cells.append(cell_len(self.footer[place]))
        return min(max(cells), _NARROWEST) if column.flexible else max(cells)


def _together(widths: Sequence[int], places: Sequence[int]) -> int:
    return sum(widths[place] for place in places) + _GAP * (len(places) - 1)
