"""Node names as module names: which cannot be, and how they look as variables."""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from functools import cache

from torch import fx, nn

from striate.errors import NetworkError
from striate.graph import Graph
from striate.graph.layers.input import Input

__all__ = ["check_names", "variable_name"]


@cache
def _taken(top: bool) -> frozenset[str]:
    """What a module already has under a name of its own: methods, attributes."""
    return frozenset(dir(fx.GraphModule(nn.Module(), fx.Graph()) if top else nn.Module()))


def check_names(graph: Graph) -> None:
    """Check that every node can be a module of its own under its name, dots nesting.

    Raises:
        NetworkError: when a name is a word of Python, is what every torch module has already (``forward``,
            ``training``), or begins, up to a dot, with the name of another node.
    """
    modules = [node.name for node in graph.nodes if not isinstance(node.layer, Input)]
    for node in graph.nodes:
        for part in node.name.split("."):
            if keyword.iskeyword(part):
                raise _reserved(graph, node.name, part, "is a word of Python")
    names = set(modules)
    for name in modules:
        parts = name.split(".")
        for position, part in enumerate(parts):
            if part in _taken(position == 0):
                raise _reserved(graph, name, part, "is something every torch module has already")
        _check_prefixes(graph, name, (".".join(parts[:end]) for end in range(1, len(parts))), names)


def _check_prefixes(graph: Graph, name: str, prefixes: Iterable[str], names: set[str]) -> None:
    for prefix in prefixes:
        if prefix in names:
            raise NetworkError(
                f"node {prefix!r} cannot be a layer and hold the layer {name!r} at once",
                where=graph.name,
                got=f"{prefix} and {name}",
                needs="names that do not begin with another node's name and a dot",
                write=f"{prefix}_{name[len(prefix) + 1 :]}",
            )


def _reserved(graph: Graph, name: str, part: str, why: str) -> NetworkError:
    spare = ".".join(f"{entry}_" if entry == part else entry for entry in name.split("."))
    got = name if name == part else f"{name} (its part {part!r})"
    return NetworkError(
        f"a node cannot be called {name!r}: {part!r} {why}",
        where=graph.name,
        got=got,
        needs="another name",
        write=spare,
    )


def variable_name(name: str) -> str:
    """A node's name as fx may use it for a variable; ``self`` is the module itself.

    >>> variable_name("layer1.0.conv1"), variable_name("self")
    ('layer1_0_conv1', 'self_')
    """
    flat = name.replace(".", "_")
    return "self_" if flat == "self" else flat
