"""What rules need to know of layers: which weigh, which bend, which pass on; and the nodes found by following that."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.graph import Graph, Layer, Node
from striate.graph.layers.activation import Activation
from striate.graph.layers.convolution import Conv
from striate.graph.layers.crop import Crop
from striate.graph.layers.dense import Dense
from striate.graph.layers.dropout import Dropout
from striate.graph.layers.fractional_pooling import FractionalMaxPool
from striate.graph.layers.global_pooling import AdaptiveAvgPool, AdaptiveMaxPool, GlobalAvgPool, GlobalMaxPool
from striate.graph.layers.pooling import AvgPool, MaxPool
from striate.graph.layers.reshape import Flatten, Identity
from striate.graph.layers.shuffle import ChannelShuffle, PixelShuffle
from striate.graph.layers.slicing import Slice
from striate.graph.layers.stochastic_depth import StochasticDepth
from striate.graph.layers.stochastic_pooling import StochasticPool
from striate.graph.layers.transposed_convolution import ConvTranspose
from striate.lint.subject import Subject

__all__ = [
    "AVERAGES",
    "DRAWS",
    "MAXIMA",
    "MOVES",
    "PASSES",
    "WEIGHS",
    "before",
    "behind",
    "is_map",
    "last_weighted",
    "number_of_positions",
    "sharers",
    "users",
]

#: Layers that are a weighted sum and nothing else: two of them with nothing between are one.
WEIGHS: tuple[type[Layer], ...] = (Conv, ConvTranspose, Dense)
#: Layers that give each number on as it came, at inference.
PASSES: tuple[type[Layer], ...] = (Identity, Flatten, Dropout, StochasticDepth)
#: Layers that take means.
AVERAGES: tuple[type[Layer], ...] = (AvgPool, AdaptiveAvgPool, GlobalAvgPool)
#: Layers that take maxima: each number that leaves is one that came.
MAXIMA: tuple[type[Layer], ...] = (MaxPool, AdaptiveMaxPool, GlobalMaxPool, FractionalMaxPool)
#: Layers that only move numbers or leave some out.
MOVES: tuple[type[Layer], ...] = (Identity, Flatten, Crop, Slice, PixelShuffle, ChannelShuffle)
#: Layers that draw random numbers in training: twice the same is not the same twice.
DRAWS: tuple[type[Layer], ...] = (Dropout, StochasticDepth, StochasticPool, FractionalMaxPool)


def is_map(graph: Graph, name: str) -> bool:
    """Whether what leaves a node has more than one position."""
    return number_of_positions(graph, name) > 1


def number_of_positions(graph: Graph, name: str) -> int:
    """How many positions what leaves a node has; 1 for a vector."""
    return math.prod(graph.shapes[name][1:])


def before(net: Subject, node: Node, through: tuple[type[Layer], ...] = PASSES) -> Node | None:
    """The node that a node reads (the first, of several), not counting layers of the types ``through``.

    >>> from striate.graph import network
    >>> net = Subject(network("n", (3, 8, 8)).conv(4, 3).relu().dropout(0.5).flatten().dense(2).build())
    >>> before(net, net.graph["dense1"]).name
    'relu1'
    """
    while node.inputs:
        node = net.source(node)
        if not isinstance(node.layer, through) or not node.inputs:
            return node
    return None


def behind(net: Subject, node: Node, through: tuple[type[Layer], ...] = PASSES) -> Node | None:
    """The one node that reads a node, not counting layers of the types ``through``; None where the way parts or ends.

    >>> from striate.graph import network
    >>> net = Subject(network("n", (3, 8, 8)).conv(4, 3).relu().dropout(0.5).flatten().dense(2).build())
    >>> behind(net, net.graph["relu1"]).name, behind(net, net.graph["dense1"])
    ('dense1', None)
    """
    reader = net.only_reader(node)
    while reader is not None and isinstance(reader.layer, through):
        reader = net.only_reader(reader)
    return reader


def last_weighted(net: Subject, output: str) -> tuple[Node, tuple[Node, ...]] | None:
    """The last layer with weights before an output, and what stands between it and the output, in order.

    Only activations and layers that pass numbers on may stand between; None where something else does.

    >>> from striate.graph import network
    >>> net = Subject(network("n", (3, 8, 8)).flatten().dense(2).dropout(0.5).softmax().build())
    >>> node, rest = last_weighted(net, "softmax1")
    >>> node.name, [entry.name for entry in rest]
    ('dense1', ['dropout1', 'softmax1'])
    """
    node, rest = net.graph[output], []
    while not isinstance(node.layer, WEIGHS):
        if not isinstance(node.layer, (*PASSES, Activation)) or not node.inputs:
            return None
        rest.append(node)
        node = net.source(node)
    return node, tuple(reversed(rest))


def sharers(graph: Graph) -> dict[str, list[Node]]:
    """For each node whose tensors others use too, all that use them, it first."""
    found: dict[str, list[Node]] = {}
    for node in graph.nodes:
        if node.shares is not None:
            found.setdefault(node.shares, [graph[node.shares]]).append(node)
    return found


def users(graph: Graph) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    """Every node with tensors of its own, with all nodes that use them, itself first."""
    shared = sharers(graph)
    for node in graph.nodes:
        if node.shares is None:
            yield node, tuple(shared.get(node.name, [node]))
