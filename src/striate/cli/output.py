"""Where the command line writes: rich consoles for people, plain text for pipes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["console", "error_console", "show", "write_plain"]

#: Wide enough that no table is cut when the output goes to a file.
PIPE_WIDTH = 160


def console() -> Console:
    """Standard output."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False, soft_wrap=False)


def error_console() -> Console:
    """Standard error."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def show(*parts: RenderableType) -> None:
    """Print for people."""
    target = console()
    for part in parts:
        target.print(part)


def write_plain(text: str) -> None:
    """Print for programs: exactly this text."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
