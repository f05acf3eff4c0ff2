"""N302: an activation that reads another one."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph import Node
from striate.graph.layers.activation import Activation, Softmax
from striate.graph.layers.dropout import Dropout
from striate.graph.layers.reshape import Flatten, Identity
from striate.lint.bounds import Bounds, bounds, changes_nothing
from striate.lint.rule import Edit, Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import before
from striate.units import format_count

__all__ = ["two_activations"]


@rule("N302", "two-activations", "warning", fix="safe")
def two_activations(net: Subject) -> Iterator[Evidence]:
    """An activation reads what another one left.

    What: an activation right behind another one; and an activation all of whose inputs lie where it changes nothing,
        as behind relu > maxpool or behind a sum of such maps.
    Why: of relu > relu the second does nothing but cost a pass over the map. Of two different ones the second sees half
        a line: sigmoid behind relu never leaves its upper half. One of them was meant to stand elsewhere.
    Example: conv 16 3 > relu > maxpool 2 > relu > globalavgpool > dense 10
    Instead: conv 16 3 > relu > maxpool 2 > conv 16 3 > relu > globalavgpool > dense 10
    Fix: safe: an activation that changes nothing is left out, which gives the same numbers in training and at
        inference. Where both change something, none: only the author knows which of them was meant.
    Source: Nikanjam et al. 2021, "Automatic fault detection for deep learning programs using graph transformations"
        (NeuraLint), on redundant and missing activations; max(0, max(0, x)) = max(0, x).
    """
    within = bounds(net.graph)
    for node in net.graph.nodes:
        if not isinstance(node.layer, Activation):
            continue
        arrives = within[node.inputs[0]]
        first = before(net, node, (Identity, Dropout, Flatten))
        if changes_nothing(node.layer, arrives):
            places = format_count(_numbers(net, node))
            yield Evidence(
                node.name,
                f"it changes nothing: what {node.inputs[0]} gives it is {_said(arrives)} already "
                f"({places} numbers for each image)",
                fix=f"leave {node.name} out",
                edits=() if _is_shared(net, node) else (Edit(node.name),),
            )
        elif first is not None and isinstance(first.layer, Activation) and not isinstance(node.layer, Softmax):
            yield Evidence(
                node.name,
                f"{node.layer.kind} reads what {first.layer.kind} {first.name} left, with no weights between"
                + (f": only numbers {_said(arrives)}" if arrives != Bounds() else ""),
                fix=f"leave {first.name} or {node.name} out, or put a layer with weights between",
            )


def _numbers(net: Subject, node: Node) -> int:
    count = 1
    for size in net.graph.shapes[node.name]:
        count *= size
    return count


def _is_shared(net: Subject, node: Node) -> bool:
    """Whether others use the tensors of a node."""
    return any(other.shares == node.name for other in net.graph.nodes)


def _said(arrives: Bounds) -> str:
    if arrives.high == float("inf"):
        return f"at least {arrives.low:.4g}"
    if arrives.low == float("-inf"):
        return f"at most {arrives.high:.4g}"
    return f"between {arrives.low:.4g} and {arrives.high:.4g}"
