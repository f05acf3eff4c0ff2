"""``striate zoo``: the networks that come with Striate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.text import Text

from striate.units import format_count, format_shape
from striate.views.number_wording import format_compact
from striate.views.tables import Column, Grid, GridRow

if TYPE_CHECKING:
    from striate.graph import Graph
    from striate.zoo import Architecture

__all__ = ["zoo_table"]


def zoo_table(architectures: Iterable[Architecture]) -> Grid:
    """Networks with the input and classes they were designed for, and what they cost at that size.

    Args:
        architectures: such as ``zoo.architectures().values()``; each is built, which takes milliseconds.
    """
    columns = (
        Column("network"),
        Column("input"),
        Column("classes", right=True),
        Column("parameters", right=True),
        Column("MACs", right=True),
        Column("", flexible=True),
    )
    return Grid(columns, [_row(entry) for entry in architectures])


def _row(entry: Architecture) -> GridRow:
    graph = entry.build()
    classes = format_count(entry.classes) if entry.adapts_classes else "–"
    numbers = (classes, format_count(graph.parameter_count), format_compact(_macs(graph)))
    texts = (format_shape(entry.input), *numbers, entry.summary)
    return GridRow((Text(entry.name, "cyan"), *(Text(text) for text in texts)))


def _macs(graph: Graph) -> int:
    return sum(node.layer.macs(graph.input_shapes(node), graph.shapes[node.name]) for node in graph.nodes)
