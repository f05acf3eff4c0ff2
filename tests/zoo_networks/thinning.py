"""The same geometry with one filter a layer: what a unit reads does not depend on how many channels there are."""

from __future__ import annotations

from dataclasses import fields, replace

from striate.graph import Graph, Node
from striate.graph.layer import Layer
from striate.graph.layers.input import Input
from striate.graph.layers.merge import Concat
from striate.graph.layers.reshape import Identity
from striate.units import Shape

__all__ = ["thinned"]


def thinned(graph: Graph) -> Graph:
    """Every convolution with one filter and one group; what only reorders or picks channels left out."""
    shuffles = {name: node for node in graph.nodes if node.layer.kind == "pixelshuffle" for name in node.inputs}
    nodes: list[Node] = []
    shapes: dict[str, Shape] = {}
    for node in graph.nodes:
        layer, inputs = _thin(node, graph, shuffles), tuple(shapes[name] for name in node.inputs)
        if layer.kind == "add" and len(set(inputs)) > 1:
            # Behind a concatenation the branches of a sum differ in channels; side by side they are read the same.
            layer = Concat()
        nodes.append(Node(node.name, layer, node.inputs))
        shapes[node.name] = layer.output_shape(inputs)
    return Graph(graph.name, tuple(nodes), graph.outputs)


def _thin(node: Node, graph: Graph, shuffles: dict[str, Node]) -> Layer:
    layer = node.layer
    if isinstance(layer, Input):
        return Input((1, *layer.shape[1:]))
    if layer.kind in ("channelshuffle", "channelpad") or (layer.kind == "slice" and getattr(layer, "axis", 0) == 0):
        return Identity()
    names = {field.name for field in fields(layer)}  # type: ignore[arg-type]
    changes: dict[str, object] = {}
    if "filters" in names:
        changes["filters"] = 1
        if node.name in shuffles:
            wide, narrow = graph.shapes[node.name][0], graph.shapes[shuffles[node.name].name][0]
            changes["filters"] = wide // narrow
    if "units" in names:
        changes["units"] = 1
    if "groups" in names:
        changes["groups"] = 1
    return replace(layer, **changes) if changes else layer  # type: ignore[type-var]
