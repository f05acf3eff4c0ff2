"""N311: a residual branch that can only add."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph import Graph, Node
from striate.graph.layers.merge import Add
from striate.lint.bounds import bounds
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import WEIGHS

__all__ = ["relu_before_add"]


@rule("N311", "relu-before-add", "warning", fix="none")
def relu_before_add(net: Subject) -> Iterator[Evidence]:
    """A residual branch ends in numbers that are never negative.

    What: a sum of a map and a branch with weights that starts from this map, where the branch ends in an activation
        like relu, so that it is never negative.
    Why: what is added can only make the map larger, from block to block; a residual should be able to take away too.
    Example: A residual block that ends in conv > relu before the sum.
    Instead: conv 16 3 same > relu > globalavgpool > dense 10
    Fix: none: put the activation behind the sum (ResNet), or before the weights (pre-activation).
    Source: He, Zhang, Ren and Sun 2016, "Identity mappings in deep residual networks", section 4.1 and table 2
        (ReLU before addition: 7.84 % error of ResNet-110 on CIFAR-10 in place of 6.61 %).
    """
    within = bounds(net.graph)
    for node in net.graph.nodes:
        if not isinstance(node.layer, Add) or len(node.inputs) != 2 or node.inputs[0] == node.inputs[1]:
            continue
        for branch, shortcut in (node.inputs, node.inputs[::-1]):
            end = net.graph[branch]
            if within[branch].low >= 0 and end.layer.nonlinearity and _grows_from(net.graph, end, shortcut):
                yield Evidence(
                    node.name,
                    f"the branch that ends in {end.layer.kind} {branch} is never negative: "
                    f"it can only add to {shortcut}",
                    fix=f"{end.layer.kind} behind {node.name}, or before the weights of the branch",
                )
                break


def _grows_from(graph: Graph, end: Node, start: str) -> bool:
    """Whether a chain with weights leads from a node to the end of a branch, each node reading one other."""
    node, weighed = end, False
    while len(node.inputs) == 1:
        weighed = weighed or isinstance(node.layer, WEIGHS)
        if node.inputs[0] == start:
            return weighed
        node = graph[node.inputs[0]]
    return False
