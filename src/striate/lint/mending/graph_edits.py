"""Edits of a Graph: an attribute gets another value, a node is left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from striate.analysis.editing import edit
from striate.errors import NetworkError, UsageError
from striate.graph import Graph, Node
from striate.lint.rule import Edit
from striate.sources.shortest import shortest

__all__ = ["CannotEdit", "alike", "apply_edits", "spelled_out"]


class CannotEdit(Exception):  # noqa: N818 - nothing is wrong, it is only not done
    """An edit cannot be carried out by a program; the text says why."""


def apply_edits(graph: Graph, edits: Iterable[Edit]) -> Graph:
    """The network with all of these edits; every node that stays keeps its name.

    Args:
        graph: any network; it stays as it is.
        edits: each of a node of it.

    Raises:
        CannotEdit: the result would be no network, or nobody can say what takes the place of a node.

    >>> from striate.sources import read_inline
    >>> net = apply_edits(read_inline("relu > relu > conv 4 3"), [Edit("relu2"), Edit("conv1", "bias", False)])
    >>> [node.name for node in net.nodes], net["conv1"].inputs, net["conv1"].layer.bias
    (['input', 'relu1', 'conv1'], ('relu1',), False)
    """
    edits = list(edits)
    changes: dict[str, dict[str, object]] = {}
    for entry in edits:
        if entry.attribute is not None:
            changes.setdefault(entry.node, {})[entry.attribute] = entry.value
    removed = {entry.node for entry in edits if entry.attribute is None}
    try:
        changed = edit(graph, changes) if changes else graph
        return _without(changed, removed) if removed else changed
    except (NetworkError, UsageError) as error:
        raise CannotEdit(str(error).split("\n")[0]) from None


def _without(graph: Graph, removed: set[str]) -> Graph:
    stands_for: dict[str, str] = {}
    nodes = []
    for node in graph.nodes:
        inputs = tuple(stands_for.get(name, name) for name in node.inputs)
        if node.name not in removed:
            _check_reads(graph, node, inputs, removed)
            nodes.append(node if inputs == node.inputs else replace(node, inputs=inputs))
        elif len(inputs) == 1:
            stands_for[node.name] = inputs[0]
    outputs = tuple(stands_for.get(name, name) for name in graph.outputs)
    for name in outputs:
        if name in removed:
            raise CannotEdit(f"{name} is an output")
    return replace(graph, nodes=tuple(nodes), outputs=outputs)


def _check_reads(graph: Graph, node: Node, inputs: tuple[str, ...], removed: set[str]) -> None:
    """Whether a node that stays still has what it reads, and its weights."""
    if node.shares in removed:
        raise CannotEdit(f"{node.name} uses the weights of {node.shares}")
    for name in inputs:
        if name in removed:
            count = len(graph[name].inputs)
            raise CannotEdit(f"{name} reads {count} layers, and none of them alone can take its place")


def spelled_out(before: Graph, after: Graph, edits: Iterable[Edit]) -> list[Edit]:
    """The edits, with those of attributes that followed from a changed one and now have to be written.

    >>> from striate.sources import read_inline
    >>> net, edits = read_inline("maxpool 2"), [Edit("maxpool1", "kernel", 3)]
    >>> [(edit.attribute, edit.value) for edit in spelled_out(net, apply_edits(net, edits), edits)]
    [('kernel', 3), ('stride', 2)]
    """
    edits = list(edits)
    given = {(entry.node, entry.attribute) for entry in edits}
    for name in dict.fromkeys(entry.node for entry in edits if entry.attribute is not None):
        old, new = shortest(before[name].layer), shortest(after[name].layer)
        edits += [Edit(name, key, new[key]) for key in new if key not in old and (name, key) not in given]
    return edits


def alike(one: Graph, other: Graph) -> bool:
    """Whether two networks are the same but for the names of their nodes."""
    if len(one) != len(other) or one.classes != other.classes:
        return False
    places = [{node.name: place for place, node in enumerate(graph.nodes)} for graph in (one, other)]
    for ours, theirs in zip(one.nodes, other.nodes, strict=True):
        if ours.layer != theirs.layer:
            return False
        mine, yours = (
            [places[side][name] for name in (*node.inputs, *((node.shares,) if node.shares else ()))]
            for side, node in enumerate((ours, theirs))
        )
        if mine != yours or (ours.shares is None) != (theirs.shares is None):
            return False
    return [places[0][name] for name in one.outputs] == [places[1][name] for name in other.outputs]
