"""``striate explain --list``: every code with its name."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from striate.views.tables import Column, Grid, GridRow

__all__ = ["rule_list"]


def rule_list(rows: Iterable[tuple[str, str, str, str]]) -> Grid:
    """Codes as a table.

    Args:
        rows: code, name, severity and one line about each.
    """
    columns = (Column("code"), Column("name"), Column("severity"), Column("", flexible=True))
    return Grid(columns, [GridRow((Text(code, "cyan"), *(Text(cell) for cell in rest))) for code, *rest in rows])
