"""The pixels that one unit reads, followed back through the network, as a union of boxes."""

from __future__ import annotations

from striate.graph import Graph, Node
from striate.graph.layer import Indices
from striate.units import Shape

__all__ = ["MOST_BOXES", "Box", "unit_boxes"]

#: More boxes than this are merged into one around all.
MOST_BOXES = 64

Box = tuple[Indices, ...]


def unit_boxes(graph: Graph, node: str, position: tuple[int, ...], source: str) -> tuple[list[Box], bool]:
    """The pixels of an input that a unit reads, padding left out, and whether that is exact.

    A field is a union of boxes, not one box: behind a transposed convolution whose kernel is smaller than its stride
    some indices read nothing, and a box that reads nothing along one axis must not count along the others. Where the
    branches make more than ``MOST_BOXES`` boxes, one around all stands for them, and the result is an upper bound.

    Args:
        graph: any network.
        node: the unit's node.
        position: its index along each spatial axis, inside the node's map; ``()`` for a vector.
        source: the input it is followed back to.

    Returns:
        Boxes, each the indices along every axis; none when the unit reads no pixel.

    >>> from striate.graph import network
    >>> net = network("holes", (1, 9)).conv(4, 3, dilation=2).build()
    >>> [sorted(pixels) for box in unit_boxes(net, "conv1", (1,), "input")[0] for pixels in box]
    [[1, 3, 5]]
    """
    needed: dict[str, list[Box]] = {node: [tuple(frozenset({index}) for index in position)]}
    exact = True
    for current in reversed(graph.nodes):
        boxes = needed.pop(current.name, []) if current.name != source else []
        shapes = graph.input_shapes(current)
        for box in boxes:
            for number, name in enumerate(current.inputs):
                found = _back(current, shapes, number, box)
                if found is None:
                    continue
                kept = _with(needed.get(name, []), found)
                if len(kept) > MOST_BOXES:
                    exact, kept = False, [tuple(frozenset().union(*axis) for axis in zip(*kept, strict=True))]
                needed[name] = kept
    return needed.get(source, []), exact


def _back(node: Node, shapes: tuple[Shape, ...], position: int, box: Box) -> Box | None:
    """What the units of a box read of one input; None when they read nothing of it."""
    axes = range(len(shapes[position]) - 1)
    spread = box or (frozenset({0}),) * len(axes)
    if len(spread) != len(axes):
        # A map with other axes than what arrives: no rule leads from one to the other.
        return tuple(frozenset(range(size)) for size in shapes[position][1:])
    found = tuple(node.layer.reads(shapes, position, axis, spread[axis]) for axis in axes)
    return found if all(found) else None


def _with(boxes: list[Box], new: Box) -> list[Box]:
    """The boxes and one more, without those that lie inside another."""
    if any(_inside(new, box) for box in boxes):
        return boxes
    return [*(box for box in boxes if not _inside(box, new)), new]


def _inside(box: Box, other: Box) -> bool:
    return all(a <= b for a, b in zip(box, other, strict=True))
