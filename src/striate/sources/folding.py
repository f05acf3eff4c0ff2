"""Nodes → the structures they were written with: parallel paths that begin at one node and are joined by a merge.

The order of nodes is never changed, so that a folded network unfolds to the same one; what has no such form stays
a plain list with names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from striate.graph.graph import Graph, Node
from striate.graph.layers.merge import Multiply

__all__ = ["Block", "Item", "Leaf", "fold"]

_BLOCK_LIMIT = 24
"""The most nodes inside one block, and so also a bound on the work: a longer one reads better as a list."""
_DEPTH_LIMIT = 6
_PATH_LIMIT = 12


@dataclass(frozen=True, slots=True)
class Leaf:
    """One node on its own."""

    node: Node
    count: int = 1
    depth: int = 0

    @property
    def start(self) -> str | None:
        """The node it reads first."""
        return self.node.inputs[0] if self.node.inputs else None


@dataclass(frozen=True, slots=True)
class Block:
    """Parallel paths from ``start``, joined by ``node``; an empty path is what arrives."""

    node: Node
    start: str
    paths: tuple[tuple[Item, ...], ...]
    count: int
    depth: int


Item = Leaf | Block


def fold(graph: Graph) -> list[Item]:
    """Every node of a graph in its order, with paths gathered into blocks where they have that form.

    >>> from striate.graph import network
    >>> x = network("n", (4, 8, 8))
    >>> [type(item).__name__ for item in fold(x.conv(4, 3, padding="same").add(x).relu().build())]
    ['Leaf', 'Block', 'Leaf']
    """
    items: list[Item] = []
    for node in graph.nodes:
        block = _block(graph, node, items) if node.layer.arity is None and not fields(node.layer) else None  # type: ignore[arg-type]
        if block is None:
            items.append(Leaf(node))
        else:
            del items[len(items) - sum(len(path) for path in block.paths) :]
            items.append(block)
    return items


def _block(graph: Graph, node: Node, items: Sequence[Item]) -> Block | None:
    """The block that a merging node closes, with the last of ``items`` as its paths; None where they do not fit."""
    if len(node.inputs) > _PATH_LIMIT:
        return None
    recent = items[-_BLOCK_LIMIT - 1 :]
    for start in _starts(node, recent):
        paths = _paths(node, start, recent)
        if paths is None:
            continue
        inner = [item for path in paths for item in path]
        count, depth = sum(item.count for item in inner) + 1, max(item.depth for item in inner) + 1
        if count <= _BLOCK_LIMIT and depth <= _DEPTH_LIMIT and not _detour(graph, node, start, paths):
            return Block(node, start, paths, count, depth)
    return None


def _starts(node: Node, items: Sequence[Item]) -> list[str]:
    """The nodes where the paths may begin: where the chain of the last path breaks off, or an input of the merge."""
    candidates = list(node.inputs)
    for index in range(len(items) - 1, 0, -1):
        start = items[index].start
        if start != items[index - 1].node.name:
            if start is not None:
                candidates.insert(0, start)
            break
    return list(dict.fromkeys(candidates))


def _paths(node: Node, start: str, items: Sequence[Item]) -> tuple[tuple[Item, ...], ...] | None:
    """The paths from ``start`` to each input of ``node``, when they are exactly the last items and in order."""
    end = len(items)
    paths: list[tuple[Item, ...]] = []
    for name in reversed(node.inputs):
        if name == start:
            paths.append(())
            continue
        begin = end - 1
        if begin < 0 or items[begin].node.name != name:
            return None
        while items[begin].start != start:
            if begin == 0 or items[begin].start != items[begin - 1].node.name:
                return None
            begin -= 1
        paths.append(tuple(items[begin:end]))
        end = begin
    return tuple(reversed(paths)) if any(paths) else None


def _detour(graph: Graph, node: Node, start: str, paths: tuple[tuple[Item, ...], ...]) -> bool:
    """Whether one path changes nothing and another works at a different size: a long skip, better told by its name."""
    if isinstance(node.layer, Multiply) or all(paths):
        return False
    size = graph.shapes[start][1:]
    return any(graph.shapes[inner.name][1:] != size for path in paths for item in path for inner in _nodes(item))


def _nodes(item: Item) -> list[Node]:
    if isinstance(item, Leaf):
        return [item.node]
    return [inner for path in item.paths for part in path for inner in _nodes(part)] + [item.node]
