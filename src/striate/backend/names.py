"""Node names as module names: which cannot be, and how they look as variables."""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from functools import cache

from torch import fx, nn

from striate.backend.operations import operation_of
from striate.errors import NetworkError
from striate.graph import Graph
from striate.graph.layers.input import Input
from striate.graph.layers.opaque import Opaque

__all__ = ["check_known", "check_names", "variable_name"]


@cache
def _taken(top: bool) -> frozenset[str]:
    """What a module already has under a name of its own: methods, attributes."""
    return frozenset(dir(fx.GraphModule(nn.Module(), fx.Graph()) if top else nn.Module()))


def check_names(graph: Graph) -> None:
    """Check that every node can be a module of its own under its name, dots nesting.

    Raises:
        NetworkError: when a name is a word of Python, is what every torch module has already (``forward``,
            ``training``), or begins, up to a dot, with the name of another node whose module holds no others.
    """
    modules = [node.name for node in graph.nodes if not isinstance(node.layer, Input)]
    for node in graph.nodes:
        for part in node.name.split("."):
            if keyword.iskeyword(part):
                raise _reserved(graph, node.name, part, "is a word of Python")
    names = {name for name in modules if not operation_of(graph[name].layer).holds}
    for name in modules:
        parts = name.split(".")
        for position, part in enumerate(parts):
            if part in _taken(position == 0):
                raise _reserved(graph, name, part, "is something every torch module has already")
        _check_prefixes(graph, name, (".".join(parts[:end]) for end in range(1, len(parts))), names)
    _check_inside(graph, modules)


def check_known(graph: Graph) -> None:
    """Check that the network holds no operation that was recorded without being understood.

    Raises:
        NetworkError: when there is one; up to three are named.
    """
    found = [node for node in graph.nodes if isinstance(node.layer, Opaque)]
    if found:
        told = ", ".join(f"{node.name} ({getattr(node.layer, 'operation', '')})" for node in found[:3])
        raise NetworkError(
            "an imported network with operations that no layer describes can be inspected, not built or trained",
            where=graph.name,
            got=told + (f" and {len(found) - 3} more" if len(found) > 3 else ""),
            needs="layers alone",
            write="the module or file that it was imported from, to compute with it",
        )


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


def _check_inside(graph: Graph, modules: list[str]) -> None:
    """Nodes inside of another node's module must not be called like its tensors."""
    for node in graph.nodes:
        for tensor in node.layer.parameters(graph.input_shapes(node)):
            full = f"{node.name}.{tensor.name}"
            if inside := [name for name in modules if name == full or name.startswith(f"{full}.")]:
                raise _reserved(graph, inside[0], tensor.name, f"is a tensor of the node {node.name!r} already")


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
