"""Where the command line writes: views for people, plain text for programs."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["flush", "rendered", "show", "write_plain"]


def show(view: RenderableType) -> None:
    """Print a view on standard output."""
    write_plain(rendered(view))


def write_plain(text: str) -> None:
    """Print exactly this text; a path or JSON must not be broken into lines."""
    with _standard_output():
        sys.stdout.write(text if text.endswith("\n") else text + "\n")


def flush() -> None:
    """Only now is it known whether what was printed can be kept: standard output may be a file on a full disk."""
    with _standard_output():
        sys.stdout.flush()


@contextlib.contextmanager
def _standard_output() -> Iterator[None]:
    """An error of the system does not say by itself which file it was."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard output") from None


def rendered(view: RenderableType, *, stderr: bool = False) -> str:
    """A view as text, coloured where the stream is a terminal.

    Written by us and not by rich, which ends the process by itself when a pipe breaks.
    """
    from striate.views import make_console

    console = make_console(stderr=stderr)
    # rich writes nothing while it captures, which is still too much for a stream without a buffer on a full disk.
    with contextlib.nullcontext() if stderr else _standard_output(), console.capture() as capture:
        console.print(view)
    return capture.get()
