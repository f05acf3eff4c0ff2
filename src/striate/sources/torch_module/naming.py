"""The names of imported nodes: those of the modules they come from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from striate.graph.layers.input import Input
from striate.graph.layers.opaque import Opaque
from striate.sources.torch_module.values import Pending

__all__ = ["names_of"]


def names_of(nodes: Sequence[Pending]) -> list[str]:
    """A name for each node.

    A node whose parameters are ``conv1.weight`` and ``conv1.bias`` is ``conv1``, and so is what one of torch's own
    modules under that path computes. What stands in the author's own code is the module's path with what it is:
    ``layer1.0.add1``; where it is all that the module does, the path alone. A second call gets ``_2``.
    """
    wanted = [_wanted(node) for node in nodes]
    counts = Counter(node.place.path for node, name in zip(nodes, wanted, strict=True) if name is None)
    below = Counter(prefix for node in nodes for prefix in _prefixes(node.place.path))
    taken: set[str] = set()
    names: list[str] = []
    numbers: Counter[str] = Counter()
    reserved = {_valid(name) for name in wanted if name is not None}
    for node, given in zip(nodes, wanted, strict=True):
        path, name = node.place.path, given
        if name is None and path and counts[path] == 1 and not below[path]:
            name = path
        stem = f"{path}.{_kind(node)}" if path else _kind(node)
        while name is None or (given is None and name != path and _valid(name) in taken | reserved):
            numbers[stem] += 1
            name = f"{stem}{'_' if stem[-1].isdigit() else ''}{numbers[stem]}"
        free = _unique(_valid(name), taken)
        taken.add(free)
        names.append(free)
    return names


def _wanted(node: Pending) -> str | None:
    if node.name is not None:
        return node.name
    homes = {name.rpartition(".")[0] for name in node.weights}
    if len(homes) == 1 and not isinstance(node.layer, Opaque):
        (home,) = homes
        layer_names = {name.rpartition(".")[2] for name in node.weights}
        if home and layer_names <= {"weight", "bias"}:
            return home
    return node.place.path if node.place.leaf and node.place.path else None


def _prefixes(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _kind(node: Pending) -> str:
    if isinstance(node.layer, Input):
        return "input"
    if not isinstance(node.layer, Opaque):
        return node.layer.kind
    last = node.layer.operation.partition(" with ")[0].rpartition(".")[2].strip("_")
    return re.sub(r"\W+", "_", last) or "operation"


def _valid(name: str) -> str:
    """Letters, digits and _ between dots; the first part begins with no digit."""
    parts = [re.sub(r"[^A-Za-z0-9_]", "_", part) or "_" for part in name.split(".")]
    if parts[0][0].isdigit():
        parts[0] = f"layer{parts[0]}"
    return ".".join(parts)


def _unique(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
