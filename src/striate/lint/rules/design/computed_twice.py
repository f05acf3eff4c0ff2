"""N605: two nodes that must give the same."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph import Node
from striate.graph.layers.input import Input
from striate.graph.layers.opaque import Opaque
from striate.graph.layers.reshape import Flatten, Identity
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import DRAWS
from striate.units import format_count

__all__ = ["computed_twice"]


@rule("N605", "computed-twice", "info", fix="none")
def computed_twice(net: Subject) -> Iterator[Evidence]:
    """Two nodes compute the same from the same.

    What: two nodes with equal layers and equal inputs that have no tensors, or the same ones; layers that draw random
        numbers, and operations that no layer describes, are left out.
    Why: the second map costs time and memory and is equal to the first, at inference and in training.
    Example: A module that calls relu(x) for each of two branches.
    Instead: conv 16 3 > relu > globalavgpool > dense 10
    Fix: none: compute it once and read it twice.
    Source: common subexpression elimination (Cocke 1970), applied to layers.
    """
    first: dict[tuple[object, ...], str] = {}
    same: dict[str, str] = {}
    for node in net.graph.nodes:
        reads = tuple(same.get(name, name) for name in node.inputs)
        if isinstance(node.layer, (Input, Opaque, *DRAWS)):
            continue
        key = (type(node.layer), node.layer, reads, _tensors(net, node))
        earlier = first.setdefault(key, node.name)
        if earlier == node.name:
            continue
        same[node.name] = earlier
        if isinstance(node.layer, Identity | Flatten):
            continue
        cost = net.numbers[node.name].macs
        shapes, shape = net.graph.input_shapes(node), net.graph.shapes[node.name]
        numbers = node.layer.elementwise(shapes, shape) or 0
        what = f"{format_count(cost)} MACs" if cost else f"{format_count(numbers)} operations"
        yield Evidence(
            node.name,
            f"it computes what {earlier} computed, from the same input: {what} for each image more than needed",
            fix=f"read {earlier} in its place",
        )


def _tensors(net: Subject, node: Node) -> str | None:
    """Whose tensors a node uses; None where it has none."""
    shapes = net.graph.input_shapes(node)
    if not node.layer.parameters(shapes) and not node.layer.buffers(shapes):
        return None
    return node.shares or node.name
