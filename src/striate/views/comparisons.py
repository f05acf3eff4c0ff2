"""``striate compare`` and ``striate inspect --set``: networks side by side, and what differs layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from striate.units import format_bytes, format_count, format_shape, format_share
from striate.views.inspect_rows import field_words, output_words
from striate.views.layer_wording import report_words
from striate.views.safe_text import visible
from striate.views.tables import Column, Facts, Grid, GridRow

if TYPE_CHECKING:
    from striate.analysis.comparison import Comparison, LayerPair, Summary
    from striate.analysis.examples import Example
    from striate.analysis.report import NodeReport

__all__ = ["comparison_view", "example_list", "example_view"]

#: Networks of at most so many layers are spelled out above the table.
_SHORT = 6


def comparison_view(comparison: Comparison, titles: Sequence[str] | None = None) -> RenderableType:
    """Networks side by side; for two, what changes from the first to the second, and the layers that differ.

    Args:
        comparison: as :func:`striate.analysis.comparison.compare` returns it.
        titles: what stands above each network; default: their names.

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
    return _ComparisonView(comparison, titles)


class _ComparisonView:
    def __init__(self, comparison: Comparison, titles: Sequence[str] | None) -> None:
        self.comparison = comparison
        self.titles = titles or [visible(entry.report.name) for entry in comparison.networks]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        networks = self.comparison.networks
        if all(entry.layers <= _SHORT for entry in networks):
            yield Facts(zip(self.titles, map(_spelled_out, networks), strict=True))
            yield Text()
        two = len(networks) == 2
        columns = [Column(""), *(Column(title, right=True) for title in self.titles)]
        if two:
            columns.append(Column("change", right=True))
        rows = [
            GridRow(tuple(Text(cell, "" if place else "dim") for place, cell in enumerate(row)))
            for row in _rows(networks, two)
        ]
        yield Grid(columns, rows)
        yield Text()
        yield Facts(_notes(networks))
        if self.comparison.layers:
            yield Text()
            yield from _layers(self.comparison)


def _spelled_out(entry: Summary) -> str:
    return " > ".join(report_words(entry.report)[1:])


def _rows(networks: Sequence[Summary], two: bool) -> Iterator[tuple[str, ...]]:
    """A quantity in each row."""
    yield _words("input", [format_shape(entry.report.input) for entry in networks], two)
    yield _words("output", [output_words(entry.report) for entry in networks], two)
    yield _few("layers", [entry.layers for entry in networks], two)
    yield _few("depth", [entry.depth for entry in networks], two)
    yield _numbers("parameters", [entry.report.parameters for entry in networks], two)
    yield _numbers("MACs", [entry.report.macs for entry in networks], two)
    yield _numbers("MACs to train", [entry.training_macs for entry in networks], two)
    yield _numbers("memory to run", [entry.memory for entry in networks], two, as_bytes=True)
    yield _numbers("memory to train", [entry.training_memory for entry in networks], two, as_bytes=True)
    fields = [
        (field_words(entry.field, entry.report.input), field_words(entry.end, entry.report.input)) for entry in networks
    ]
    yield _words("receptive field", [end for _, end in fields], two)
    if any(before != end for before, end in fields):
        yield _words("before the head", [before for before, _ in fields], two)


def _words(name: str, values: list[str], two: bool) -> tuple[str, ...]:
    return (name, *values, *(("=" if values[0] == values[1] else "differs",) if two else ()))


def _few(name: str, values: list[int], two: bool) -> tuple[str, ...]:
    """Counts so small that a share says nothing."""
    change = (values[1] - values[0]) if two else 0
    return (name, *map(str, values), *((f"{change:+d}".replace("-", "−") if change else "=",) if two else ()))


def _numbers(name: str, values: list[int], two: bool, as_bytes: bool = False) -> tuple[str, ...]:
    show = format_bytes if as_bytes else format_count
    if two:
        return name, show(values[0]), show(values[1]), _change(values[0], values[1], as_bytes)
    first, *others = values
    # With more than two there is no room for changes: each as a share of the first, where it is one.
    return name, show(first), *(f"{show(v)} ({format_share(v, first)})" if v < first else show(v) for v in others)


def _change(before: int, after: int, as_bytes: bool) -> str:
    if before == after:
        return "="
    sign, amount = ("+" if after > before else "−"), abs(after - before)
    shown = format_bytes(amount) if as_bytes else format_count(amount)
    if before == 0:
        return f"{sign}{shown}"
    if after >= 2 * before:
        return f"{sign}{shown} (×{after / before:.3g})"
    return f"{sign}{shown} ({sign}{format_share(amount, before)})"


def _notes(networks: Sequence[Summary]) -> Iterator[tuple[str, str]]:
    yield "depth", "weighted layers on the longest way through"
    yield "memory", "at the peak, one image, float32, weights included; to train: with AdamW"
    yield "receptive field", "of the output; before the head: of the last map that is not read as a whole yet"
    uncounted = sorted({name for entry in networks for name in entry.report.uncounted})
    if uncounted:
        yield "uncounted", f"{', '.join(uncounted)}: no layer describes them, so the totals are lower bounds"


def _layers(comparison: Comparison) -> Iterator[RenderableType]:
    first, second = (entry.report for entry in comparison.networks)
    words = [
        dict(zip((node.name for node in report.nodes), report_words(report), strict=True)) for report in (first, second)
    ]
    changed = [pair for pair in comparison.layers if pair.changed]
    alike = len(comparison.layers) - len(changed)
    if not changed:
        yield Text(f"all {alike} layers are alike")
        return
    titles = ("output", "parameters", "MACs", "field")
    columns = [Column("layer"), Column("what", flexible=True), *(Column(title, right=True) for title in titles)]
    rows = [_layer_row(pair, words[0], words[1], first.input, second.input) for pair in changed]
    yield Grid(columns, rows)
    if alike:
        yield Text(f"\n{alike} {'layer is' if alike == 1 else 'layers are'} alike", style="dim")


def _layer_row(
    pair: LayerPair, ours: dict[str, str], theirs: dict[str, str], before: tuple[int, ...], after: tuple[int, ...]
) -> GridRow:
    first = None if pair.first is None else (pair.first.name, ours[pair.first.name], *_cells(pair.first, before))
    second = None if pair.second is None else (pair.second.name, theirs[pair.second.name], *_cells(pair.second, after))
    if first is None or second is None:
        sign, style, cells = ("−", "red", first) if second is None else ("+", "green", second)
        name, *rest = cells or ("",)
        return GridRow(tuple(Text(cell, style) for cell in (f"{sign} {name}", *rest)))
    merged = [a if a == b else f"{a} → {b}" for a, b in zip(first, second, strict=True)]
    return GridRow((Text(merged[0], "cyan"), *(Text(cell) for cell in merged[1:])))


def _cells(node: NodeReport, image: tuple[int, ...]) -> tuple[str, ...]:
    counts = (format_count(count) if count else "–" for count in (node.parameters, node.macs))
    return (format_shape(node.shape), *counts, field_words(node.field, image))


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
        yield comparison_view(self.comparison)
        yield Text()
        yield Text(self.example.lesson)


def example_list(examples: Sequence[Example]) -> RenderableType:
    """The names of the ready-made comparisons, and what each compares."""
    rows = [GridRow((Text(entry.name, "cyan"), Text(entry.title))) for entry in examples]
    return Grid([Column("example"), Column("compares", flexible=True)], rows)
