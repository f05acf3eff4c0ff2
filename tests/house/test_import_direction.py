"""Imports point one way, and nothing imports in a circle: read from the source, imports inside functions included."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

import pytest

# A room may import what stands in a line below its own, and itself. Rooms in one line do not import each other.
# Whoever adds a package to striate decides here where it stands.
LINES: tuple[tuple[str, ...], ...] = (
    ("__main__",),
    ("cli", "studio"),
    ("__init__",),  # the verbs
    ("_numbers", "_runs", "_trials"),  # those of them that look at a network, use a run, and try a recipe
    ("serving",),
    ("lint", "insight", "export"),
    ("training",),
    ("sources", "backend", "data", "views"),
    ("zoo", "analysis"),
    ("graph",),
    ("runs",),
    ("findings", "errors", "units", "lazy", "rule_texts"),
)
DEPTH = {room: depth for depth, line in enumerate(LINES) for room in line}


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imported(tree: ast.Module, name: str, is_package: bool, known: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each module of the library that a source file imports, anywhere in it.

    Args:
        tree: the source file.
        name: its dotted name.
        is_package: whether it is an ``__init__.py``.
        known: every module there is, to tell ``from striate import errors`` (a module) from a name in one.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] == "striate")
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = name.split(".")[: None if is_package and node.level == 1 else -node.level + is_package]
                base = ".".join([*above, *([base] if base else [])])
            if base.split(".")[0] == "striate":
                for alias in node.names:
                    whole = f"{base}.{alias.name}"
                    yield node.lineno, whole if whole in known else base
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            target = node.args[0].value
            if called in ("import_module", "__import__") and isinstance(target, str) and target.startswith("striate."):
                yield node.lineno, target


def wrong_way(name: str, imports: Iterator[tuple[int, str]]) -> list[str]:
    """The imports of one module that do not point down."""
    own = room_of(name)
    return [
        f"{name}:{line}: {own} may not import {room_of(target)} ({target})"
        for line, target in imports
        if room_of(target) != own and DEPTH[room_of(target)] <= DEPTH[own]
    ]


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle; empty when there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        members: list[str] = error.args[1]
        return members
    return []


@pytest.fixture(scope="session")
def imports(modules: dict[str, Any]) -> dict[str, list[tuple[int, str]]]:
    known = frozenset(modules)
    return {
        name: list(imported(module.tree, name, module.path.name == "__init__.py", known))
        for name, module in modules.items()
    }


def test_every_package_has_its_place(modules: dict[str, Any]) -> None:
    homeless = sorted({module.room for module in modules.values()} - set(DEPTH))
    assert not homeless, f"give these a line in LINES of {__file__}: {homeless}"


def test_imports_point_down(imports: dict[str, list[tuple[int, str]]]) -> None:
    faults = [fault for name, found in imports.items() for fault in wrong_way(name, iter(found))]
    assert not faults, "\n".join(faults)


def test_nothing_imports_in_a_circle(imports: dict[str, list[tuple[int, str]]]) -> None:
    graph = {name: {target for _, target in found if target != name} for name, found in imports.items()}
    assert not circle(graph), " -> ".join(circle(graph))


KNOWN = frozenset({"striate", "striate.errors", "striate.graph", "striate.graph.node", "striate.training.loop"})


@pytest.mark.parametrize(
    ("source", "name", "is_package", "targets"),
    [
        ("import striate.graph.node as n, os", "striate.zoo.lenet", False, ["striate.graph.node"]),
        ("from striate import errors", "striate.zoo.lenet", False, ["striate.errors"]),
        ("from striate import __version__", "striate.zoo.lenet", False, ["striate"]),
        ("def f():\n  from striate.training.loop import fit", "striate.graph.node", False, ["striate.training.loop"]),
        ("from .node import Node", "striate.graph.builder", False, ["striate.graph.node"]),
        ("from . import node", "striate.graph", True, ["striate.graph.node"]),
        ("from .node import Node", "striate.graph", True, ["striate.graph.node"]),
        ("from ..training.loop import fit", "striate.graph.node", False, ["striate.training.loop"]),
        ("from .. import errors", "striate.graph", True, ["striate.errors"]),
        ("importlib.import_module('striate.training.loop')", "striate.graph", True, ["striate.training.loop"]),
        ("import striated, os.path", "striate.graph", True, []),
    ],
)
def test_imports_are_found_however_written(source: str, name: str, is_package: bool, targets: list[str]) -> None:
    found = imported(ast.parse(source), name, is_package, KNOWN)
    assert [target for _, target in found] == targets


def test_an_import_that_points_up_or_aside_is_caught() -> None:
    def faults(name: str, target: str) -> list[str]:
        return wrong_way(name, iter([(7, target)]))

    assert faults("striate.graph.node", "striate.training.loop") == [
        "striate.graph.node:7: graph may not import training (striate.training.loop)"
    ]
    assert faults("striate.data.folder", "striate.backend")
    assert faults("striate.errors", "striate.units")
    assert faults("striate.runs.folder", "striate")
    assert not faults("striate.graph.node", "striate.graph.layer")
    assert not faults("striate.cli.train", "striate")
    assert not faults("striate", "striate.training.loop")


def test_a_circle_is_caught() -> None:
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == {"a", "b", "c"}
    assert not circle({"a": {"b", "c"}, "b": {"c"}, "c": set()})
