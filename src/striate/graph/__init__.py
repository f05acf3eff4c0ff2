"""The network as data: Graph, Node, the layers and the builder. No torch, no weights."""

from striate.graph.block import Block
from striate.graph.builder import Chain, network
from striate.graph.graph import Graph, Node
from striate.graph.layer import Layer, Parameter, Reach, Step
from striate.graph.layers import layer_class, layer_classes

__all__ = [
    "Block",
    "Chain",
    "Graph",
    "Layer",
    "Node",
    "Parameter",
    "Reach",
    "Step",
    "layer_class",
    "layer_classes",
    "network",
]
