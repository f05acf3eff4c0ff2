"""What a node must fulfil that uses the tensors of an earlier one again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from striate.errors import NetworkError, near_miss
from striate.graph.layer import Layer
from striate.graph.node_names import names_in_reach
from striate.units import Shape, format_shape

__all__ = ["check_shares", "unknown_node"]


class _Node(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def layer(self) -> Layer: ...
    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def shares(self) -> str | None: ...


def check_shares(network: str, node: _Node, nodes: Mapping[str, _Node], shapes: Mapping[str, Shape]) -> None:
    """Check that a node can use the tensors of the one it names.

    Args:
        network: what the network is called.
        node: a node with ``shares``.
        nodes: it and all before it.
        shapes: what leaves each of them.

    Raises:
        NetworkError: that node does not come before it, shares tensors itself, or has others; a layer that keeps
            statistics shares with one that is equal to it.
    """
    where = f"{network}, node {node.name!r}"
    owner = nodes.get(str(node.shares))
    if owner is None or owner is node:
        others = {name: entry for name, entry in nodes.items() if entry is not node}
        raise unknown_node(network, f"node {node.name!r} shares the weights of", str(node.shares), others)
    if owner.shares is not None:
        raise NetworkError(
            f"{owner.name!r} has no weights of its own: it shares those of {owner.shares!r}",
            where=where,
            got=f"shares: {owner.name}",
            needs="the node that has the weights",
            write=owner.shares,
        )
    ours, theirs = (_tensors(entry, shapes) for entry in (node, owner))
    if ours != theirs or not ours:
        raise NetworkError(
            f"the weights of {owner.name!r} do not fit here",
            where=where,
            got=f"{_listed(theirs)} of {owner.layer.kind}",
            needs=f"{_listed(ours)} for {node.layer.kind}" if ours else f"weights; {node.layer.kind} has none",
        )
    if node.layer != owner.layer and owner.layer.buffers(tuple(shapes[name] for name in owner.inputs)):
        raise NetworkError(
            f"{node.layer.kind} cannot share the statistics of {owner.name!r}",
            where=where,
            got=f"{node.layer!r}",
            needs=f"an equal layer: {owner.layer!r}",
        )


def _tensors(node: _Node, shapes: Mapping[str, Shape]) -> list[Shape]:
    inputs = tuple(shapes[name] for name in node.inputs)
    return [entry.shape for entry in (*node.layer.parameters(inputs), *node.layer.buffers(inputs))]


def _listed(shapes: list[Shape]) -> str:
    return " and ".join(format_shape(shape) or "one number" for shape in shapes) if shapes else "no tensors"


def unknown_node(where: str, what: str, name: str, known: Mapping[str, object]) -> NetworkError:
    """The error for a name that no earlier node has."""
    return NetworkError(
        f"{what} {name!r}, and there is no such node before it",
        where=where,
        needs=names_in_reach(name, known) if known else "an earlier node",
        write=near_miss(name, known),
    )
