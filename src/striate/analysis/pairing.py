"""Which layer of one network answers to which of another."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from striate.graph import Graph

__all__ = ["pair_nodes", "shared_names"]

Pair = tuple[str | None, str | None]


def pair_nodes(first: Graph, second: Graph) -> tuple[Pair, ...]:
    """The nodes of two networks side by side, in order; None where one has no counterpart.

    Equal names are paired as far as they come in the same order; what lies between two such pairs is paired by kind,
    in order.

    >>> from striate.graph import network
    >>> a = network("a", (3, 8, 8)).conv(4, 3, name="stem").relu(name="act").build()
    >>> b = network("b", (3, 8, 8)).conv(4, 3, name="stem").batchnorm(name="norm").relu(name="relu").build()
    >>> pair_nodes(a, b)
    (('input', 'input'), ('stem', 'stem'), (None, 'norm'), ('act', 'relu'))
    """
    names = [node.name for node in first.nodes], [node.name for node in second.nodes]
    pairs: list[Pair] = []
    matcher = SequenceMatcher(None, *names, autojunk=False)
    for tag, a_start, a_end, b_start, b_end in matcher.get_opcodes():
        ours, theirs = names[0][a_start:a_end], names[1][b_start:b_end]
        pairs += zip(ours, theirs, strict=True) if tag == "equal" else _by_kind(first, second, ours, theirs)
    return tuple(pairs)


def shared_names(first: Graph, second: Graph) -> bool:
    """Whether two networks are versions of one: at least half of the smaller one's layers are in the other by name."""
    ours, theirs = {node.name for node in first.nodes}, {node.name for node in second.nodes}
    return 2 * len(ours & theirs) >= min(len(ours), len(theirs))


def _by_kind(first: Graph, second: Graph, ours: Sequence[str], theirs: Sequence[str]) -> list[Pair]:
    pairs: list[Pair] = []
    kinds = [first[name].layer.kind for name in ours], [second[name].layer.kind for name in theirs]
    for tag, a_start, a_end, b_start, b_end in SequenceMatcher(None, *kinds, autojunk=False).get_opcodes():
        if tag == "equal":
            pairs += zip(ours[a_start:a_end], theirs[b_start:b_end], strict=True)
        else:
            pairs += [(name, None) for name in ours[a_start:a_end]]
            pairs += [(None, name) for name in theirs[b_start:b_end]]
    return pairs
