"""Where the map of a network ends and its head begins."""

from __future__ import annotations

from collections.abc import Mapping

from striate.analysis.receptive_field import AxisField
from striate.graph import Graph
from striate.graph.layers.global_pooling import AdaptivePool
from striate.graph.layers.input import Input

__all__ = ["last_map"]


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
