"""N602: nodes from which no way leads to an output."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph import Graph, Node
from striate.graph.layers.input import Input
from striate.graph.layers.opaque import Opaque
from striate.lint.rule import Edit, Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import DRAWS
from striate.units import format_count

__all__ = ["dead_end", "reaching"]


@rule("N602", "dead-end", "warning", fix="safe")
def dead_end(net: Subject) -> Iterator[Evidence]:
    """Nodes are computed that no output needs.

    What: a node that nothing reads and that is no output, with all before it that lead nowhere else. Of an imported
        operation with several outputs (an LSTM, max with its places) one that is used is enough, and one without
        parameters and multiply-adds is not told.
    Why: what they compute is thrown away, and they get no gradient; a merge or an output was forgotten.
    Example: A branch conv 8 1 behind a layer, that no merge takes up and no output names.
    Instead: conv 16 3 > relu > globalavgpool > dense 10
    Fix: safe: the nodes are left out; all outputs stay as they are.
    Source: Ben Braiek and Khomh 2023, "Testing feedforward neural networks training programs" (TheDeepChecker), which
        checks the dependency of outputs on layers while training; here it is read off the graph.
    """
    alive = _with_siblings(net.graph, reaching(net.graph))
    told: set[str] = set()
    for node in net.graph.nodes:
        if node.name in alive or isinstance(node.layer, Input) or net.readers[node.name]:
            continue
        if node.name in {name.rpartition(".")[0] for name in net.unused}:
            continue  # recorded for parameters that no operation uses: N601 tells of these
        lost = [entry for entry in _before(net.graph, node, alive) if entry.name not in told]
        told.update(entry.name for entry in lost)
        parameters = sum(entry.count for one in lost for entry in net.graph.own_parameters(one))
        macs = sum(net.numbers[one.name].macs for one in lost)
        if not parameters and not macs and all(isinstance(one.layer, Opaque) for one in lost):
            continue  # the unread half of a split, say
        rest = len(lost) - 1
        others = "" if not rest else f" and {rest} node{'' if rest == 1 else 's'} before it"
        verb = "reaches" if not rest else "reach"
        # What draws random numbers leaves others to those behind it when it goes.
        drawn = any(isinstance(one.layer, DRAWS) for one in lost)
        needed = any(entry.shares in {one.name for one in lost} for entry in net.graph.nodes if entry.name in alive)
        yield Evidence(
            node.name,
            f"it{others} {verb} no output: "
            f"{format_count(parameters)} parameters and {format_count(macs)} MACs for nothing",
            fix=f"leave {'it' if not rest else 'them'} out, or join {node.name} with what leads to an output",
            edits=() if needed or drawn else tuple(Edit(entry.name) for entry in reversed(lost)),
        )


def reaching(graph: Graph) -> frozenset[str]:
    """The nodes from which a way leads to an output.

    >>> from striate.graph import network
    >>> sorted(reaching(network("n", (3, 8, 8)).conv(4, 3).relu().build()))
    ['conv1', 'input', 'relu1']
    """
    found = set(graph.outputs)
    for node in reversed(graph.nodes):
        if node.name in found:
            found.update(node.inputs)
    return frozenset(found)


def _with_siblings(graph: Graph, alive: frozenset[str]) -> frozenset[str]:
    """With the other outputs of each recorded operation of which one is needed: they stand in nodes of their own."""
    needed = {_call(node) for node in graph.nodes if node.name in alive and isinstance(node.layer, Opaque)}
    return alive | {node.name for node in graph.nodes if isinstance(node.layer, Opaque) and _call(node) in needed}


def _call(node: Node) -> tuple[object, ...]:
    return getattr(node.layer, "operation", None), node.inputs, node.origin


def _before(graph: Graph, end: Node, alive: frozenset[str]) -> list[Node]:
    """A dead node and the dead ones before it, in the order of the network."""
    found = {end.name}
    for node in reversed(graph.nodes):
        if node.name in found:
            found.update(name for name in node.inputs if name not in alive)
    return [node for node in graph.nodes if node.name in found and not isinstance(node.layer, Input)]
