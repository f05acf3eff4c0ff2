"""Files stay under 300 lines and functions under 60, so that each can be read in one sitting."""

from __future__ import annotations

import ast
from typing import Any

FILE_LIMIT = 300
FUNCTION_LIMIT = 60


def too_long(text: str) -> bool:
    return len(text.splitlines()) > FILE_LIMIT


def long_functions(tree: ast.Module) -> list[tuple[str, int]]:
    """Name and length of each function over the limit; its documentation string does not count, nested ones do."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = _lines(node)
            first = node.body[0]
            if ast.get_docstring(node) is not None:
                lines -= _lines(first)
            if lines > FUNCTION_LIMIT:
                found.append((node.name, lines))
    return found


def _lines(node: ast.stmt) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def test_no_file_is_too_long(modules: dict[str, Any]) -> None:
    faults = [f"{m.path}: {len(m.text.splitlines())} lines" for m in modules.values() if too_long(m.text)]
    assert not faults, f"split these by idea, {FILE_LIMIT} lines is the limit:\n" + "\n".join(faults)


def test_no_function_is_too_long(modules: dict[str, Any]) -> None:
    faults = [f"{m.path}: {name}, {lines} lines" for m in modules.values() for name, lines in long_functions(m.tree)]
    assert not faults, f"{FUNCTION_LIMIT} lines is the limit:\n" + "\n".join(faults)


def test_what_is_too_long_is_caught() -> None:
    assert too_long("x\n" * 301)
    assert not too_long("x\n" * 300)

    def with_lines(count: int, docstring: str = "") -> ast.Module:
        return ast.parse("class C:\n  async def f(self):\n" + docstring + "    x = 1\n" * (count - 1))

    assert long_functions(with_lines(61)) == [("f", 61)]
    assert long_functions(with_lines(60)) == []
    assert long_functions(with_lines(60, '    """one\n    two\n    """\n')) == []
