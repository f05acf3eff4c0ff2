"""Which nodes take part in the backward pass, and to which of their inputs a gradient flows."""

from __future__ import annotations

from collections.abc import Mapping

from striate.graph import Graph

__all__ = ["gradient_flow"]


def gradient_flow(graph: Graph) -> Mapping[str, tuple[bool, ...]]:
    """For each node whose backward step runs, whether a gradient flows on to each of its inputs.

    A step runs where something trained lies at the node or before it, and an output behind it. No gradient flows to
    an image, nor to an input of which only the shape counts.

    >>> from striate.graph import network
    >>> dict(gradient_flow(network("n", (3, 8, 8)).relu().conv(4, 3).relu().build()))
    {'conv1': (False,), 'relu2': (True,)}
    """
    carries: dict[str, bool] = {}
    needs: dict[str, tuple[bool, ...]] = {}
    for node in graph.nodes:
        ignored = node.layer.shape_only
        flags = tuple(carries[name] and position not in ignored for position, name in enumerate(node.inputs))
        needs[node.name] = flags
        carries[node.name] = any(flags) or bool(node.layer.parameters(graph.input_shapes(node)))
    reached = set(graph.outputs)
    for node in reversed(graph.nodes):
        if node.name in reached:
            ignored = node.layer.shape_only
            reached.update(name for position, name in enumerate(node.inputs) if position not in ignored)
    return {name: flags for name, flags in needs.items() if carries[name] and name in reached}
