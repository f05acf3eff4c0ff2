"""A network with attributes of its layers changed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from striate.errors import LayerError, NetworkError
from striate.graph import Graph, Layer, Node
from striate.graph.builder import make_layer

__all__ = ["edit"]


def edit(graph: Graph, changes: Mapping[str, Mapping[str, Any]]) -> Graph:
    """The same network with some attributes changed; all others stay as they are stored.

    A pooling that was written without a stride keeps the one it has when its kernel is changed.

    Args:
        graph: any network; it stays as it is.
        changes: for each node the attributes to change, ``{"conv1": {"stride": 2}}``.

    Raises:
        UsageError: there is no such node; a near miss is suggested.
        LayerError: there is no such attribute (a near miss is suggested), or it cannot have that value.
        ShapeError: the result is no network; the message names the layer that breaks.

    >>> from striate import zoo
    >>> net = edit(zoo.build("simple-cnn"), {"conv1": {"stride": 2, "padding": 1}})
    >>> net.shapes["conv1"], net.parameter_count
    ((16, 16, 16), 72042)
    """
    for name in changes:
        _ = graph[name]
    nodes = tuple(
        replace(node, layer=_changed(graph, node, changes[node.name])) if node.name in changes else node
        for node in graph.nodes
    )
    edited = replace(graph, nodes=nodes)
    if graph.classes is not None and graph.output_shape[0] == graph.classes != edited.output_shape[0]:
        return replace(edited, classes=edited.output_shape[0])
    return edited


def _changed(graph: Graph, node: Node, values: Mapping[str, Any]) -> Layer:
    # Every layer is a dataclass, which the type of the base class cannot say.
    stored = {entry.name: getattr(node.layer, entry.name) for entry in fields(node.layer)}  # type: ignore[arg-type]
    try:
        return make_layer(type(node.layer), [], {**stored, **values})
    except NetworkError as error:
        where = f"{graph.name}, node {node.name!r}"
        filters, arriving = stored.get("filters"), graph.input_shapes(node)
        if isinstance(error, LayerError) and "groups" in values and "groups: " in (error.got or "") and filters:
            # More filters would not help where the channels do not divide either; here they are known.
            write = f"groups: {math.gcd(values.get('filters', filters), arriving[0][0])}"
            raise LayerError(error.problem, where=where, got=error.got, needs=error.needs, write=write) from None
        raise error.at(where) from None
