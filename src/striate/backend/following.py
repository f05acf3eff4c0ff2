"""Which activation follows a layer: what the first weights should be chosen for."""

from __future__ import annotations

from collections import deque

from striate.graph import Graph, Layer
from striate.graph.layers.activation import Activation

__all__ = ["following_activation"]


def following_activation(graph: Graph, name: str) -> Layer | None:
    """The nearest activation behind a node, through everything that neither weighs nor bends what passes.

    The search goes through normalisation, pooling, dropout, merges, flatten and the like, breadth first and in the
    order of the nodes; it stops at layers with weights and at softmax. None when there is no activation: then the node
    is a last layer, or the next weights read it directly.

    >>> from striate.graph import network
    >>> net = network("n", (3, 8, 8)).conv(4, 3).batchnorm().maxpool(2).relu().flatten().dense(5).softmax().build()
    >>> following_activation(net, "conv1"), following_activation(net, "dense1")
    (ReLU(), None)
    """
    readers: dict[str, list[str]] = {node.name: [] for node in graph.nodes}
    for node in graph.nodes:
        for source in dict.fromkeys(node.inputs):
            readers[source].append(node.name)
    waiting, seen = deque(readers[name]), set(readers[name])
    while waiting:
        node = graph[waiting.popleft()]
        if node.layer.nonlinearity is not None:
            return node.layer
        weighs = any(entry.role == "weight" for entry in node.layer.parameters(graph.input_shapes(node)))
        if weighs or isinstance(node.layer, Activation):
            continue
        for reader in readers[node.name]:
            if reader not in seen:
                seen.add(reader)
                waiting.append(reader)
    return None
