"""A layered drawing of a graph without cycles, from top to bottom: which layer, in which order, and where.

The steps of Sugiyama, Tagawa and Toda ("Methods for visual understanding of hierarchical system structures", 1981):
layers by the longest path, an order in each layer by barycenters, positions by least squares that keep the order
(solved exactly by pooling adjacent violators). A line past a layer has a place in it of its own, so no line crosses
a box.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

__all__ = ["Cell", "Drawing", "Link", "Point", "draw_layers"]

_SWEEPS, _SETTLINGS = 6, 24
_GAP, _LANE_GAP = 18.0, 12.0
"""Between boxes side by side, and beside a line."""
_STEP, _PORT_STEP, _HIGHEST_STEP = 22.0, 8.0, 34.0
"""Between layers, behind where lines come in or before they go out, and where a line goes far across."""
_SLOPE = 0.1
_MANY = 3
_THROUGH, _STRAIGHT, _LONG, _BENT = 1000.0, 200.0, 20.0, 1.0
"""How much a line wants to be straight: where it comes in against where it goes out, so that frames below each other
do not drift aside; the main line; the middle of a long line; any other."""


@dataclass(slots=True)
class Cell:
    """Something with a place.

    Args:
        width: its width.
        height: its height.
        top: where lines arrive, from its centre, by the key of the line; default: the centre.
        bottom: where lines leave.
        first: stands in the first layer whatever reads it.
        last: stands in the last layer.
    """

    width: float
    height: float
    top: dict[int, float] = field(default_factory=dict)
    bottom: dict[int, float] = field(default_factory=dict)
    first: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A line from one cell to another, further below; its key finds the place where it leaves and arrives."""

    source: int
    target: int
    key: int


Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Where everything is.

    Args:
        width: of the whole.
        height: of the whole.
        centres: centre of each cell across, and its top.
        paths: for each link the points it goes through, straight down where two stand above each other.
    """

    width: float
    height: float
    centres: tuple[Point, ...]
    paths: tuple[tuple[Point, ...], ...]


def draw_layers(cells: Sequence[Cell], links: Sequence[Link]) -> Drawing:
    """Lay out cells in topological order and the links between them; sizes in pixels."""
    return _Layout(cells, links).drawing()


class _Layout:
    def __init__(self, cells: Sequence[Cell], links: Sequence[Link]) -> None:
        self.links = links
        self.cells = list(cells)
        self.layer = _longest_paths(cells, links)
        self.real = len(cells)
        self.main = self._main_lines()
        self.leaving = Counter(link.source for link in links)
        #: Segments from one layer to the next: upper cell, lower cell, key, weight.
        self.segments: list[tuple[int, int, int, float]] = []
        self.chains = [self._chain(link) for link in links]
        self.layers: list[list[int]] = [[] for _ in range(max(self.layer) + 1)]
        for cell, layer in enumerate(self.layer):
            self.layers[layer].append(cell)
        self.above: list[list[tuple[int, int, float]]] = [[] for _ in self.cells]
        self.below: list[list[tuple[int, int, float]]] = [[] for _ in self.cells]
        for upper, lower, key, weight in self.segments:
            self.above[lower].append((upper, key, weight))
            self.below[upper].append((lower, key, weight))
        ways_in, ways_out = ([n for n, cell in enumerate(cells) if getattr(cell, end)] for end in ("first", "last"))
        if ways_in and ways_out:
            self.above[ways_out[0]].append((ways_in[0], -1, _THROUGH))
            self.below[ways_in[0]].append((ways_out[0], -1, _THROUGH))
        self.x = [0.0] * len(self.cells)

    def _main_lines(self) -> set[Link]:
        """The main line goes on from a cell to its nearest reader, and arrives from the nearest that is read.

        Where many lines begin or end there is none, and the cell stands in the middle of them.
        """
        onward: dict[int, Link] = {}
        back: dict[int, Link] = {}
        for link in sorted(self.links, key=lambda link: (self.layer[link.target], link.target)):
            onward.setdefault(link.source, link)
        for link in sorted(self.links, key=lambda link: (-self.layer[link.source], link.source)):
            back.setdefault(link.target, link)
        out = Counter((link.source, self.layer[link.target]) for link in self.links)
        into = Counter((link.target, self.layer[link.source]) for link in self.links)
        return {
            link
            for link in onward.values()
            if back[link.target] == link
            and out[link.source, self.layer[link.target]] < _MANY
            and into[link.target, self.layer[link.source]] < _MANY
        }

    def _chain(self, link: Link) -> list[int]:
        """A link as cells, one in each layer that it passes."""
        chain = [link.source]
        for layer in range(self.layer[link.source] + 1, self.layer[link.target]):
            self.cells.append(Cell(0.0, 0.0))
            self.layer.append(layer)
            chain.append(len(self.cells) - 1)
        chain.append(link.target)
        for upper, lower in pairwise(chain):
            lane = lower >= self.real and (upper >= self.real or self.leaving[upper] == 1)
            weight = _LONG if lane else _STRAIGHT if link in self.main else _BENT
            self.segments.append((upper, lower, link.key, weight))
        return chain

    def drawing(self) -> Drawing:
        self._order()
        self._place()
        low = min(self.x[cell] - self.cells[cell].width / 2 for cell in range(len(self.cells)))
        high = max(self.x[cell] + self.cells[cell].width / 2 for cell in range(len(self.cells)))
        self.x = [x - low for x in self.x]
        heights = [max(self.cells[cell].height for cell in layer) for layer in self.layers]
        tops = [0.0]
        for height, step in zip(heights, self._steps(), strict=False):
            tops.append(tops[-1] + height + step)
        centres = []
        for cell in range(self.real):
            layer = self.layer[cell]
            centres.append((self.x[cell], tops[layer] + (heights[layer] - self.cells[cell].height) / 2))
        paths = [
            self._path(chain, link.key, centres, tops, heights)
            for chain, link in zip(self.chains, self.links, strict=True)
        ]
        return Drawing(high - low, tops[-1] + heights[-1], tuple(centres), tuple(paths))

    def _steps(self) -> list[float]:
        """The distances between layers: larger where a line goes far across."""
        steps = []
        for upper, lower in pairwise(self.layers):
            ports = all(self.cells[cell].first for cell in upper) or all(self.cells[cell].last for cell in lower)
            steps.append(_PORT_STEP if ports else _STEP)
        for upper_cell, lower_cell, key, _ in self.segments:
            start = self.x[upper_cell] + self.cells[upper_cell].bottom.get(key, 0.0)
            across = abs(self.x[lower_cell] + self.cells[lower_cell].top.get(key, 0.0) - start)
            layer = self.layer[upper_cell]
            steps[layer] = max(steps[layer], min(_STEP + _SLOPE * across, _HIGHEST_STEP) if across > 1 else 0.0)
        return steps

    def _path(
        self, chain: list[int], key: int, centres: list[Point], tops: list[float], heights: list[float]
    ) -> tuple[Point, ...]:
        source, target = chain[0], chain[-1]
        x, top = centres[source]
        x += self.cells[source].bottom.get(key, 0.0)
        points = [(x, top + self.cells[source].height), (x, tops[self.layer[source]] + heights[self.layer[source]])]
        for cell in chain[1:-1]:
            layer = self.layer[cell]
            points += [(self.x[cell], tops[layer]), (self.x[cell], tops[layer] + heights[layer])]
        x, top = centres[target]
        x += self.cells[target].top.get(key, 0.0)
        return (*points, (x, tops[self.layer[target]]), (x, top))

    def _order(self) -> None:
        place = {cell: float(number) for layer in self.layers for number, cell in enumerate(layer)}
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            neighbours = self.above if down else self.below
            for layer in self.layers if down else reversed(self.layers):
                wanted = {
                    cell: sum(place[other] for other, _, _ in neighbours[cell]) / len(neighbours[cell])
                    if neighbours[cell]
                    else place[cell]
                    for cell in layer
                }
                layer.sort(key=wanted.__getitem__)
                for number, cell in enumerate(layer):
                    place[cell] = float(number)

    def _place(self) -> None:
        for layer in self.layers:
            offsets = self._offsets(layer)
            for cell, offset in zip(layer, offsets, strict=True):
                self.x[cell] = offset - offsets[-1] / 2
        for sweep in range(_SETTLINGS):
            down = sweep % 2 == 0
            for layer in self.layers if down else reversed(self.layers):
                self._settle(layer, up=down or sweep > _SETTLINGS // 2, down=not down or sweep > _SETTLINGS // 2)

    def _settle(self, layer: list[int], *, up: bool, down: bool) -> None:
        """Every cell of a layer as near to below and above its neighbours as the others let it."""
        wanted, weights = [], []
        for cell in layer:
            total, weight = 1e-3 * self.x[cell], 1e-3
            for other, key, strength in self.above[cell] if up else ():
                x = self.x[other] + self.cells[other].bottom.get(key, 0.0) - self.cells[cell].top.get(key, 0.0)
                total, weight = total + strength * x, weight + strength
            for other, key, strength in self.below[cell] if down else ():
                x = self.x[other] + self.cells[other].top.get(key, 0.0) - self.cells[cell].bottom.get(key, 0.0)
                total, weight = total + strength * x, weight + strength
            wanted.append(total / weight)
            weights.append(weight)
        offsets = self._offsets(layer)
        free = _monotone([x - offset for x, offset in zip(wanted, offsets, strict=True)], weights)
        for cell, x, offset in zip(layer, free, offsets, strict=True):
            self.x[cell] = x + offset

    def _offsets(self, layer: list[int]) -> list[float]:
        """The least distance of each cell's centre from that of the first."""
        offsets = [0.0]
        for left, right in pairwise(layer):
            gap = _GAP if left < self.real and right < self.real else _LANE_GAP
            offsets.append(offsets[-1] + (self.cells[left].width + self.cells[right].width) / 2 + gap)
        return offsets


def _longest_paths(cells: Sequence[Cell], links: Sequence[Link]) -> list[int]:
    layer = [0] * len(cells)
    lowest = 1 if any(cell.first for cell in cells) else 0
    sources: dict[int, list[int]] = {}
    for link in links:
        sources.setdefault(link.target, []).append(link.source)
    for number, cell in enumerate(cells):
        if not cell.first:
            layer[number] = max((layer[source] + 1 for source in sources.get(number, ())), default=lowest)
    deepest = max((layer[number] for number, cell in enumerate(cells) if not cell.last), default=0)
    return [deepest + 1 if cell.last else layer[number] for number, cell in enumerate(cells)]


def _monotone(wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The nearest values, by weighted squares, that do not fall from one to the next.

    >>> _monotone([3.0, 1.0, 5.0], [1.0, 1.0, 1.0])
    [2.0, 2.0, 5.0]
    """
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(wanted, weights, strict=True):
        pools.append((value, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (low, low_weight, low_count), (high, high_weight, high_count) = pools[-2:]
            both = low_weight + high_weight
            pools[-2:] = [((low * low_weight + high * high_weight) / both, both, low_count + high_count)]
    return [value for value, _, count in pools for _ in range(count)]
