"""The library's source, parsed once for all tests of the house."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name (a package's ``__init__.py`` bears the package's name), text and syntax tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """What the module belongs to: the package or file right below ``striate``, or ``__init__`` for the top."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else "__init__"


@pytest.fixture(scope="session")
def repository() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def library() -> Path:
    return ROOT / "src" / "striate"


@pytest.fixture(scope="session")
def modules(library: Path) -> dict[str, Module]:
    """Every module of the library by its dotted name."""
    found = {}
    for path in sorted(library.rglob("*.py")):
        name = ".".join(path.relative_to(library.parent).with_suffix("").parts).removesuffix(".__init__")
        text = path.read_text(encoding="utf-8")
        found[name] = Module(name, path, text, ast.parse(text))
    return found
