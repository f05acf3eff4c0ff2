"""What one unit reads: its box, the share of it that is really read, and what the phases of an upsampling see."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from striate.analysis.receptive_field import AxisField, plain_rational, receptive_fields
from striate.analysis.unit_boxes import Box, unit_boxes
from striate.errors import UsageError
from striate.graph import Graph
from striate.units import Shape, format_shape

__all__ = ["Phase", "UnitAxis", "UnitView", "view_unit"]

#: More phases than this are not listed one by one.
MOST_PHASES = 64


@dataclass(frozen=True, slots=True)
class Phase:
    """What the units of one phase of an upsampling see along one axis, as if the image had no edges.

    Args:
        phase: the unit's index, modulo the number of phases.
        low: first pixel that the unit of the first period sees; each later period begins a whole number of pixels
            further.
        high: last pixel, likewise. ``low`` above ``high``: it reads no pixel.
    """

    phase: int
    low: int
    high: int


@dataclass(frozen=True)
class UnitAxis:
    """One unit's view along one axis of the image.

    Args:
        size: pixels of the image.
        field: the closed form for every unit of the layer.
        low, high: the theoretical interval of this unit, padding counted as pixels; whole numbers.
        first, last: the pixels really read, from the first to the last.
        read: how many of these are read; fewer than ``last - first + 1`` where dilation or strides leave holes.
        before, after: how many pixels of the theoretical interval lie outside the image.
        phases: where the layer stands between pixels (behind an upsampling): what each phase sees.
    """

    size: int
    field: AxisField
    low: int
    high: int
    first: int
    last: int
    read: int
    before: int
    after: int
    phases: tuple[Phase, ...]


@dataclass(frozen=True)
class UnitView:
    """What one unit sees (``striate inspect NET --unit layer:y,x``).

    Args:
        network: the network's name.
        node: the unit's node.
        position: its place along each spatial axis; ``()`` for a vector, whose units are taken together.
        shape: what leaves the node.
        input: the shape of one image.
        axes: one entry for each axis of the image; empty when the unit reads no pixel.
        box: how many pixels the box holds.
        read: how many pixels inside the box are read.
        exact: whether ``read`` is exact; else it is an upper bound, because the branches are too many to follow apart.
    """

    network: str
    node: str
    position: tuple[int, ...]
    shape: Shape
    input: Shape
    axes: tuple[UnitAxis, ...]
    box: int
    read: int
    exact: bool

    @property
    def coverage(self) -> Fraction:
        """The share of the box that is read; 0 when nothing is."""
        return Fraction(self.read, self.box) if self.box else Fraction(0)

    def as_dict(self) -> dict[str, Any]:
        """The view as JSON-ready data; fractions as ``"1/2"``."""
        return {
            "format": 1,
            "network": self.network,
            "node": self.node,
            "position": list(self.position),
            "shape": list(self.shape),
            "input": list(self.input),
            "box_pixels": self.box,
            "read_pixels": self.read,
            "coverage": float(self.coverage),
            "exact": self.exact,
            "axes": [
                {
                    "size": axis.size,
                    "theoretical": [axis.low, axis.high],
                    "jump": plain_rational(axis.field.jump),
                    "kind": axis.field.kind,
                    "read": [axis.first, axis.last],
                    "read_count": axis.read,
                    "outside": [axis.before, axis.after],
                    "phases": [{"phase": one.phase, "low": one.low, "high": one.high} for one in axis.phases],
                }
                for axis in self.axes
            ],
        }


def view_unit(graph: Graph, node: str, position: tuple[int, ...]) -> UnitView:
    """What one unit sees of the image.

    Args:
        graph: any network; where it has several inputs, the first is looked at.
        node: the unit's node.
        position: its index along each spatial axis, counted from 0; ``()`` for a vector.

    Raises:
        UsageError: there is no such node or unit; the message says what there is.

    >>> from striate.graph import network
    >>> net = network("holes", (1, 9, 9)).conv(4, 3, dilation=2).build()
    >>> view = view_unit(net, "conv1", (0, 4))
    >>> view.box, view.read, [(axis.first, axis.last) for axis in view.axes]
    (25, 9, [(0, 4), (4, 8)])
    """
    _check_position(graph, node, position)
    entry = graph.inputs[0].name
    boxes, exact = unit_boxes(graph, node, position, entry)
    image = graph.shapes[entry]
    if not boxes:
        return UnitView(graph.name, node, position, graph.shapes[node], image, (), 0, 0, True)
    places = position or (0,) * (len(image) - 1)
    axes = []
    for axis, field in enumerate(receptive_fields(graph)[node]):
        pixels = frozenset().union(*(box[axis] for box in boxes))
        low, high = field.interval(places[axis]) or (0, 0)
        first, last, size = min(pixels), max(pixels), image[1 + axis]
        before, after = min(max(-low, 0), high - low + 1), min(max(high - size + 1, 0), high - low + 1)
        phases = _phases(field) if position else ()
        axes.append(UnitAxis(size, field, low, high, first, last, len(pixels), before, after, phases))
    box = math.prod(axis.last - axis.first + 1 for axis in axes)
    return UnitView(graph.name, node, position, graph.shapes[node], image, tuple(axes), box, _count(boxes), exact)


def _check_position(graph: Graph, node: str, position: tuple[int, ...]) -> None:
    shape = graph.shapes[graph[node].name]
    inside = all(0 <= index < size for index, size in zip(position, shape[1:], strict=False))
    if len(position) == len(shape) - 1 and inside:
        return
    middle = ",".join(str(size // 2) for size in shape[1:])
    last = ", ".join(str(size - 1) for size in shape[1:])
    raise UsageError(
        f"{node} of {graph.name} has no unit at this position",
        got=",".join(map(str, position)) or "no position",
        needs=f"one index for each axis of {format_shape(shape)} without the channels, from 0 to {last}"
        if middle
        else f"no position: {format_shape(shape)} is a vector, whose units are taken together",
        write=f"{node}:{middle}" if middle else node,
    )


def _count(boxes: Sequence[Box]) -> int:
    """How many pixels lie in at least one box."""
    if not boxes[0]:
        return 1
    known: dict[tuple[int, ...], int] = {}
    total = 0
    for index in frozenset().union(*(box[0] for box in boxes)):
        # Rows that lie in the same boxes hold the same pixels.
        inside = tuple(number for number, box in enumerate(boxes) if index in box[0])
        if inside not in known:
            known[inside] = _count([boxes[number][1:] for number in inside])
        total += known[inside]
    return total


def _phases(field: AxisField) -> tuple[Phase, ...]:
    """What each phase sees along an axis; empty where there is one phase, or too many to list."""
    if len(field.phases) > MOST_PHASES:
        return ()
    return tuple(Phase(phase, *(seen or (1, 0))) for phase, seen in enumerate(field.phases))
