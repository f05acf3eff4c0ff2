"""Where the command line writes: views for people, plain text for programs."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["deliver", "flush", "printed", "rendered", "show", "write_plain"]


def show(view: RenderableType) -> None:
    """Print a view on standard output."""
    write_plain(rendered(view))


def write_plain(text: str) -> None:
    """Print exactly this text; a path or JSON must not be broken into lines."""
    with _standard_output():
        sys.stdout.write(text if text.endswith("\n") else text + "\n")


def printed(view: RenderableType, output: str | None) -> str:
    """A view as text for standard output, or for the file behind ``-o``: plain there, and as wide as it needs to be."""
    if output is None:
        return rendered(view)
    import io

    from striate.views import make_console

    stream = io.StringIO()
    make_console(stream).print(view)
    return stream.getvalue()


def deliver(text: str, output: str | None) -> None:
    """Write this text, ending in a line feed, on standard output or into the file behind ``-o``.

    Raises:
        StorageError: the file cannot be written.
    """
    if output is None:
        write_plain(text)
        return
    from pathlib import Path

    from striate.errors import StorageError
    from striate.runs.atomic import write_text

    path = Path(output)
    if path.is_dir():
        raise StorageError("this is a folder", where="--output", got=output, needs="the name of a file in it")
    try:
        write_text(path, text if text.endswith("\n") else f"{text}\n")
    except StorageError as error:
        # What helps everywhere else, another folder for the runs, is no option of a verb that writes one file.
        needs = "a file in a folder that is there, with room, and may be written"
        raise StorageError(error.problem, where=error.where, got=error.got, needs=needs, write="-o FILE") from None


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
