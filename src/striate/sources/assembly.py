"""Assembly: a network being put together from text, with names that may be referred to and bounds that hold."""

from __future__ import annotations

import math
from dataclasses import replace

from striate.errors import NetworkError, SourceError, near_miss
from striate.graph.block import Block
from striate.graph.builder import Draft
from striate.graph.graph import Graph, Node
from striate.graph.layer import Layer
from striate.graph.layers.input import Input
from striate.sources.tree import TreeNode
from striate.sources.wording import named_few, quoted, told_at
from striate.units import format_count, format_shape

__all__ = ["CONNECTION_LIMIT", "NODE_LIMIT", "VOLUME_LIMIT", "Assembly"]

NODE_LIMIT = 100_000
"""The most nodes that text may describe, repetitions counted."""
CONNECTION_LIMIT = 1_000_000
"""The most connections between them."""
VOLUME_LIMIT = 2**63 - 1
"""The most numbers in one map: what a tensor can index."""


class Assembly:
    """A draft to which text appends nodes, each at a place that errors name."""

    def __init__(self, name: str) -> None:
        self.draft = Draft(name)
        #: The item of a list of layers that each node came from; a repeated one gives several.
        self.items: dict[str, TreeNode] = {}
        self._connections = 0
        #: What a reference means: the node that was given this name most recently.
        self._named: dict[str, str] = {}
        self._lines: dict[str, int] = {}
        self._uses: dict[str, int] = {}

    def append(
        self, layer: Layer, inputs: tuple[str, ...], where: str, name: str | None = None, shares: str | None = None
    ) -> str:
        """Add a node, with weights of its own or those of the node ``shares``; the name of it.

        Raises:
            NetworkError: the shapes do not fit, told at ``where``.
            SourceError: a bound is crossed.
        """
        self._connections += len(inputs)
        self._check_room(where)
        try:
            node = self.draft.append(layer, inputs, name, shares)
        except NetworkError as error:
            raise told_at(error, where) from None
        self._check_volume(self.draft.nodes[-1], where)
        return node

    def expand(self, block: Block, start: str, where: str, name: str | None = None) -> str:
        """Add the nodes of a block; the name of the last. A reference to the block's name means that node.

        Raises:
            NetworkError: the shapes do not fit, told at ``where``.
            SourceError: a bound is crossed.
        """
        self._check_room(where)
        label, count = self.draft.fresh_name(block.kind) if name is None else name, len(self.draft.nodes)
        try:
            end = self.draft.expand(block, start, label)
        except NetworkError as error:
            raise told_at(error, where) from None
        for node in self.draft.nodes[count:]:
            self._connections += len(node.inputs)
            self._check_volume(node, where)
        self.remember(label, end)
        return end

    def locate(self, count: int, origin: str, item: TreeNode | None = None) -> None:
        """Note where all nodes after the first ``count`` were written, unless it is known already."""
        nodes = self.draft.nodes
        for index in range(count, len(nodes)):
            node = nodes[index]
            if node.origin is None:
                nodes[index] = replace(node, origin=origin)
                if item is not None:
                    self.items[node.name] = item

    def _check_room(self, where: str) -> None:
        if len(self.draft.nodes) >= NODE_LIMIT or self._connections > CONNECTION_LIMIT:
            raise SourceError(
                "this network is too large",
                where=where,
                got=f"more than {format_count(NODE_LIMIT)} nodes or {format_count(CONNECTION_LIMIT)} connections",
                needs="fewer repetitions",
            )

    def _check_volume(self, node: Node, where: str) -> None:
        shape = self.draft.shapes[node.name]
        if math.prod(shape) > VOLUME_LIMIT:
            raise SourceError(
                f"the map that leaves {node.layer.kind} is too large for any machine",
                where=where,
                got=format_shape(shape),
                needs="at most 2^63 - 1 numbers in one map",
            )

    def free_name(self, label: str, again: bool, line: int, where: str) -> str:
        """The node name that ``as: label`` gives: the label, or with ``_2``, ``_3``, … when its layer is used again.

        Raises:
            SourceError: it is not a name, or another node has it.
        """
        if again:
            while True:
                self._uses[label] = self._uses.get(label, 1) + 1
                name = f"{label}_{self._uses[label]}"
                if name not in self.draft.shapes and name not in self._named:
                    return name
        try:
            # The graph alone knows what a name may be.
            Graph("names", (Node(label, Input((1, 1))),))
        except NetworkError as error:
            raise SourceError(
                error.problem, where=where, got=quoted(label), needs=error.needs, write="as: stem"
            ) from None
        if label in self.draft.shapes or label in self._named:
            first = f"the name given on line {self._lines[label]}" if label in self._lines else "an automatic name"
            raise SourceError(
                f"two nodes are called {quoted(label)}",
                where=where,
                got=f"as: {label}, which is also {first}",
                needs="a name of its own for each node",
                write=f"as: {label}_{self._fresh(label)}",
            )
        self._lines[label] = line
        return label

    def _fresh(self, label: str) -> int:
        number = 2
        while f"{label}_{number}" in self.draft.shapes or f"{label}_{number}" in self._named:
            number += 1
        return number

    def remember(self, label: str, node: str) -> None:
        """From now on a reference to ``label`` means ``node``."""
        self._named[label] = node

    def find(self, reference: str, where: str, later: frozenset[str] = frozenset()) -> str:
        """The node that a reference means.

        Args:
            reference: a name given with ``as``, or an automatic one such as ``conv2``.
            where: the place of the reference.
            later: names that the text gives anywhere, to tell a reference forward from an unknown one.

        Raises:
            SourceError: when there is no such node yet.
        """
        if reference in self._named:
            return self._named[reference]
        if reference in self.draft.shapes:
            return reference
        if reference in later:
            raise SourceError(
                f"{quoted(reference)} comes later: a network has no cycles",
                where=where,
                got=quoted(reference),
                needs="the name of an earlier layer",
            )
        known = list(self.draft.shapes)
        raise SourceError(
            f"there is no layer called {quoted(reference)} before this one",
            where=where,
            got=quoted(reference),
            needs=f"one of {named_few(known)}; 'as: NAME' gives a layer a name",
            write=near_miss(reference, known[-1000:]),
        )
