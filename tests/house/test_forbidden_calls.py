"""No file that is read can run code, and the library never talks to the terminal behind its caller's back."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import pytest

RUNS_CODE = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
MAY_PRINT = {"cli", "views"}


def prints(tree: ast.Module) -> Iterator[int]:
    """The lines that call ``print``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node.lineno


def runs_code(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and reason of whatever may execute what a file holds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, a.name) for a in node.names if a.name.split(".")[0] in RUNS_CODE)
        elif isinstance(node, ast.ImportFrom):
            package = (node.module or "").split(".")[0]
            if package in RUNS_CODE:
                yield node.lineno, package
            if package == "torch" and any(alias.name == "load" for alias in node.names):
                yield node.lineno, "write torch.load(…, weights_only=True), so that it can be seen"
        elif isinstance(node, ast.Call):
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            if ast.unparse(node.func) == "torch.load" and not _is(given.get("weights_only"), True):
                yield node.lineno, "torch.load without weights_only=True"
            if "allow_pickle" in given and not _is(given["allow_pickle"], False):
                yield node.lineno, "allow_pickle"
            if isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
                yield node.lineno, node.func.id


def _is(node: ast.expr | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def test_the_library_does_not_print(modules: dict[str, Any]) -> None:
    faults = [f"{m.path}:{line}" for m in modules.values() if m.room not in MAY_PRINT for line in prints(m.tree)]
    assert not faults, "return it, and let cli or views show it:\n" + "\n".join(faults)


def test_nothing_that_is_read_can_run_code(modules: dict[str, Any]) -> None:
    faults = [f"{m.path}:{line}: {reason}" for m in modules.values() for line, reason in runs_code(m.tree)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "def f():\n  from joblib import load",
        "import os, dill.source",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.load(path, weights_only=safe)",
        "from torch import load",
        "numpy.load(path, allow_pickle=True)",
        "eval(text)",
    ],
)
def test_what_can_run_code_is_caught(source: str) -> None:
    assert list(runs_code(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    ["torch.load(path, weights_only=True)", "numpy.load(path, allow_pickle=False)", "net.eval()", "import json"],
)
def test_what_cannot_is_let_through(source: str) -> None:
    assert not list(runs_code(ast.parse(source)))


def test_a_print_is_caught() -> None:
    assert list(prints(ast.parse("def f():\n  if x:\n    print(1)"))) == [3]
    assert not list(prints(ast.parse("console.print(1)  # print(2)")))
