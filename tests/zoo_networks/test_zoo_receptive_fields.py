"""Receptive fields of every two-dimensional zoo network, at the corners too, against the support of a gradient."""

from __future__ import annotations

import pytest

from properties.positive import gradient_support
from striate import zoo
from striate.analysis import unit_field
from striate.errors import NetworkError
from striate.graph import Graph
from zoo_networks.thinning import thinned

FLAT = [name for name, entry in zoo.architectures().items() if len(entry.input) == 3]
#: Larger images show the same geometry and take longer; the fully convolutional segmenters need theirs.
LARGE = 257


def geometry(name: str) -> Graph:
    channels, *sizes = zoo.architectures()[name].input
    shape = (channels, *(min(size, LARGE) for size in sizes))
    try:
        return zoo.build(name, shape)
    except NetworkError:
        return zoo.build(name)


@pytest.mark.parametrize("name", FLAT)
def test_fields_are_the_support_of_a_gradient(name: str) -> None:
    graph = geometry(name)
    thin = thinned(graph)
    maps = [node.name for node in graph.nodes if len(graph.shapes[node.name]) == 3 and node.inputs]
    deep = len(maps) > 250
    for node in {maps[-1], maps[len(maps) // (8 if deep else 3)]}:
        height, width = graph.shapes[node][1:]
        assert thin.shapes[node][1:] == (height, width)
        for position in {(0, 0), (height - 1, width - 1) if deep else (height // 2, width // 3)}:
            (support,) = gradient_support(thin, node, position)
            hull = tuple((min(axis), max(axis)) for axis in support) if all(support) else None
            assert unit_field(graph, node, position) == hull, node
