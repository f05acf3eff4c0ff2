"""The outline of a network as rows: each node in exactly one, groups and repeats summed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from striate.units import format_count, format_shape, format_share
from striate.views.inspect_rows import InspectRow, node_field_words
from striate.views.layer_wording import layer_words, report_words
from striate.views.outline import Group, Item, Leaf, Repeat, alike, outline, unfolded

if TYPE_CHECKING:
    from striate.analysis.report import NodeReport, Report

__all__ = ["OutlineRow", "folded_name", "layer_counts", "outline_rows", "row_words", "tree_rows"]

_MOST_KINDS, _MOST_NUMBERS = 4, 4


@dataclass(frozen=True, slots=True)
class OutlineRow:
    """One row.

    Args:
        name: of the node or group, or of all that were folded: ``layer3.1–35.conv1``.
        times: how many equal ones were folded.
        nodes: every node in it, in order; ``len(nodes) / times`` in each.
        group: whether they stand for a group.
    """

    name: str
    times: int
    nodes: tuple[NodeReport, ...]
    group: bool

    @property
    def parameters(self) -> int:
        """Trained numbers of all nodes."""
        return sum(node.parameters for node in self.nodes)

    @property
    def macs(self) -> int:
        """Multiply-adds of all nodes."""
        return sum(node.macs for node in self.nodes)

    @property
    def last(self) -> NodeReport:
        """The node at its end."""
        return self.nodes[-1]


def outline_rows(report: Report, depth: int | None = None) -> tuple[OutlineRow, ...]:
    """Every node of a network in one row.

    Args:
        report: of any network.
        depth: how many parts of a name are told apart; default: all of them.

    >>> from striate import zoo
    >>> from striate.analysis import inspect
    >>> [row.name for row in outline_rows(inspect(zoo.build("resnet152")), 2)][5:9]
    ['layer1.0', 'layer1.1–2', 'layer2.0', 'layer2.1–7']
    """
    return tuple(row for item in outline(report) for row in _rows((item,), 1, depth))


def tree_rows(report: Report, depth: int | None = None) -> tuple[InspectRow, ...]:
    """The rows of :func:`outline_rows` as text; sums stand for groups, shape and field are those of the last node."""
    parameters, macs = report.parameters, report.macs
    sources = dict(zip((node.name for node in report.nodes), report_words(report), strict=True))
    return tuple(
        InspectRow(
            name=row.name,
            what=row_words(row, sources),
            shape=format_shape(row.last.shape),
            parameters=format_count(row.parameters) if row.parameters else "–",
            parameters_share=format_share(row.parameters, parameters) if row.parameters else "–",
            macs=format_count(row.macs) if row.macs else "–",
            macs_share=format_share(row.macs, macs) if row.macs else "–",
            field=node_field_words(row.last, report.input),
        )
        for row in outline_rows(report, depth)
    )


def folded_name(names: Sequence[str]) -> str:
    """One name for several, as short as they allow.

    >>> folded_name(["layer3.1.conv1", "layer3.2.conv1", "layer3.3.conv1"]), folded_name(["relu2", "relu4"])
    ('layer3.1–3.conv1', 'relu2,4')
    >>> folded_name(["relu1", "relu2", "relu3"]), folded_name([f"relu{number}" for number in range(1, 13, 2)])
    ('relu1–3', 'relu1,3…11')
    """
    split = [name.split(".") for name in names]
    if len({len(parts) for parts in split}) > 1:
        return f"{names[0]}…{names[-1]}"
    places = []
    for parts in zip(*split, strict=True):
        different = list(dict.fromkeys(parts))
        word = different[0].rstrip("0123456789")
        numbers = [part.removeprefix(word) for part in different]
        if len(different) == 1:
            places.append(different[0])
        elif all(part.startswith(word) for part in different) and all(part.isdecimal() for part in numbers):
            places.append(word + _folded_numbers([int(part) for part in numbers]))
        else:
            places.append(f"{different[0]}…{different[-1]}")
    return ".".join(places)


def _folded_numbers(numbers: Sequence[int]) -> str:
    """Numbers in a row as a range; others so that nobody takes them for one."""
    if list(numbers) == list(range(numbers[0], numbers[0] + len(numbers))):
        return f"{numbers[0]}–{numbers[-1]}"
    shown = ",".join(map(str, numbers if len(numbers) <= _MOST_NUMBERS else numbers[:2]))
    return shown if len(numbers) <= _MOST_NUMBERS else f"{shown}…{numbers[-1]}"


def layer_counts(nodes: Sequence[NodeReport]) -> str:
    """How many layers of which kind: ``10 layers: 3 conv, 3 batchnorm, 3 relu, add``."""
    counts = Counter(node.kind for node in nodes).most_common()
    shown = [kind if count == 1 else f"{count} {kind}" for kind, count in counts[:_MOST_KINDS]]
    rest = sum(count for _, count in counts[_MOST_KINDS:])
    return f"{len(nodes)} layers: {', '.join(shown)}" + (f", {rest} more" if rest else "")


def _rows(bundle: tuple[Item, ...], level: int, depth: int | None) -> Iterator[OutlineRow]:
    """The rows of equal items, which stand for ``len(bundle)`` times the same."""
    first = bundle[0]
    if isinstance(first, Repeat):
        for part in alike(bundle):
            yield from _rows(part, level, depth)
    elif isinstance(first, Group) and not (depth is not None and level >= depth):
        for part in alike(bundle):
            yield from _rows(part, level + 1, depth)
    else:
        nodes = tuple(unfolded(bundle))
        alone = isinstance(first, Leaf) or len(nodes) == len(bundle)
        names = [node.name for node in nodes] if alone else [item.name for item in bundle if isinstance(item, Group)]
        yield OutlineRow(folded_name(names), len(bundle), nodes, not alone)


def row_words(row: OutlineRow, sources: dict[str, str]) -> str:
    """What a row stands for, in a few words.

    Args:
        row: any.
        sources: each node in a few words, by its name.
    """
    if row.group:
        words = layer_counts(row.nodes[: len(row.nodes) // row.times])
        return words if row.times == 1 else f"{row.times} × ({words})"
    if row.times == 1:
        return sources[row.last.name]
    first, last = (layer_words(node.kind, node.attributes, len(node.shape) - 1) for node in (row.nodes[0], row.last))
    return f"{row.times} × {first}" if first == last else f"{row.times} × {first} to {last}"
