"""N107: dilated convolutions in a row that leave holes in what a unit sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from striate.graph import Graph, Node
from striate.graph.layer import EVERYTHING
from striate.graph.layers.convolution import Conv
from striate.graph.layers.pooling import Pool
from striate.lint.geometry import line_words
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import format_share

__all__ = ["gridding"]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a unit sees of the map at which its resolution begins, along one axis.

    Args:
        lines: a bit for each line, from the first that is read.
        first: where that line is, relative to the unit.
        dilated: how many dilated convolutions lie behind each other on the way.
        last: the last of them.
    """

    lines: int = 1
    first: int = 0
    dilated: int = 0
    last: str = ""

    def moved(self, offsets: list[int]) -> _Seen:
        """Through a layer with taps at these places."""
        low = min(offsets)
        lines = 0
        for offset in offsets:
            lines |= self.lines << (offset - low)
        return _Seen(lines, self.first + low, self.dilated, self.last)

    def joined(self, other: _Seen) -> _Seen:
        """With another branch."""
        first = min(self.first, other.first)
        lines = self.lines << (self.first - first) | other.lines << (other.first - first)
        deeper = self if self.dilated >= other.dilated else other
        return _Seen(lines, first, deeper.dilated, deeper.last)


@rule("N107", "gridding", "warning")
def gridding(net: Subject) -> Iterator[Evidence]:
    """Dilated convolutions in a row leave holes in what their units see.

    What: two or more dilated convolutions behind each other after which a unit still does not read every line between
        the first and the last it reads, on the map at which their resolution begins; followed exactly through all
        layers and branches up to where the resolution changes again.
    Why: with rates that share a factor, neighbouring units look at different pixels altogether: local detail is lost
        and the output shows the grid.
    Example: conv 16 3 padding=2 dilation=2 > relu > conv 16 3 padding=2 dilation=2 > relu > globalavgpool > dense 10
    Instead: conv 16 3 padding=1 > relu > conv 16 3 padding=2 dilation=2 > relu > globalavgpool > dense 10
    Fix: none: rates without a common factor that begin at 1, as 1, 2, 5 (hybrid dilated convolution), or undilated
        convolutions behind (dilated residual networks).
    Source: Wang et al. 2018, "Understanding convolution for semantic segmentation", WACV, section 3.2; Yu, Koltun and
        Funkhouser 2017, "Dilated residual networks", section 4.
    """
    rank = len(net.graph.shapes[net.graph.inputs[0].name]) - 1
    found: dict[str, list[tuple[int, _Seen]]] = {}
    dilated = any(isinstance(node.layer, Conv) and node.layer.dilation != 1 for node in net.graph.nodes)
    for axis in range(rank if dilated else 0):
        for seen in _at_ends(net, axis):
            length, read = seen.lines.bit_length(), seen.lines.bit_count()
            if seen.dilated > 1 and read < length:
                found.setdefault(seen.last, []).append((axis, seen))
    for name, places in found.items():
        alike = {(seen.lines, seen.dilated): [a for a, other in places if other == seen] for _, seen in places}
        (lines, count), axes = max(alike.items(), key=lambda entry: entry[0][0].bit_length())
        length, read = lines.bit_length(), lines.bit_count()
        words = line_words(rank, sorted(set(axes)))
        yield Evidence(
            name,
            f"behind {count} dilated convolutions a unit spans {length} {words} and reads {read}: "
            f"{format_share(length - read, length)} of them it never reads",
            fix="dilations that begin at 1 and share no factor, as 1, 2, 5",
        )


def _at_ends(net: Subject, axis: int) -> Iterator[_Seen]:
    """What the units see where a stretch of one resolution ends."""
    graph = net.graph
    seen: dict[str, _Seen] = {}
    for node in graph.nodes:
        seen[node.name] = _through(graph, node, axis, seen)
    for node in graph.nodes:
        readers = net.readers[node.name]
        if node.name in graph.outputs or any(_begins(graph, reader, axis) for reader in readers):
            yield seen[node.name]


def _through(graph: Graph, node: Node, axis: int, seen: Mapping[str, _Seen]) -> _Seen:
    shapes = graph.input_shapes(node)
    result: _Seen | None = None
    for position, source in enumerate(node.inputs):
        offsets = _offsets(node, shapes, position, axis)
        if offsets is None:
            continue
        one = seen[source].moved(offsets)
        if isinstance(node.layer, Conv) and node.layer.windows(len(shapes[0]) - 1)[axis].dilation > 1 < len(offsets):
            one = _Seen(one.lines, one.first, one.dilated + 1, node.name)
        result = one if result is None else result.joined(one)
    return result or _Seen()


def _offsets(node: Node, shapes: tuple[tuple[int, ...], ...], position: int, axis: int) -> list[int] | None:
    """Where a unit's taps lie; None where another resolution begins, or a gate is read."""
    if position in node.layer.shape_only or axis >= len(shapes[position]) - 1:
        return None
    reach = node.layer.reach(shapes, position, axis)
    if reach == EVERYTHING or reach.step != 1:
        return None
    if isinstance(node.layer, (Conv, Pool)):
        window = node.layer.windows(len(shapes[position]) - 1)[axis]
        return [tap * window.dilation - window.before for tap in range(window.kernel)]
    low, high = int(reach.low // 1), int(-(-reach.high // 1))
    # What is not known to have holes has none.
    return list(range(low, high + 1)) if high - low < 10_000 else None


def _begins(graph: Graph, node: Node, axis: int) -> bool:
    shapes = graph.input_shapes(node)
    return all(_offsets(node, shapes, position, axis) is None for position in range(len(shapes)))
