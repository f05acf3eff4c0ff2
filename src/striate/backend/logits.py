"""Which layers give a classifier's logits: the ones whose first weights decide how sure the network begins."""

from __future__ import annotations

from striate.graph import Graph, Layer
from striate.graph.layers.activation import Activation, Softmax
from striate.graph.layers.convolution import Conv
from striate.graph.layers.dense import Dense
from striate.graph.layers.dropout import Dropout
from striate.graph.layers.global_pooling import AdaptiveAvgPool, GlobalAvgPool
from striate.graph.layers.pooling import AvgPool
from striate.graph.layers.reshape import Flatten, Identity

__all__ = ["logits_layers"]

#: What a score for each class may still pass on its way out: nothing here makes small scores large again.
_PASSES: tuple[type[Layer], ...] = (Identity, Flatten, Dropout, GlobalAvgPool, AdaptiveAvgPool, AvgPool, Softmax)


def logits_layers(graph: Graph) -> frozenset[str]:
    """The nodes whose weights make the logits: the last weights before an output of one number for each class.

    That is a dense layer, or a convolution with a map for each class whose mean is taken (SqueezeNet, Network in
    network); dropout, softmax, sigmoid and the relu of these two may stand behind it. Where anything else does, such as
    a normalisation or a factor that the network itself puts on its logits, there is none; so too where the network does
    not say how many classes it tells apart, or gives maps: segmentation, detection, images.

    Returns:
        names of the nodes that own the weights; several where a network has several such outputs.

    >>> from striate.graph import network
    >>> x = network("n", (3, 8, 8), classes=5).conv(4, 3).relu()
    >>> sorted(logits_layers(x.conv(5, 1).relu().globalavgpool().build()))
    ['conv2']
    >>> sorted(logits_layers(x.globalavgpool().dense(7).build()))
    []
    """
    if graph.classes is None:
        return frozenset()
    found = set()
    for output in graph.outputs:
        node = graph[output]
        if graph.shapes[output] != (graph.classes,):
            continue
        while isinstance(node.layer, (*_PASSES, Activation)) and node.layer.nonlinearity != "tanh":
            node = graph[node.inputs[0]]
        if isinstance(node.layer, (Conv, Dense)) and graph.shapes[node.name][0] == graph.classes:
            found.add(node.shares or node.name)
    return frozenset(found)
