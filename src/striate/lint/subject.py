"""Subject: all that a rule sees of a network."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from striate.graph import Graph, Node

if TYPE_CHECKING:
    import numpy as np

    from striate.analysis import NodeReport, Report
    from striate.lint.allowing import IdleAllow

__all__ = ["Subject"]


@dataclass(frozen=True)
class Subject:
    """A network, with what is known about its use.

    Args:
        graph: the network.
        weights: its tensors under ``<node>.<name>``, where given; rules about weights are silent without.
        unused: parameters of an imported module that its forward pass never uses, by their names.
        batch: how many images a training step has, where known.
        loss: what it is trained with, where known: ``cross-entropy``, ``bce`` or ``mse``.
        idle_allows: comments that allow what no rule finds.
    """

    graph: Graph
    weights: Mapping[str, np.ndarray] | None = None
    unused: tuple[str, ...] = ()
    batch: int | None = None
    loss: str | None = None
    idle_allows: tuple[IdleAllow, ...] = ()

    @functools.cached_property
    def report(self) -> Report:
        """The exact numbers of the network."""
        from striate.analysis import inspect

        return inspect(self.graph)

    @functools.cached_property
    def numbers(self) -> Mapping[str, NodeReport]:
        """The exact numbers of each node."""
        return {node.name: node for node in self.report.nodes}

    @functools.cached_property
    def readers(self) -> Mapping[str, tuple[Node, ...]]:
        """The nodes that read each node; an output of the network has one reader more than listed here."""
        found: dict[str, list[Node]] = {node.name: [] for node in self.graph.nodes}
        for node in self.graph.nodes:
            for name in dict.fromkeys(node.inputs):
                found[name].append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    def source(self, node: Node, position: int = 0) -> Node:
        """The node that one input of a node comes from."""
        return self.graph[node.inputs[position]]

    def only_reader(self, node: Node) -> Node | None:
        """The one node that reads this one; None where there are none or several, or it is an output."""
        readers = self.readers[node.name]
        return readers[0] if len(readers) == 1 and node.name not in self.graph.outputs else None
