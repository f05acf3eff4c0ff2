"""N404: a dense layer on a flattened map that holds most of the parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from striate.graph import Graph, Node
from striate.graph.layers.dense import Dense
from striate.graph.layers.dropout import Dropout
from striate.graph.layers.global_pooling import GlobalAvgPool
from striate.graph.layers.reshape import Flatten, Identity
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import before, is_map
from striate.units import format_count, format_shape, format_share

__all__ = ["flatten_head"]

#: From this share on it is said, from the other on with a warning.
_MOST, _NEARLY_ALL = 0.5, 0.8
#: Below this many parameters a head is small, whatever its share.
_LARGE = 1_000_000


@rule("N404", "flatten-head", "info", fix="none")
def flatten_head(net: Subject) -> Iterator[Evidence]:
    """A dense layer behind flatten holds most of the parameters.

    What: a dense layer that reads a flattened map and holds at least half of all parameters; a warning from 80 % and a
        million parameters on.
    Why: it has a weight for each place of the map, so that it learns each place by itself, overfits, and (without
        adaptive pooling before it) fits one image size; the mean over the places gives each channel one weight.
    Example: conv 16 3 same > relu > flatten > dense 100 > relu > dense 10
    Instead: conv 16 3 same > relu > globalavgpool > dense 100 > relu > dense 10
    Fix: none: globalavgpool in place of flatten is another network, which must be trained anew.
    Source: Lin, Chen and Yan 2014, "Network in network", section 3.2.
    """
    for node in net.graph.nodes:
        flatten = flattened(net, node)
        if flatten is None:
            continue
        own, total = net.numbers[node.name].parameters, net.graph.parameter_count
        if node.shares is not None or own < _MOST * total:
            continue
        pooled = with_pooling(net.graph, flatten)
        shape = format_shape(net.graph.shapes[flatten.inputs[0]])
        yield Evidence(
            node.name,
            f"it reads the flattened {shape} and holds {format_count(own)} of {format_count(total)} parameters "
            f"({format_share(own, total)}); with globalavgpool the network has {format_count(pooled.parameter_count)}",
            fix=f"globalavgpool in place of {flatten.name}",
            severity="warning" if own >= _NEARLY_ALL * total and own >= _LARGE else None,
        )


def flattened(net: Subject, node: Node) -> Node | None:
    """The flatten before a dense layer that reads a map with more than one position."""
    if not isinstance(node.layer, Dense):
        return None
    flatten = before(net, node, (Dropout, Identity))
    if flatten is None or not isinstance(flatten.layer, Flatten) or not is_map(net.graph, flatten.inputs[0]):
        return None
    return flatten


def with_pooling(graph: Graph, flatten: Node) -> Graph:
    """The network with global average pooling in place of a flatten."""
    nodes = (replace(node, layer=GlobalAvgPool()) if node.name == flatten.name else node for node in graph.nodes)
    return replace(graph, nodes=tuple(nodes))
