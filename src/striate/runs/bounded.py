"""Reading a file whole, but never more of it than the reader is prepared to hold."""

from __future__ import annotations

import stat
from pathlib import Path

from striate.errors import RunError
from striate.units import format_bytes

__all__ = ["JSON_LIMIT", "read_bounded"]

JSON_LIMIT = 64 * 1024**2
"""The largest JSON or YAML file of a run folder that is read, in bytes."""


def read_bounded(path: Path, limit: int = JSON_LIMIT) -> bytes:
    """The content of a file of at most ``limit`` bytes.

    Raises:
        RunError: the file is missing, is not a file (a folder, a pipe, a device), is too large or cannot be read.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise RunError("not a file", where=str(path))
        with open(path, "rb") as stream:
            # The size is counted again while reading: a file may grow, and some report a size of 0.
            content = stream.read(limit + 1)
    except FileNotFoundError:
        raise RunError("this file is missing", where=str(path)) from None
    except OSError as error:
        raise RunError("cannot be read", where=str(path), got=error.strerror or str(error)) from error
    if len(content) > limit:
        size = format_bytes(max(status.st_size, limit + 1))
        raise RunError("too large to be read", where=str(path), got=size, needs=f"at most {format_bytes(limit)}")
    return content
