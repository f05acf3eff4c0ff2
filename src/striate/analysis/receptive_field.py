"""Receptive fields: which pixels of the image a unit can see.

:func:`receptive_fields` gives the closed form for every node, :func:`unit_field` the exact pixels of one unit.

A unit at position y of a node sees, along one axis, the pixels from ``low + y·jump`` to ``high + y·jump``. Through a
layer whose output y reads its inputs ``step·y + a`` to ``step·y + b``::

    low' = low + a·jump        high' = high + b·jump        jump' = jump·step

which for a convolution (a = -padding, b = K - 1 - padding, step = stride) is the recursion of Araujo, Norris and Sim,
"Computing receptive fields of convolutional neural networks", Distill 2019, section 2. Where branches meet, the field
is the hull of theirs. Fractions appear after upsampling, where the field depends on the phase of y.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from striate.analysis.unit_boxes import unit_boxes
from striate.errors import UsageError
from striate.graph import Graph, Layer, Node
from striate.graph.layer import EVERYTHING, SAME_PLACE, Rational, Reach
from striate.graph.layers.input import Input
from striate.units import Shape, format_shape

__all__ = ["AxisField", "plain_rational", "receptive_fields", "unit_field"]


@dataclass(frozen=True, slots=True)
class AxisField:
    """The receptive field along one axis of the image.

    Args:
        low: first pixel that unit 0 sees; negative when it reaches into the padding.
        high: last pixel that unit 0 sees.
        jump: how many pixels the field moves from one unit to the next (the effective stride); 0 when every unit
            sees the same.
        kind: ``local`` (the interval is that of each unit), ``whole`` (a layer that reads its whole input came
            before, alone or through a gate) or ``mixed`` (branches with different jumps met; the interval is the hull
            over all units).
        at_most: whether single units may see less than the interval, which then lies around what all of them see: the
            phases behind an upsampling differ, and so do bins whose number does not divide the map.
    """

    low: Rational
    high: Rational
    jump: Rational
    kind: Literal["local", "whole", "mixed"] = "local"
    at_most: bool = False

    @property
    def size(self) -> int:
        """How many pixels at most, padding counted as pixels."""
        return math.floor(self.high - self.low) + 1

    def covers(self, size: int) -> bool:
        """Whether every unit sees the whole axis of ``size`` pixels."""
        return self.jump == 0 and self.low <= 0 and self.high >= size - 1

    def at(self, unit: int, size: int) -> tuple[int, int]:
        """First and last pixel of a unit's field, cut to an image of ``size`` pixels."""
        low = max(math.ceil(self.low + unit * self.jump), 0)
        return low, min(math.floor(self.high + unit * self.jump), size - 1)

    def as_dict(self) -> dict[str, Any]:
        """The field as JSON-ready data; fractions as ``"1/2"``."""
        return {
            "size": self.size,
            "jump": plain_rational(self.jump),
            "low": plain_rational(self.low),
            "high": plain_rational(self.high),
            "kind": self.kind,
            "at_most": self.at_most,
        }


def plain_rational(value: Rational) -> int | str:
    """A number as JSON can hold it.

    >>> from fractions import Fraction
    >>> plain_rational(Fraction(4, 2)), plain_rational(Fraction(-1, 2))
    (2, '-1/2')
    """
    return int(value) if value.denominator == 1 else str(value)


def receptive_fields(graph: Graph, source: str | None = None) -> Mapping[str, tuple[AxisField, ...]]:
    """The receptive field of every node, one :class:`AxisField` for each axis of the image.

    Args:
        graph: any network.
        source: the input it is measured on, for networks with several; default: the first. Nodes that do not depend
            on it are left out.

    >>> from striate.graph import network
    >>> net = network("vgg-like", (3, 32, 32)).conv(8, 3).conv(8, 3).maxpool(2).conv(8, 3).build()
    >>> [fields[0].size for fields in receptive_fields(net).values()]
    [1, 3, 5, 6, 10]
    """
    origin = _source(graph, source)
    rank = len(graph.shapes[origin]) - 1
    fields: dict[str, tuple[AxisField, ...]] = {origin: (AxisField(0, 0, 1),) * rank}
    for node in graph.nodes:
        if isinstance(node.layer, Input):
            continue
        shapes = graph.input_shapes(node)
        through = [
            _through(node, shapes, position, fields[name])
            for position, name in enumerate(node.inputs)
            if name in fields and position not in node.layer.shape_only
        ]
        if len(through) == 1:
            fields[node.name] = through[0]
        elif through:
            units, image = graph.shapes[node.name][1:], graph.shapes[origin][1:]
            # A vector, or a map with other axes than the image: what arrives sees the same from every unit.
            units = units if len(units) == rank else (1,) * rank
            by_axis = zip(zip(*through, strict=True), units, image, strict=True)
            fields[node.name] = tuple(_hull(parts, count, size) for parts, count, size in by_axis)
    return fields


def unit_field(
    graph: Graph, node: str, position: tuple[int, ...], source: str | None = None
) -> tuple[tuple[int, int], ...] | None:
    """The exact field of one unit: first and last pixel along each axis of the image, padding left out.

    Args:
        graph: any network.
        node: the node whose unit is meant.
        position: the unit's index along each spatial axis; ``()`` for a vector, whose units are taken together.
        source: the input it is measured on; default: the first.

    Returns:
        One (first, last) pair for each axis, or None when the unit reads no pixel at all.

    Raises:
        UsageError: when there is no such node or unit.

    >>> from striate.graph import network
    >>> net = network("one", (1, 8, 8)).conv(4, 3, padding=1).build()
    >>> unit_field(net, "conv1", (0, 4))
    ((0, 1), (3, 5))
    """
    origin = _source(graph, source)
    shape = graph.shapes[graph[node].name]
    inside = all(0 <= index < size for index, size in zip(position, shape[1:], strict=False))
    if len(position) != len(shape) - 1 or not inside:
        raise UsageError(
            f"node {node!r} has no unit at this position",
            got=", ".join(map(str, position)) or "no position",
            needs=f"{len(shape) - 1} numbers inside {format_shape(shape)} (channels left out), counted from 0",
        )
    boxes, _ = unit_boxes(graph, node, position, origin)
    if not boxes:
        return None
    spans = [frozenset().union(*(box[axis] for box in boxes)) for axis in range(len(graph.shapes[origin]) - 1)]
    return tuple((min(span), max(span)) for span in spans)


def _source(graph: Graph, source: str | None) -> str:
    name = graph.inputs[0].name if source is None else graph[source].name
    if not isinstance(graph[name].layer, Input):
        raise UsageError(
            f"{name!r} is not an input of {graph.name}", needs="one of " + ", ".join(n.name for n in graph.inputs)
        )
    return name


def _through(
    node: Node, shapes: tuple[Shape, ...], position: int, fields: tuple[AxisField, ...]
) -> tuple[AxisField, ...]:
    """The fields behind a layer, from those of one of its inputs."""
    # A map with other axes than the image stands behind a layer that reads everything, as a vector does.
    if len(shapes[position]) - 1 != len(fields) or type(node.layer).reach is Layer.reach:
        return fields
    result: list[AxisField] = []
    before: Reach | str | None = None
    for axis, field in enumerate(fields):
        reach = node.layer.reach(shapes, position, axis)
        # Square windows see the same along both axes, and most windows are square.
        if reach == before != EVERYTHING and field is fields[axis - 1]:
            result.append(result[-1])
            continue
        before = reach
        if reach == SAME_PLACE:
            result.append(field)
        elif reach == EVERYTHING:
            last = shapes[position][1 + axis] - 1
            kind: Literal["whole", "mixed"] = "mixed" if field.kind == "mixed" else "whole"
            result.append(AxisField(field.low, field.high + last * field.jump, 0, kind, field.at_most))
        else:
            low, high = field.low + reach.low * field.jump, field.high + reach.high * field.jump
            # A reach in fractions is the hull over the places that outputs have between two inputs.
            hull = any(value.denominator != 1 for value in (reach.low, reach.high, reach.step))
            result.append(AxisField(low, high, field.jump * reach.step, field.kind, field.at_most or hull))
    return tuple(result)


def _hull(parts: tuple[AxisField, ...], units: int, size: int) -> AxisField:
    """What several branches see together, along an axis of ``units`` units and ``size`` pixels."""
    at_most = any(part.at_most for part in parts)
    if len({part.jump for part in parts}) == 1:
        kinds = {part.kind for part in parts}
        kind = kinds.pop() if len(kinds) == 1 else "mixed" if "mixed" in kinds else "whole"
        low, high = min(part.low for part in parts), max(part.high for part in parts)
        return AxisField(low, high, parts[0].jump, kind, at_most)
    low = min(min(part.low, part.low + (units - 1) * part.jump) for part in parts)
    high = max(max(part.high, part.high + (units - 1) * part.jump) for part in parts)
    # Behind a gate every unit sees the whole axis through the gate, whatever it sees beside it.
    everywhere = any(part.covers(size) for part in parts if part.kind != "mixed")
    return AxisField(low, high, 0, "whole" if everywhere else "mixed", at_most)
