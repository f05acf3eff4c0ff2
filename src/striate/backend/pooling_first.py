"""Maximum pooling before the activation instead of after it: the same numbers with fewer evaluations."""

from __future__ import annotations

from dataclasses import replace

from striate.graph import Graph, Node
from striate.graph.layers.activation import ReLU
from striate.graph.layers.clipped import ReLU6
from striate.graph.layers.pooling import MaxPool

__all__ = ["pooling_first"]


def pooling_first(graph: Graph) -> Graph:
    """The network with each ReLU that only a maximum pooling reads moved behind that pooling.

    ``maxpool(relu(x)) = relu(maxpool(x))``, since ReLU never reverses an order; padding counts as −∞ in both. The
    gradient is the same number too: where the largest input of a window is not positive, no gradient passes in
    either order. Only ReLU and ReLU6 are moved: of other activations two inputs can round to one output, and the
    gradient would take another way. The nodes keep their names, so weights fit as before.

    Args:
        graph: any network; it stays as it is.

    Returns:
        The same graph when there is nothing to move.

    >>> from striate.graph import network
    >>> net = network("n", (1, 8, 8)).conv(4, 3).relu().maxpool(2).flatten().dense(2).build()
    >>> [node.layer.kind for node in pooling_first(net).nodes]
    ['input', 'conv', 'maxpool', 'relu', 'flatten', 'dense']
    """
    moved = {activation.name: pool for activation, pool in _pairs(graph)}
    if not moved:
        return graph
    behind = {pool.name: name for name, pool in moved.items()}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.name in moved:
            continue
        if node.name not in behind:
            nodes.append(replace(node, inputs=tuple(behind.get(name, name) for name in node.inputs)))
            continue
        activation = graph[behind[node.name]]
        nodes.append(replace(node, inputs=tuple(behind.get(name, name) for name in activation.inputs)))
        nodes.append(replace(activation, inputs=(node.name,)))
    outputs = tuple(behind.get(name, name) for name in graph.outputs)
    return replace(graph, nodes=tuple(nodes), outputs=outputs)


def _pairs(graph: Graph) -> list[tuple[Node, Node]]:
    """Each activation that can move, with the pooling it moves behind."""
    readers: dict[str, list[Node]] = {node.name: [] for node in graph.nodes}
    for node in graph.nodes:
        for name in node.inputs:
            readers[name].append(node)
    found = []
    for node in graph.nodes:
        if not isinstance(node.layer, ReLU | ReLU6) or len(readers[node.name]) != 1 or node.name in graph.outputs:
            continue
        pool = readers[node.name][0]
        if isinstance(pool.layer, MaxPool):
            found.append((node, pool))
    return found
