"""Narrowest fields: what the units of each node see at least, on the narrowest way through all branches."""

from __future__ import annotations

from collections.abc import Mapping

from striate.graph import Graph, Node
from striate.graph.layer import EVERYTHING, SAME_PLACE, Rational
from striate.graph.layers.input import Input

__all__ = ["narrowest_fields"]

#: Along one axis: how far it is from the first pixel that a unit sees to the last, and from unit to unit.
Way = tuple[Rational, Rational]


def narrowest_fields(graph: Graph) -> Mapping[str, tuple[Way, ...]]:
    """How far a unit sees on the narrowest way, and how far apart units stand, in pixels along each axis of the image.

    Nodes that do not depend on the first input are left out. A unit that sees one pixel sees 0 far; behind a layer that
    reads everything units are 0 apart.

    >>> from striate import zoo
    >>> narrowest_fields(zoo.build("resnet50"))["layer4.2.relu3"]
    ((10, 32), (10, 32))
    """
    source = graph.inputs[0].name
    found: dict[str, tuple[Way, ...]] = {}
    for node in graph.nodes:
        if isinstance(node.layer, Input):
            if node.name == source:
                found[source] = ((0, 1),) * (len(graph.shapes[source]) - 1)
            continue
        ways = [
            _through(graph, node, position, found[name])
            for position, name in enumerate(node.inputs)
            if name in found and position not in node.layer.shape_only
        ]
        if len(ways) == 1:
            found[node.name] = ways[0]
        elif ways:
            found[node.name] = tuple(min(axis) for axis in zip(*ways, strict=True))
    return found


def _through(graph: Graph, node: Node, position: int, ways: tuple[Way, ...]) -> tuple[Way, ...]:
    shapes = graph.input_shapes(node)
    if len(shapes[position]) - 1 != len(ways):
        return ways
    result: list[Way] = []
    for axis, (width, jump) in enumerate(ways):
        reach = node.layer.reach(shapes, position, axis)
        if reach is SAME_PLACE:
            result.append((width, jump))
        elif reach == EVERYTHING:
            result.append((width + (shapes[position][1 + axis] - 1) * jump, 0))
        else:
            result.append((width + (reach.high - reach.low) * jump, jump * reach.step))
    return tuple(result)
