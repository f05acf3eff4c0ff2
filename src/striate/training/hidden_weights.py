"""The weights that Muon moves: those of convolutions and dense layers between the first and the last."""

from __future__ import annotations

from striate.graph import Graph, Node
from striate.graph.layers.dropout import Dropout
from striate.graph.layers.normalization import BatchNorm
from striate.graph.layers.pooling import AvgPool, MaxPool
from striate.graph.layers.reshape import Identity

__all__ = ["hidden_weights"]

#: Layers behind which a positive factor is still a factor.
_THROUGH = (AvgPool, MaxPool, Identity, Dropout)


def hidden_weights(graph: Graph) -> dict[str, bool]:
    """The weights of all layers but the first and the last that have any, by name: the first reads pixels, the last
    speaks for single classes, and both do better with another rule (Jordan et al., "Muon", 2024).

    Returns:
        for each whether batch normalisation follows, which is indifferent to the scale of the weights.

    >>> from striate.graph import network
    >>> x = network("n", (1, 8, 8)).conv(4, 3).conv(8, 3, bias=False).maxpool(2).batchnorm().conv(8, 1).flatten()
    >>> hidden_weights(x.dense(2).build())
    {'conv2.weight': True, 'conv3.weight': False}
    """
    found = [
        (f"{node.name}.{entry.name}", node)
        for node in graph.nodes
        for entry in graph.own_parameters(node)
        if entry.role == "weight" and len(entry.shape) >= 2
    ]
    return {name: _is_normalised(graph, node) for name, node in found[1:-1]}


def _is_normalised(graph: Graph, node: Node) -> bool:
    """Whether a batch normalisation is all that reads what leaves a node, perhaps behind pooling."""
    while True:
        readers = [other for other in graph.nodes if node.name in other.inputs]
        if len(readers) != 1 or node.name in graph.outputs or any(other.shares == node.name for other in graph.nodes):
            return False
        node = readers[0]
        if isinstance(node.layer, BatchNorm):
            return True
        if not isinstance(node.layer, _THROUGH):
            return False
