"""The options ``input`` and ``classes``: checked, and never without effect in silence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from striate.errors import SourceError, UsageError
from striate.graph.graph import Graph, Node
from striate.graph.layer import Layer
from striate.graph.layers.input import Input
from striate.units import Shape, format_shape

__all__ = [
    "channel_attribute",
    "check_classes",
    "check_input",
    "check_inputs",
    "head_names",
    "with_classes",
    "without_effect",
]

#: Attributes that say how many channels leave a layer.
_CHANNELS = ("filters", "units")


def check_input(input: object) -> Shape | None:
    """The option ``input`` as a shape.

    Raises:
        LayerError: it is not the shape of an image.
    """
    if input is None:
        return None
    shape = tuple(input) if isinstance(input, Iterable) and not isinstance(input, (str, bytes)) else input
    return Input(shape).shape  # type: ignore[arg-type]


def check_inputs(input: object) -> tuple[Shape, ...] | None:
    """The option ``input`` as a shape for each input.

    Raises:
        LayerError: one is not the shape of an image.

    >>> check_inputs((3, 8, 8)), check_inputs(((3, 8, 8), (1, 8, 8)))
    (((3, 8, 8),), ((3, 8, 8), (1, 8, 8)))
    """
    if isinstance(input, (tuple, list)) and input and all(isinstance(entry, (tuple, list)) for entry in input):
        return tuple(Input(tuple(entry)).shape for entry in input)
    shape = check_input(input)
    return None if shape is None else (shape,)


def check_classes(classes: object) -> int | None:
    """The option ``classes`` as a number.

    Raises:
        UsageError: it is not a whole number of at least 1.
    """
    if classes is None:
        return None
    if not isinstance(classes, int) or isinstance(classes, bool) or classes < 1:
        raise UsageError(
            "this is not a number of classes", got=f"classes={classes!r}", needs="a whole number", write="classes=10"
        )
    return classes


def channel_attribute(layer: Layer) -> str | None:
    """The attribute of a layer that says how many channels leave it; None when they follow from what arrives."""
    return next((name for name in _CHANNELS if hasattr(layer, name)), None)


def head_names(graph: Graph) -> tuple[str, ...]:
    """The layers that decide the number of classes: from each output backwards, the first that sets the channels.

    Only those count that yield as many channels as the graph has classes.

    >>> from striate.graph import network
    >>> head_names(network("n", (1, 4, 4), classes=3).flatten().dense(3).softmax().build())
    ('dense1',)
    """
    found: list[str] = []
    for output in graph.outputs:
        if graph.shapes[output][0] != graph.classes:
            continue
        node = graph[output]
        while len(node.inputs) - len(node.layer.shape_only) == 1 and channel_attribute(node.layer) is None:
            node = graph[node.inputs[0]]
        name = channel_attribute(node.layer)
        if name is not None and getattr(node.layer, name) == graph.classes:
            found.append(node.name)
    return tuple(dict.fromkeys(found))


def with_classes(graph: Graph, classes: int) -> Graph:
    """The same network for another number of classes: its last layers yield that many channels.

    Raises:
        SourceError: no layer yields the number of classes, so that the option would have no effect.

    >>> from striate.graph import network
    >>> with_classes(network("n", (1, 4, 4), classes=3).flatten().dense(3).build(), 5).output_shape
    (5,)
    """
    if graph.classes == classes:
        return graph
    if graph.classes is None and graph.output_shape == (classes,):
        return replace(graph, classes=classes)
    heads = head_names(graph)
    if not heads:
        raise without_effect(classes, graph, graph.name, "build the network with classes=…")
    nodes: list[Node] = []
    for node in graph.nodes:
        layer = node.layer
        if node.name in heads:
            layer = replace(layer, **{str(channel_attribute(layer)): classes})  # type: ignore[type-var]
        nodes.append(replace(node, layer=layer))
    return replace(graph, nodes=tuple(nodes), classes=classes)


def without_effect(classes: int, graph: Graph, where: str, write: str) -> SourceError:
    """The error for a number of classes that no layer takes up."""
    return SourceError(
        f"classes={classes} has no effect",
        where=where,
        got=f"a network that yields {format_shape(graph.output_shape)} whatever the number of classes",
        needs="a last layer whose size is the word 'classes'",
        write=write,
    )
