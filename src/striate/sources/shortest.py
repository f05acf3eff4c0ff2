"""A layer → the fewest attributes that give the same layer again. Shared by what writes YAML and inline text."""

from __future__ import annotations

from dataclasses import MISSING, fields

from striate.errors import NetworkError
from striate.graph.builder import Draft
from striate.graph.graph import Graph
from striate.graph.layer import Layer

__all__ = ["automatic_names", "shortest"]


def shortest(layer: Layer) -> dict[str, object]:
    """The attributes without which it would be another layer, in the order of its fields.

    >>> from striate.graph.layers.pooling import MaxPool
    >>> shortest(MaxPool(2, stride=2)), shortest(MaxPool(3, stride=2))
    ({'kernel': 2}, {'kernel': 3, 'stride': 2})
    """
    cls = type(layer)
    known = fields(layer)  # type: ignore[arg-type]
    attributes = {field.name: getattr(layer, field.name) for field in known}
    for field in known:
        if field.default is MISSING and field.default_factory is MISSING:
            continue
        if field.default == attributes[field.name]:
            del attributes[field.name]
            continue
        # A default may follow from another attribute, as the stride of a pooling does.
        fewer = {name: value for name, value in attributes.items() if name != field.name}
        if _same(cls, fewer, layer):
            attributes = fewer
    return attributes


def _same(cls: type[Layer], attributes: dict[str, object], layer: Layer) -> bool:
    try:
        return cls(**attributes) == layer
    except NetworkError:
        return False


def automatic_names(graph: Graph, given: int) -> dict[str, str]:
    """The name that each node would get if it were written without one, every other name being as it is.

    Args:
        graph: the network.
        given: how many nodes at its beginning have a name in any case.
    """
    draft = Draft(graph.name)
    unused: dict[str, str] = {}
    names: dict[str, str] = {}
    for index, node in enumerate(graph.nodes):
        if index >= given:
            kind = node.layer.kind
            if kind not in unused or draft.taken(unused[kind]):
                unused[kind] = draft.fresh_name(kind)
            names[node.name] = unused[kind]
        draft.take(node.name, ())
    return names
