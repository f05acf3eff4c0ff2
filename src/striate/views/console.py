"""The console that the views are printed on."""

from __future__ import annotations

import os
from typing import IO

from rich.console import Console

__all__ = ["PIPED_WIDTH", "make_console"]

PIPED_WIDTH = 10_000
"""Columns that output into a file or pipe may take: a line that a program reads must not be cut or broken."""


def make_console(file: IO[str] | None = None, *, stderr: bool = False) -> Console:
    """A console that takes text as it is, and whose piped output is plain and never cut.

    Square brackets in what is printed are not read as markup, emoji codes not as emoji, and numbers are not coloured.
    ``NO_COLOR`` and ``TERM=dumb`` are heeded; ``COLUMNS`` decides the width where it is set.

    Args:
        file: where to; default: standard output.
        stderr: standard error instead.

    >>> import io
    >>> out = io.StringIO()
    >>> make_console(out).print("[bold] class", 5, ":smile:")
    >>> out.getvalue()
    '[bold] class 5 :smile:\\n'
    """
    console = Console(file=file, stderr=stderr, markup=False, emoji=False, highlight=False)
    if not console.is_terminal and not os.environ.get("COLUMNS", "").isdigit():
        console.width = PIPED_WIDTH
    return console
