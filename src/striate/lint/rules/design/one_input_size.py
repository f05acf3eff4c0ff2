"""N407: a network for one image size."""

from __future__ import annotations

from collections.abc import Iterator

from striate.errors import NetworkError
from striate.graph import Node
from striate.lint.rule import Evidence, rule
from striate.lint.rules.design.flatten_head import flattened
from striate.lint.subject import Subject
from striate.units import format_count, format_shape

__all__ = ["one_input_size"]

#: How many sizes are tried in either direction.
_TRIED = 64


@rule("N407", "one-input-size", "info", fix="none")
def one_input_size(net: Subject) -> Iterator[Evidence]:
    """A dense layer behind flatten fits images of one size only.

    What: a dense layer that reads a flattened map whose size follows from that of the image. Silent where it holds half
        of the parameters, which flatten-head says, and behind adaptive pooling.
    Why: the weights belong to places of the map: images of another size need another network.
    Example: conv 64 3 stride=4 > relu > maxpool 4 > conv 64 1 > relu > flatten > dense 10
    Instead: conv 64 3 stride=4 > relu > maxpool 4 > conv 64 1 > relu > globalavgpool > dense 10
    Fix: none: globalavgpool, or adaptiveavgpool before flatten, for images of any size.
    Source: He et al. 2014, "Spatial pyramid pooling in deep convolutional networks", section 1.
    """
    for node in net.graph.nodes:
        flatten = flattened(net, node)
        if flatten is None or node.shares is not None or len(net.graph.inputs) != 1:
            continue
        if 2 * net.numbers[node.name].parameters >= net.graph.parameter_count:
            continue
        sizes = _sizes(net, flatten)
        if sizes is not None:
            shape, count = net.graph.shapes[flatten.inputs[0]], net.graph.shapes[flatten.name][0]
            yield Evidence(
                node.name,
                f"its {format_count(count)} inputs are the {format_shape(shape)} of {flatten.inputs[0]}: "
                f"it fits images of {sizes} only",
                fix="globalavgpool, or adaptiveavgpool before the flatten",
            )


def _sizes(net: Subject, flatten: Node) -> str | None:
    """The sizes of the image that give this map, axis by axis; None where any size of an axis does."""
    ranges = []
    for axis, size in enumerate(net.graph.input_shape[1:], start=1):
        ends = []
        for step in (-1, 1):
            by = 0
            while abs(by) < _TRIED and _fits(net, flatten, axis, by + step):
                by += step
            if abs(by) == _TRIED:
                return None
            ends.append(size + by)
        ranges.append(str(size) if ends[0] == ends[1] else f"{ends[0]}-{ends[1]}")
    return " × ".join(ranges)


def _fits(net: Subject, flatten: Node, axis: int, by: int) -> bool:
    sizes = list(net.graph.input_shape)
    sizes[axis] += by
    if sizes[axis] < 1:
        return False
    try:
        other = net.graph.with_input(tuple(sizes))
    except NetworkError:
        return False
    return other.shapes[flatten.name] == net.graph.shapes[flatten.name]
