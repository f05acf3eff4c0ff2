"""N604: one batch normalisation in several places."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph.layers.normalization import BatchNorm
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import sharers

__all__ = ["shared_batchnorm"]


@rule("N604", "shared-batchnorm", "warning", fix="none")
def shared_batchnorm(net: Subject) -> Iterator[Evidence]:
    """One batch normalisation is used in several places.

    What: a batch normalisation whose tensors another node uses too; an info where all of them read different inputs of
        the network, as twins do.
    Why: in training each place is normalised with its own mean and variance; the running averages mix all of them, and
        fit none at inference.
    Example: A module that calls self.bn after both of its convolutions.
    Instead: conv 16 3 bias=false > batchnorm > relu > globalavgpool > dense 10
    Fix: none: a batch normalisation for each place; convolutions may go on sharing their weights.
    Source: Ioffe and Szegedy 2015, section 3.1 (one population for each normalisation).
    """
    for owner, nodes in sharers(net.graph).items():
        if not isinstance(net.graph[owner].layer, BatchNorm):
            continue
        sources = [frozenset(_entries(net, node.name)) for node in nodes]
        twins = all(not one & other for place, one in enumerate(sources) for other in sources[:place])
        others = ", ".join(node.name for node in nodes[1:4]) + (", …" if len(nodes) > 4 else "")
        yield Evidence(
            owner,
            f"{len(nodes)} places use it ({others} too): its running averages mix {len(nodes)} distributions",
            fix="a batchnorm of its own for each place",
            severity="info" if twins else None,
        )


def _entries(net: Subject, name: str) -> set[str]:
    """The inputs of the network that a node depends on."""
    found, waiting = set(), [name]
    while waiting:
        node = net.graph[waiting.pop()]
        if node.name not in found:
            found.add(node.name)
            waiting.extend(node.inputs)
    return {node.name for node in net.graph.inputs} & found
