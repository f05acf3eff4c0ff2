"""Where the boxes, frames and arrows of a diagram are; each frame is laid out by itself and then is one cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from striate.views.diagram_boxes import Box, Diagram, Frame, Part
from striate.views.layered_layout import Cell, Drawing, Link, Point, draw_layers

__all__ = ["LINE", "PAD", "PlacedBox", "PlacedDiagram", "PlacedFrame", "place_diagram", "text_width"]

PAD = 12.0
"""Inside a frame, and around the whole."""
LABEL = 20.0
"""Height of a frame's label."""
LINE = 15.0
"""Height of a line of text in a box."""


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """A box with its upper left corner and size, in pixels, and its lines of text."""

    box: Box
    lines: tuple[str, ...]
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class PlacedFrame:
    """A frame that is drawn, with its upper left corner and size, and its label without what the outer one says."""

    frame: Frame
    label: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class PlacedDiagram:
    """The whole: frames from the outside in, boxes, and pieces of lines.

    Args:
        width: of the whole.
        height: of the whole.
        boxes: in order.
        frames: an outer one before those inside it.
        lines: the points that each piece of an arrow goes through, and whether it ends at a box.
    """

    width: float
    height: float
    boxes: tuple[PlacedBox, ...]
    frames: tuple[PlacedFrame, ...]
    lines: tuple[tuple[tuple[Point, ...], bool], ...]


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """At most so many pixels wide, in any of the fonts that the page may find."""
    wide = sum(1.0 if mark in "MWmw@×…–→" else 0.45 if mark in "iljtfr.,:;|' ()" else 0.66 for mark in text)
    return wide * size * (1.06 if bold else 1.0)


def box_lines(box: Box, frame: str = "") -> tuple[str, ...]:
    """The lines of text in a box, the title first; its name without what the label of its frame says."""
    return tuple(line for line in (box.title, box.followers, f"{_short(box.name, frame)} · {box.shape}") if line)


def place_diagram(diagram: Diagram) -> PlacedDiagram:
    """Lay out a diagram."""
    placer = _Placer(diagram)
    placer.solve(diagram.root, (), outer="")
    placer.emit(diagram.root, (), PAD, PAD)
    width, height = placer.sizes[()]
    return PlacedDiagram(
        width + 2 * PAD, height + 2 * PAD, tuple(placer.boxes), tuple(placer.frames), tuple(placer.lines)
    )


Path = tuple[int, ...]
"""The way from the root to a part: its place in each frame."""


class _Placer:
    def __init__(self, diagram: Diagram) -> None:
        self.homes = list(_paths(diagram.root, ()))
        self.arrows = diagram.arrows
        self.inside: dict[Path, list[tuple[int, int]]] = {}
        for arrow in diagram.arrows:
            source, target = (self.homes[end] for end in arrow)
            for frame in {home[:depth] for home in (source, target) for depth in range(len(home))}:
                common = source[: len(frame)] == frame or target[: len(frame)] == frame
                if common:
                    self.inside.setdefault(frame, []).append(arrow)
        self.sizes: dict[Path, tuple[float, float]] = {}
        self.drawings: dict[Path, tuple[list[Cell], list[Link], Drawing, Point]] = {}
        self.boxes: list[PlacedBox] = []
        self.frames: list[PlacedFrame] = []
        self.lines: list[tuple[tuple[Point, ...], bool]] = []

    def solve(self, frame: Frame, path: Path, *, outer: str) -> Cell:
        """Lay out the inside of a frame; it is then a cell of its own."""
        cells = [
            self.solve(part, (*path, number), outer=frame.label)
            if isinstance(part, Frame)
            else _box_cell(part, frame.label)
            for number, part in enumerate(frame.parts)
        ]
        parts = len(cells)
        entries, exits, links = self._links(path, parts)
        cells += [Cell(0.0, 0.0, first=True) for _ in entries]
        # Entries come first in topological order, exits last; links know cells by number, so order does not matter.
        cells += [Cell(0.0, 0.0, last=True) for _ in exits]
        order = [*range(parts, parts + len(entries)), *range(parts), *range(parts + len(entries), len(cells))]
        rank = {cell: number for number, cell in enumerate(order)}
        sorted_links = [Link(rank[link.source], rank[link.target], link.key) for link in links]
        found = draw_layers([cells[cell] for cell in order], sorted_links)
        centres = tuple(found.centres[rank[cell]] for cell in range(len(cells)))
        drawing = Drawing(found.width, found.height, centres, found.paths)
        drawn = bool(frame.label)
        side, head = (PAD, LABEL) if drawn else (0.0, 0.0)
        least = text_width(_heading(frame, outer), 11, bold=True) + 2 * PAD if drawn else 0.0
        inner = max(drawing.width, least - 2 * side)
        shift = (inner - drawing.width) / 2 + side
        width, height = inner + 2 * side, drawing.height + head + (PAD if drawn else 0.0)
        self.sizes[path] = (width, height)
        self.drawings[path] = (cells, links, drawing, (shift, head))
        ports = {key: centres[parts + number][0] + shift - width / 2 for number, key in enumerate(entries)}
        outs = {key: centres[parts + len(entries) + number][0] + shift - width / 2 for number, key in enumerate(exits)}
        return Cell(width, height, ports, outs)

    def _links(self, path: Path, parts: int) -> tuple[list[int], list[int], list[Link]]:
        """Boxes outside that are read inside, boxes inside that are read outside, and the lines of this frame."""
        arrows = self.inside.get(path, [])
        within = {box for arrow in arrows for box in arrow if self.homes[box][: len(path)] == path}
        entries = list(dict.fromkeys(source for source, target in arrows if source not in within and target in within))
        exits = list(dict.fromkeys(source for source, target in arrows if source in within and target not in within))
        links: dict[Link, None] = {}
        for source, target in arrows:
            here = parts + entries.index(source) if source not in within else self.homes[source][len(path)]
            there = self.homes[target][len(path)] if target in within else parts + len(entries) + exits.index(source)
            if here != there:
                links[Link(here, there, source)] = None
        return entries, exits, list(links)

    def emit(self, frame: Frame, path: Path, x: float, y: float) -> None:
        """Places on the page, from those in each frame."""
        cells, links, drawing, (shift, head) = self.drawings[path]
        x, y = x + shift, y + head
        for number, part in enumerate(frame.parts):
            centre, top = drawing.centres[number]
            cell = cells[number]
            left = x + centre - cell.width / 2
            if isinstance(part, Box):
                self.boxes.append(PlacedBox(part, box_lines(part, frame.label), left, y + top, cell.width, cell.height))
            else:
                if part.label:
                    label = _short(part.label, frame.label)
                    self.frames.append(PlacedFrame(part, label, left, y + top, cell.width, cell.height))
                self.emit(part, (*path, number), left, y + top)
        for link, points in zip(links, drawing.paths, strict=True):
            at_box = link.target < len(frame.parts) and isinstance(frame.parts[link.target], Box)
            moved = [(x + across, y + down) for across, down in points]
            # A line into or out of a frame goes on to its border.
            if link.source >= len(frame.parts):
                moved.insert(0, (moved[0][0], y - head))
            if link.target >= len(frame.parts):
                moved.append((moved[-1][0], y - head + self.sizes[path][1]))
            self.lines.append((tuple(moved), at_box))


def _paths(part: Part, path: Path) -> Iterator[Path]:
    if isinstance(part, Box):
        yield path
    else:
        for number, inner in enumerate(part.parts):
            yield from _paths(inner, (*path, number))


def _box_cell(box: Box, frame: str) -> Cell:
    title, *rest = box_lines(box, frame)
    width = max(text_width(title, 12.5, bold=True), *(text_width(line, 11) for line in rest)) + 20
    return Cell(width, LINE * (1 + len(rest)) + 11)


def _short(name: str, frame: str) -> str:
    """A name without what the frame around it says; a bare number keeps the word before it."""
    short = name.removeprefix(f"{frame}.") if frame else name
    return f"{frame.rpartition('.')[2]}.{short}" if short != name and short[0].isdecimal() else short


def _heading(frame: Frame, outer: str) -> str:
    label = _short(frame.label, outer)
    return f"{label}    {frame.times} ×" if frame.times > 1 else label
