"""Receptive fields: which pixels of the image a unit can see.

:func:`receptive_fields` gives the closed form for every node, :func:`unit_field` the exact pixels of one unit.

A unit at position y of a node sees, along one axis, the pixels from ``low + y·jump`` to ``high + y·jump``. Through a
layer whose output y reads its inputs ``step·y + a`` to ``step·y + b``::

    low' = low + a·jump        high' = high + b·jump        jump' = jump·step

which for a convolution (a = -padding, b = K - 1 - padding, step = stride) is the recursion of Araujo, Norris and Sim,
"Computing receptive fields of convolutional neural networks", Distill 2019, section 2. Where branches meet, the field
is the hull of theirs. Fractions appear after upsampling, where the field depends on the phase of y: there each phase
is followed by itself (:mod:`striate.analysis.phases`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from striate.analysis.axis_field import AxisField, Interval, plain_rational
from striate.analysis.phases import joined, passed
from striate.analysis.unit_boxes import unit_boxes
from striate.errors import UsageError
from striate.graph import Graph, Layer, Node
from striate.graph.layer import EVERYTHING, SAME_PLACE, Rational, Reach
from striate.graph.layers.input import Input
from striate.graph.layers.merge import Multiply
from striate.units import Shape, format_shape

__all__ = ["AxisField", "is_gate", "plain_rational", "receptive_fields", "unit_field"]


def receptive_fields(
    graph: Graph, source: str | None = None, *, gates: bool = True
) -> Mapping[str, tuple[AxisField, ...]]:
    """The receptive field of every node, one :class:`AxisField` for each axis of the image.

    Args:
        graph: any network.
        source: the input it is measured on, for networks with several; default: the first. Nodes that do not depend
            on it are left out.
        gates: whether what a unit sees through a gate counts: a map of one place that another is multiplied by, as in
            squeeze-and-excitation. Behind the first gate every unit sees the whole image through it.

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
            if name in fields
            and position not in node.layer.shape_only
            and (gates or not is_gate(node, shapes, graph.shapes[node.name], position))
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


def is_gate(node: Node, shapes: tuple[Shape, ...], output: Shape, position: int) -> bool:
    """Whether an input is a gate: a map of one place, by which every place of another is multiplied."""
    return isinstance(node.layer, Multiply) and set(shapes[position][1:]) == {1} and max(output[1:]) > 1


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
            result.append(_everything(field, shapes[position][1 + axis]))
        else:
            result.append(_window(field, node.layer, shapes, position, axis, reach))
    return tuple(result)


def _everything(field: AxisField, units: int) -> AxisField:
    """What all units of an axis see together."""
    kind: Literal["whole", "mixed"] = "mixed" if field.kind == "mixed" else "whole"
    if field.phases:
        seen = [interval for unit in range(units) if (interval := field.interval(unit)) is not None]
        if seen:
            return AxisField(min(low for low, _ in seen), max(high for _, high in seen), 0, kind)
    return AxisField(field.low, field.high + (units - 1) * field.jump, 0, kind, field.at_most)


def _window(
    field: AxisField, layer: Layer, shapes: tuple[Shape, ...], position: int, axis: int, reach: Reach
) -> AxisField:
    """What the units behind a window see, or behind a gate's map that is repeated."""
    low, high = field.low + reach.low * field.jump, field.high + reach.high * field.jump
    jump = field.jump * reach.step
    fractional = any(value.denominator != 1 for value in (reach.low, reach.high, reach.step))
    if not (fractional or field.phases):
        return AxisField(low, high, jump, field.kind, field.at_most)
    phases = passed(field, layer, shapes, position, axis, reach)
    return _with_phases(low, high, jump, field.kind, phases)


def _with_phases(
    low: Rational,
    high: Rational,
    jump: Rational,
    kind: Literal["local", "whole", "mixed"],
    phases: tuple[Interval, ...] | None,
) -> AxisField:
    if phases is None:
        return AxisField(low, high, jump, kind, True)
    one = phases[0]
    if len(set(phases)) == 1 and one is not None and (len(phases) == 1 or jump == 0):
        return AxisField(*one, jump, kind)
    return AxisField(low, high, jump, kind, phases=phases)


def _hull(parts: tuple[AxisField, ...], units: int, size: int) -> AxisField:
    """What several branches see together, along an axis of ``units`` units and ``size`` pixels."""
    at_most = any(part.at_most for part in parts)
    if len({part.jump for part in parts}) == 1:
        kinds = {part.kind for part in parts}
        kind = kinds.pop() if len(kinds) == 1 else "mixed" if "mixed" in kinds else "whole"
        low, high = min(part.low for part in parts), max(part.high for part in parts)
        if any(part.phases for part in parts):
            return _with_phases(low, high, parts[0].jump, kind, joined(parts))
        return AxisField(low, high, parts[0].jump, kind, at_most)
    low = min(_end(part, units, low=True) for part in parts)
    high = max(_end(part, units, low=False) for part in parts)
    # Behind a gate every unit sees the whole axis through the gate, whatever it sees beside it.
    everywhere = any(part.covers(size) for part in parts if part.kind != "mixed")
    return AxisField(low, high, 0, "whole" if everywhere else "mixed", at_most)


def _end(part: AxisField, units: int, *, low: bool) -> Rational:
    """The first, or the last, pixel that any of a branch's units sees."""
    side = 0 if low else 1
    if part.phases:
        ends: list[Rational] = [seen[side] for unit in range(units) if (seen := part.interval(unit)) is not None]
    else:
        ends = [(part.low, part.high)[side] + unit * part.jump for unit in (0, units - 1)]
    return (min if low else max)(ends, default=(part.low, part.high)[side])
