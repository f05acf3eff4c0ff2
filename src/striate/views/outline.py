"""The outline of a network: its nodes in groups by the dots in their names, equal neighbours folded into one.

``layer1.0.conv1`` stands in the group ``layer1.0``, which stands in the group ``layer1``. Groups, or runs of nodes,
that follow each other and are the same become one :class:`Repeat`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from striate.analysis.report import NodeReport, Report

__all__ = ["Group", "Item", "Leaf", "Repeat", "alike", "outline", "unfolded"]

_LONGEST_UNIT = 12
"""A unit that repeats is sought among so many neighbours at most."""
_SMALLEST_PAIR = 4
"""Two equal units in a row are folded from so many nodes each; three or more always."""
#: Attributes that say how a network is trained and change no number of the report; they grow from block to block.
_TRAINING_ONLY = {"stochasticdepth", "dropout"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One node."""

    node: NodeReport


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that follow each other and whose names begin alike.

    Args:
        name: what their names begin with.
        items: what is in it, in order.
    """

    name: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """Equal neighbours.

    Args:
        units: two or more; item by item they are the same, apart from their names and what they read, which is the
            same distance away.
    """

    units: tuple[tuple[Item, ...], ...]


Item = Leaf | Group | Repeat


def outline(report: Report) -> tuple[Item, ...]:
    """A network as groups and repeats; unfolded they are its nodes, in order.

    Folding loses no edge: nodes of a unit are read in their own unit and the next, those of the last unit anywhere.

    >>> from striate import zoo
    >>> from striate.analysis import inspect
    >>> layer3 = outline(inspect(zoo.build("resnet152")))[7]
    >>> layer3.name, [type(item).__name__ for item in layer3.items], len(layer3.items[1].units)
    ('layer3', ['Group', 'Repeat'], 35)
    """
    return _Outliner(report).items(0, len(report.nodes), 0)


def alike(bundle: Sequence[Item]) -> Iterator[tuple[Item, ...]]:
    """What is inside equal groups or repeats, place by place: the items at one place are equal as well.

    Args:
        bundle: equal items, as stand at one place of the units of a repeat; or a single one.
    """
    first = bundle[0]
    if isinstance(first, Group):
        yield from zip(*(item.items for item in bundle if isinstance(item, Group)), strict=True)
    elif isinstance(first, Repeat):
        yield from zip(*(unit for item in bundle if isinstance(item, Repeat) for unit in item.units), strict=True)


def unfolded(items: Sequence[Item]) -> Iterator[NodeReport]:
    """The nodes of some items, in order."""
    for item in items:
        if isinstance(item, Leaf):
            yield item.node
        elif isinstance(item, Group):
            yield from unfolded(item.items)
        else:
            for unit in item.units:
                yield from unfolded(unit)


class _Outliner:
    def __init__(self, report: Report) -> None:
        nodes = report.nodes
        self.nodes = nodes
        self.parts = [node.name.split(".") for node in nodes]
        place = {node.name: number for number, node in enumerate(nodes)}
        shapes = {node.name: node.shape for node in nodes}
        self.last_reader = list(range(len(nodes)))
        self.seen: dict[object, int] = {}
        self.kinds: list[int] = []
        for number, node in enumerate(nodes):
            sources = [place[name] for name in node.inputs]
            for source in sources:
                self.last_reader[source] = number
            attributes = None if node.kind in _TRAINING_ONLY else repr(node.attributes)
            arriving = tuple(shapes[name] for name in node.inputs)
            distances = tuple(number - source for source in sources)
            counts = (node.parameters, node.macs)
            self.kinds.append(self._known((node.kind, attributes, arriving, node.shape, distances, counts)))

    def _known(self, key: object) -> int:
        return self.seen.setdefault(key, len(self.seen))

    def items(self, start: int, stop: int, level: int) -> tuple[Item, ...]:
        """The nodes from ``start`` to before ``stop``, which have ``level`` parts of their names in common."""
        found: list[Item] = []
        spans: list[tuple[int, int]] = []
        while start < stop:
            parts = self.parts[start]
            end = start + 1
            if len(parts) == level + 1:
                found.append(Leaf(self.nodes[start]))
            else:
                prefix = parts[: level + 1]
                while end < stop and len(self.parts[end]) > level + 1 and self.parts[end][: level + 1] == prefix:
                    end += 1
                found.append(Group(".".join(prefix), self.items(start, end, level + 1)))
            spans.append((start, end))
            start = end
        return self._fold(found, spans, level)

    def _fold(self, items: Sequence[Item], spans: Sequence[tuple[int, int]], level: int) -> tuple[Item, ...]:
        keys = [self._known(self._key(start, end, level)) for start, end in spans]
        folded: list[Item] = []
        at = 0
        while at < len(items):
            length, times = self._repeat(keys, spans, at)
            if times > 1:
                units = (items[at + unit * length : at + (unit + 1) * length] for unit in range(times))
                folded.append(Repeat(tuple(tuple(unit) for unit in units)))
            else:
                folded.append(items[at])
            at += length * times
        return tuple(folded)

    def _key(self, start: int, end: int, level: int) -> object:
        """What two equal items have in common; a single node may have any name."""
        names = tuple(tuple(self.parts[number][level + 1 :]) for number in range(start, end))
        return names, tuple(self.kinds[start:end])

    def _repeat(self, keys: Sequence[int], spans: Sequence[tuple[int, int]], at: int) -> tuple[int, int]:
        """Length and number of the equal units that begin at an item and cover the most; else (1, 1)."""
        best = (1, 1)
        for length in range(1, min(_LONGEST_UNIT, (len(keys) - at) // 2) + 1):
            unit, times = keys[at : at + length], 1
            while keys[at + times * length : at + (times + 1) * length] == unit:
                times += 1
            times = self._closed(spans, at, length, times)
            nodes = spans[at + length - 1][1] - spans[at][0]
            worth = times > 2 or (times == 2 and nodes >= _SMALLEST_PAIR)
            if worth and length * times > best[0] * best[1] and not self._starts_late(keys, spans, at, length, times):
                best = (length, times)
        return best

    def _starts_late(
        self, keys: Sequence[int], spans: Sequence[tuple[int, int]], at: int, length: int, times: int
    ) -> bool:
        """Whether the same run could as well begin at a convolution a few items later, as people write it."""
        if self.nodes[spans[at][0]].macs:
            return False
        for start in range(at + 1, min(at + length, len(keys) - length * times + 1)):
            unit = keys[start : start + length]
            same = all(keys[start + turn * length : start + (turn + 1) * length] == unit for turn in range(times))
            if self.nodes[spans[start][0]].macs and same:
                return True
        return False

    def _closed(self, spans: Sequence[tuple[int, int]], at: int, length: int, times: int) -> int:
        """How many units there may be when all but the last are read no further than in the unit after them."""
        for unit in range(times - 1):
            first, last = at + unit * length, at + (unit + 1) * length - 1
            limit = spans[last + length][1]
            if any(self.last_reader[number] >= limit for number in range(spans[first][0], spans[last][1])):
                return unit + 1
        return times
