"""``striate compare`` and ``striate inspect --set``: networks side by side, and what differs layer by layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from striate.views.changed_layers import TITLES, ChangedRow, alike_words, changed_rows
from striate.views.compared_quantities import comparison_notes, quantity_rows
from striate.views.layer_wording import report_words
from striate.views.narrow_tables import SparingGrid
from striate.views.safe_text import visible
from striate.views.tables import Column, Facts, Grid, GridRow
from striate.views.text_tables import ESCAPES, markdown_line

if TYPE_CHECKING:
    from striate.analysis.comparison import Comparison, Summary
    from striate.analysis.examples import Example

__all__ = ["comparison_markdown", "comparison_view", "example_list", "example_view"]

#: Networks of at most so many layers are spelled out above the table.
_SHORT = 6
_GAP = 2


def comparison_view(
    comparison: Comparison, titles: Sequence[str] | None = None, depth: int | None = None
) -> RenderableType:
    """Networks side by side; for two, what changes from the first to the second, and the layers that differ.

    On a narrow console several networks stand in several tables, one below the other.

    Args:
        comparison: as :func:`striate.analysis.comparison.compare` returns it.
        titles: what stands above each network; default: their names.
        depth: how many parts of a layer's name are told apart; default: all, equal changes of equal neighbours folded.

    >>> from striate.analysis.comparison import compare
    >>> from striate.analysis.examples import example
    >>> from striate.views import make_console
    >>> found = compare(*example("groups").build())
    >>> make_console().print(comparison_view(found))  # doctest: +ELLIPSIS, +NORMALIZE_WHITESPACE
    one group   conv 128, 3×3, same, no bias
    two groups  conv 128, 3×3, same, groups 2, no bias
    <BLANKLINE>
    ...
    parameters 73,728 36,864 −36,864 (−50.0 %)
    ...
    """
    return _ComparisonView(comparison, titles, depth)


def comparison_markdown(comparison: Comparison, titles: Sequence[str] | None = None, depth: int | None = None) -> str:
    """The same as Markdown tables, ending in a line feed.

    >>> from striate.analysis.comparison import compare
    >>> from striate.analysis.examples import example
    >>> print(comparison_markdown(compare(*example("groups").build())).splitlines()[6])
    | parameters | 73,728 | 36,864 | −36,864 (−50.0 %) |
    """
    networks = comparison.networks
    heads = ["", *(titles or _names(networks)), *(["change"] if len(networks) == 2 else [])]
    lines = [markdown_line(heads), markdown_line([":--", *["--:"] * (len(heads) - 1)])]
    lines += [markdown_line(row) for row in quantity_rows(networks)]
    lines += ["", *(f"- {name}: {value}".translate(ESCAPES) for name, value in comparison_notes(networks, heads[1]))]
    if comparison.layers:
        rows = changed_rows(comparison, depth)
        if rows:
            lines += ["", markdown_line(TITLES), "|:--|:--|--:|--:|--:|--:|"]
            lines += [markdown_line((f"{row.sign} {row.cells[0]}".strip(), *row.cells[1:])) for row in rows]
        lines += ["", alike] if (alike := alike_words(comparison, rows)) else []
    return "\n".join(lines) + "\n"


class _ComparisonView:
    def __init__(self, comparison: Comparison, titles: Sequence[str] | None, depth: int | None) -> None:
        self.comparison = comparison
        self.titles = list(titles or _names(comparison.networks))
        self.depth = depth

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        networks = self.comparison.networks
        yield from _side_by_side(networks, self.titles, options.max_width)
        yield Text()
        yield Facts(comparison_notes(networks, self.titles[0]))
        if self.comparison.layers:
            yield Text()
            yield from _layers(self.comparison, self.depth)


def _side_by_side(networks: Sequence[Summary], titles: Sequence[str], room: int) -> Iterator[RenderableType]:
    """The table, below the layers of short networks."""
    if all(entry.layers <= _SHORT for entry in networks):
        yield Facts(zip(titles, map(_spelled_out, networks), strict=True))
        yield Text()
    yield from _tables(titles, list(quantity_rows(networks)), room)


def _names(networks: Sequence[Summary]) -> list[str]:
    """The name of each network; with a number where several bear the same."""
    names = [visible(entry.report.name) for entry in networks]
    total, seen = Counter(names), Counter[str]()
    titles = []
    for name in names:
        seen[name] += 1
        titles.append(f"{name} ({seen[name]})" if total[name] > 1 else name)
    return titles


def _spelled_out(entry: Summary) -> str:
    return " > ".join(report_words(entry.report)[1:])


def _tables(titles: Sequence[str], rows: Sequence[tuple[str, ...]], room: int) -> Iterator[RenderableType]:
    """One table where it fits; for two networks without the change where it does not, for more several tables."""
    if len(titles) == 2:
        columns = [Column(""), *(Column(title, right=True) for title in (*titles, "change"))]
        yield SparingGrid(columns, [_grid_row(row) for row in rows], None, spare=(3,))
        return
    widths = [max(cell_len(cell) for cell in column) for column in zip(("", *titles), *rows, strict=True)]
    first = 1
    while first <= len(titles):
        last, taken = first, widths[0] + _GAP + widths[first]
        while last < len(titles) and taken + _GAP + widths[last + 1] <= room:
            last += 1
            taken += _GAP + widths[last]
        if first > 1:
            yield Text()
        columns = [Column(""), *(Column(title, right=True) for title in titles[first - 1 : last])]
        yield Grid(columns, [_grid_row((row[0], *row[first : last + 1])) for row in rows], gap=_GAP)
        first = last + 1


def _grid_row(row: Sequence[str]) -> GridRow:
    return GridRow(tuple(Text(cell, "" if place else "dim") for place, cell in enumerate(row)))


def _layers(comparison: Comparison, depth: int | None) -> Iterator[RenderableType]:
    rows = changed_rows(comparison, depth)
    alike = alike_words(comparison, rows)
    if not rows:
        yield Text(alike)
        return
    columns = [Column(title, right=place > 1, flexible=place == 1) for place, title in enumerate(TITLES)]
    yield SparingGrid(columns, [_layer_row(row) for row in rows], None, spare=(1, 5, 4))
    if alike:
        yield Text(f"\n{alike}", style="dim")


def _layer_row(row: ChangedRow) -> GridRow:
    name, *cells = row.cells
    if row.sign:
        style = "red" if row.sign == "−" else "green"
        return GridRow(tuple(Text(cell, style) for cell in (f"{row.sign} {name}", *cells)))
    return GridRow((Text(name, "cyan"), *map(Text, cells)))


def example_view(example: Example, comparison: Comparison) -> RenderableType:
    """A ready-made comparison with what it shows."""
    return _ExampleView(example, comparison)


class _ExampleView:
    def __init__(self, example: Example, comparison: Comparison) -> None:
        self.example = example
        self.comparison = comparison

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text.assemble((self.example.name, "bold"), f": {self.example.title}")
        yield Text()
        networks = self.comparison.networks
        step = 2 if self.example.pairs else len(networks)
        for start in range(0, len(networks), step):
            some = networks[start : start + step]
            yield from _side_by_side(some, _names(some), options.max_width)
            yield Text()
        yield Facts(comparison_notes(networks[:step], _names(networks)[0]))
        yield Text()
        yield Text(self.example.lesson)


def example_list(examples: Sequence[Example]) -> RenderableType:
    """The names of the ready-made comparisons, and what each compares."""
    rows = [GridRow((Text(entry.name, "cyan"), Text(entry.title))) for entry in examples]
    return Grid([Column("example"), Column("compares", flexible=True)], rows)
