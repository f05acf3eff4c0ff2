"""Where the map of a network ends and its head begins."""

from __future__ import annotations

import math
from collections.abc import Mapping

from striate.analysis.receptive_field import AxisField
from striate.graph import Graph
from striate.graph.layers.dense import Dense
from striate.graph.layers.global_pooling import AdaptivePool
from striate.graph.layers.input import Input
from striate.graph.layers.reshape import Flatten

__all__ = ["joining_layer", "last_map"]


def last_map(graph: Graph, seen: Mapping[str, tuple[AxisField, ...]]) -> str:
    """The last map before whatever reads it as a whole; the output itself where nothing does.

    Adaptive pooling belongs to the head: how much it reads depends on the size of the image. Of several outputs the
    one whose units see most is followed.

    Args:
        graph: any network.
        seen: as :func:`striate.analysis.receptive_fields` returns it.

    >>> from striate import zoo
    >>> from striate.analysis import receptive_fields
    >>> net = zoo.build("resnet18")
    >>> last_map(net, receptive_fields(net))
    'layer4.1.relu2'
    """
    maps = [_before_head(graph, output, seen) for output in graph.outputs]
    return max(maps, key=lambda name: max((axis.size for axis in seen.get(name, ())), default=0))


def joining_layer(graph: Graph, name: str) -> str | None:
    """The first dense layer behind a map that reads its places one by one, so that it sees the whole image at once.

    None where the places are only averaged or compared by a pooling to one place, or where nothing reads the map as a
    whole.

    >>> from striate import zoo
    >>> joining_layer(zoo.build("vgg16"), "features.30"), joining_layer(zoo.build("resnet18"), "layer4.1.relu2")
    ('classifier.0', None)
    """
    places = {name: math.prod(graph.shapes[name][1:])}
    for node in graph.nodes:
        source = next((source for source in node.inputs if source in places), None)
        if source is None:
            continue
        if isinstance(node.layer, Dense) and len(graph.shapes[source]) == 1 and places[source] > 1:
            return node.name
        # A flattened map keeps its places in one axis.
        shape = graph.shapes[node.name]
        flat = len(shape) == 1 and isinstance(node.layer, Flatten)
        places[node.name] = places[source] if flat or len(graph.shapes[source]) == 1 else math.prod(shape[1:])
    return None


def _before_head(graph: Graph, name: str, seen: Mapping[str, tuple[AxisField, ...]]) -> str:
    while True:
        node = graph[name]
        if isinstance(node.layer, AdaptivePool):
            return node.inputs[0]
        vector = all(size == 1 for size in graph.shapes[name][1:])
        whole = any(axis.kind == "whole" for axis in seen.get(name, ()))
        if not (vector and whole) or isinstance(node.layer, Input):
            return name
        name = next((source for source in node.inputs if source in seen), node.inputs[0])
