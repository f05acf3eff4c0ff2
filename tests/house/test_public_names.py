"""Every module says what it offers, and every package has a README.md."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


def declared(tree: ast.Module) -> list[str] | None:
    """The names in ``__all__``; None when the module has none, or one that cannot be read off its source."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            try:
                return list(ast.literal_eval(value))
            except ValueError:
                return None
    return None


def missing(names: list[str], module: ModuleType | SimpleNamespace) -> list[str]:
    return [name for name in names if not _offers(module, name)]


def _offers(module: ModuleType | SimpleNamespace, name: str) -> bool:
    try:
        return hasattr(module, name)
    except ImportError:  # a lazy export whose module is gone
        return False


def test_every_module_has_a_list_of_its_names(modules: dict[str, Any]) -> None:
    without = [str(m.path) for name, m in modules.items() if not name.endswith("__main__") and declared(m.tree) is None]
    assert not without, "write a plain list of names, __all__ = [...], in:\n" + "\n".join(without)


def test_every_name_in_the_list_is_there(modules: dict[str, Any]) -> None:
    faults = []
    for name, module in modules.items():
        names = declared(module.tree)
        if names:
            faults += [f"{name}: {entry}" for entry in missing(names, importlib.import_module(name))]
    assert not faults, "\n".join(faults)


def test_every_package_has_a_readme(library: Path) -> None:
    packages = [path.parent for path in library.glob("*/__init__.py")]
    without = [str(package) for package in packages if not _says_something(package / "README.md")]
    assert not without, "four lines: what it reads, does and writes: " + ", ".join(without)


def _says_something(path: Path) -> bool:
    return path.is_file() and len(path.read_text(encoding="utf-8").split()) > 10


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("__all__ = ['a', 'b']", ["a", "b"]),
        ("__all__: list[str] = []", []),
        ("a = 1", None),
        ("__all__ = sorted(globals())", None),
        ("def f():\n  __all__ = ['a']", None),
    ],
)
def test_the_list_is_read_off_the_source(source: str, names: list[str] | None) -> None:
    assert declared(ast.parse(source)) == names


def test_a_missing_name_and_readme_are_caught(tmp_path: Path) -> None:
    assert missing(["here", "gone"], SimpleNamespace(here=1)) == ["gone"]
    assert not _says_something(tmp_path / "README.md")
    (tmp_path / "README.md").write_text("# data\n")
    assert not _says_something(tmp_path / "README.md")
