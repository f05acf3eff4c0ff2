"""Graph → inline text, for a plain chain."""

from __future__ import annotations

from collections.abc import Iterator

from striate.errors import SourceError
from striate.graph.graph import Graph
from striate.graph.layer import Layer
from striate.sources.shortest import automatic_names, shortest
from striate.sources.wording import quoted

__all__ = ["to_inline"]


def to_inline(graph: Graph) -> str:
    """A plain chain as inline text; reading it gives the same nodes (the name and ``classes`` are not in it).

    Raises:
        SourceError: the network is no plain chain, has names of its own, or an attribute that has no inline form.

    >>> from striate.sources.inline_reader import read_inline
    >>> to_inline(read_inline("conv 16 3 padding=same > maxpool kernel=2 > flatten > dense 10", input=(1, 8, 8)))
    'input 1x8x8 > conv 16 3 same > maxpool 2 > flatten > dense 10'
    """
    problem = _no_chain(graph)
    if problem is not None:
        raise SourceError(
            "this network has no inline form",
            where=graph.name,
            got=problem,
            needs="a plain chain of layers with automatic names",
            write="its YAML (to_yaml)",
        )
    parts = ["input " + "x".join(str(size) for size in graph.input_shape)]
    parts += [" ".join(_words(graph.name, node.layer)) for node in graph.nodes[1:]]
    return " > ".join(parts)


def _no_chain(graph: Graph) -> str | None:
    if graph.nodes[0].name != "input" or len(graph) == 1:
        return "no layers" if len(graph) == 1 else f"an input called {quoted(graph.nodes[0].name)}"
    automatic = automatic_names(graph, 1)
    for earlier, node in zip(graph.nodes, graph.nodes[1:], strict=False):
        if node.inputs != (earlier.name,):
            return f"{quoted(node.name)} does not read only the layer before it"
        if automatic[node.name] != node.name:
            return f"a layer called {quoted(node.name)}"
        if not node.layer.written:
            return f"an operation that no layer describes: {getattr(node.layer, 'operation', node.layer.kind)}"
        if node.shares is not None:
            return f"{node.name}, which shares the weights of {node.shares}"
    return None if graph.outputs == (graph.nodes[-1].name,) else f"the outputs {', '.join(graph.outputs)}"


def _words(network: str, layer: Layer) -> Iterator[str]:
    yield layer.kind
    attributes = shortest(layer)
    for name in layer.positional:
        if name not in attributes:
            break
        yield _word(network, layer, name, attributes.pop(name))
    if layer.words is not None and isinstance(attributes.get(layer.words), str):
        yield str(attributes.pop(layer.words))
    for name, value in attributes.items():
        yield f"{name}={_word(network, layer, name, value)}"


def _word(network: str, layer: Layer, name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        if len(value) < 2 or any(isinstance(entry, tuple) for entry in value):
            raise SourceError(
                "this attribute has no inline form",
                where=f"{network[:60]}, {layer.kind}",
                got=f"{name}: {value}",
                needs="a number, or one for each axis",
                write="its YAML (to_yaml)",
            )
        return "x".join(str(entry) for entry in value)
    return str(value)
