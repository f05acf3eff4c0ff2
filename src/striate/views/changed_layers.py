"""The layers in which two versions of a network differ, equal changes of equal neighbours folded into one row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from striate.units import Shape, format_count, format_shape
from striate.views.inspect_rows import field_words
from striate.views.layer_wording import report_words
from striate.views.outline_rows import OutlineRow, outline_rows, row_words

if TYPE_CHECKING:
    from striate.analysis.comparison import Comparison, LayerPair
    from striate.analysis.report import NodeReport, Report

__all__ = ["TITLES", "ChangedRow", "alike_words", "changed_rows"]

TITLES = ("layer", "what", "output", "parameters", "MACs", "field")

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """One row.

    Args:
        sign: ``−`` for what only the first network has, ``+`` for what only the second has, else empty.
        cells: one for each of :data:`TITLES`; ``a → b`` where they differ.
        layers: how many layers in it differ.
    """

    sign: str
    cells: Cells
    layers: int = 1


def changed_rows(comparison: Comparison, depth: int | None = None) -> tuple[ChangedRow, ...]:
    """What differs, in order. Where both networks have the same layers by name, equal neighbours are one row.

    Args:
        comparison: of two networks, layer by layer.
        depth: how many parts of a name are told apart, as in :func:`striate.views.outline_rows.outline_rows`; without
            effect where layers were added or removed. Default: all of them.

    >>> from striate import zoo
    >>> from striate.analysis.comparison import compare
    >>> from striate.analysis.editing import edit
    >>> net = zoo.build("resnet18")
    >>> rows = changed_rows(compare(net, edit(net, {"conv1": {"stride": 1}}), layers=True), 1)
    >>> [row.cells[0] for row in rows], rows[0].cells[2]
    (['conv1', 'bn1', 'relu', 'maxpool', 'layer1', 'layer2', 'layer3', 'layer4'], '64×112×112 → 64×224×224')
    """
    first, second = (entry.report for entry in comparison.networks)
    pairs = [(pair.first, pair.second) for pair in comparison.layers]
    if all(ours is not None and theirs is not None and ours.name == theirs.name for ours, theirs in pairs):
        return tuple(_folded_rows(comparison, first, second, depth))
    return tuple(_single_rows(comparison.layers, first, second))


def alike_words(comparison: Comparison, rows: Sequence[ChangedRow]) -> str:
    """How many layers are in none of the rows as different ones: ``12 layers are alike``; empty for none."""
    alike = len(comparison.layers) - sum(row.layers for row in rows)
    if alike == len(comparison.layers):
        return f"all {alike} layers are alike"
    return f"{alike} {'layer is' if alike == 1 else 'layers are'} alike" if alike else ""


def _folded_rows(comparison: Comparison, first: Report, second: Report, depth: int | None) -> Iterator[ChangedRow]:
    changed = {pair.second.name for pair in comparison.layers if pair.second is not None and pair.changed}
    before = {node.name: node for node in first.nodes}
    words = _words(first), _words(second)
    for row in outline_rows(second, depth):
        if differing := changed.intersection(node.name for node in row.nodes):
            earlier = OutlineRow(row.name, row.times, tuple(before[node.name] for node in row.nodes), row.group)
            ours = (row.name, row_words(earlier, words[0]), *_cells(earlier.nodes, first.input))
            theirs = (row.name, row_words(row, words[1]), *_cells(row.nodes, second.input))
            if ours != theirs:
                yield ChangedRow("", _merged(ours, theirs), len(differing))


def _single_rows(pairs: Sequence[LayerPair], first: Report, second: Report) -> Iterator[ChangedRow]:
    words = _words(first), _words(second)
    for pair in pairs:
        ours = None if pair.first is None else _alone(pair.first, words[0], first.input)
        theirs = None if pair.second is None else _alone(pair.second, words[1], second.input)
        if ours is None or theirs is None:
            yield ChangedRow("−" if theirs is None else "+", ours or theirs or ())
        elif ours != theirs:
            yield ChangedRow("", _merged(ours, theirs))


def _words(report: Report) -> dict[str, str]:
    return dict(zip((node.name for node in report.nodes), report_words(report), strict=True))


def _alone(node: NodeReport, words: dict[str, str], image: Shape) -> Cells:
    return (node.name, words[node.name], *_cells((node,), image))


def _cells(nodes: Sequence[NodeReport], image: Shape) -> Cells:
    """What leaves the last of some nodes, their parameters and MACs together, and the field of the last."""
    sums = (sum(node.parameters for node in nodes), sum(node.macs for node in nodes))
    counts = (format_count(count) if count else "–" for count in sums)
    return (format_shape(nodes[-1].shape), *counts, field_words(nodes[-1].field, image))


def _merged(ours: Cells, theirs: Cells) -> Cells:
    return tuple(a if a == b else f"{a} → {b}" for a, b in zip(ours, theirs, strict=True))
