"""``striate zoo``: the networks that come with Striate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from striate.units import format_count, format_shape
from striate.views.number_wording import format_compact
from striate.views.tables import Column, Grid, GridRow

if TYPE_CHECKING:
    from striate.graph import Graph
    from striate.zoo import Architecture

__all__ = ["zoo_table"]

_TITLES = ("network", "input", "classes", "parameters", "MACs")
_INDENT, _GAP = 2, 2
_LEAST = 40
"""Below so many characters the descriptions are no column of their own: they would be drawn out into strips."""


def zoo_table(architectures: Iterable[Architecture]) -> RenderableType:
    """Networks by what they are for, with the input and classes they were designed for, and what they cost there.

    On a narrow console each description stands below its network.

    Args:
        architectures: such as ``zoo.architectures().values()``; each is built, which takes milliseconds.

    >>> from striate import zoo
    >>> from striate.views import make_console
    >>> make_console().print(zoo_table([zoo.find("mobilenet_v1")]))  # doctest: +ELLIPSIS
    network         input      classes  parameters     MACs
    ──...
    classification
      mobilenet_v1  3×224×224    1,000   4,231,976  568.7 M  Howard et al. 2017: ... convolutions; also mobilenet
    """
    return _ZooTable(architectures)


class _ZooTable:
    def __init__(self, architectures: Iterable[Architecture]) -> None:
        families: dict[str, list[Architecture]] = {}
        for entry in architectures:
            families.setdefault(entry.family, []).append(entry)
        # Most are for classification, which therefore comes first.
        order = sorted(families, key=lambda family: (family != "classification", family))
        self.families = [
            (family, [_row(entry) for entry in sorted(families[family], key=_natural)]) for family in order
        ]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = [row for _, family in self.families for row in family]
        widths = [max(cell_len(row[place]) for row in (_TITLES, *rows)) for place in range(len(_TITLES))]
        beside = options.max_width - sum(widths) - _GAP * len(widths) >= _LEAST
        columns = [Column(title, right=place > 1) for place, title in enumerate(_TITLES)]
        if beside:
            columns.append(Column("", flexible=True))
        yield Grid(columns, list(self._rows(None if beside else _Below(console, options.max_width))), gap=_GAP)

    def _rows(self, below: _Below | None) -> Iterator[GridRow]:
        filler = (Text(),) * (len(_TITLES) - 1 + (below is None))
        for number, (family, rows) in enumerate(self.families):
            if number:
                yield GridRow((Text(), *filler))
            yield GridRow((Text(family, "bold"), *filler))
            for name, *cells, words in rows:
                texts = (Text(name, "cyan"), *map(Text, cells))
                yield GridRow((*texts, Text(words))) if below is None else GridRow(texts, below=below.text(words))


class _Below:
    """Descriptions between the rows, further in than the names."""

    def __init__(self, console: Console, width: int) -> None:
        self.console, self.width = console, width

    def text(self, words: str) -> Text:
        lines = Text(words, "dim").wrap(self.console, max(self.width - 2 * _INDENT, 1), overflow="fold")
        for line in lines:
            line.rstrip()
            line.pad_left(2 * _INDENT)
        return Text("\n").join(lines)


def _row(entry: Architecture) -> Sequence[str]:
    graph = entry.build()
    classes = format_count(entry.classes) if entry.adapts_classes else "–"
    numbers = (classes, format_count(graph.parameter_count), format_compact(_macs(graph)))
    words = entry.summary + (f"; also {', '.join(entry.aliases)}" if entry.aliases else "")
    return (f"{' ' * _INDENT}{entry.name}", format_shape(entry.input), *numbers, words)


def _natural(entry: Architecture) -> tuple[tuple[int, str], ...]:
    """A key by which resnet18 comes before resnet101."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", entry.name))


def _macs(graph: Graph) -> int:
    return sum(node.layer.macs(graph.input_shapes(node), graph.shapes[node.name]) for node in graph.nodes)
