"""One writer at a time: two processes that train one run would destroy it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from striate.errors import RunError
from striate.runs.atomic import storage_error

__all__ = ["alone_in"]

_NAME = "lock"


@contextlib.contextmanager
def alone_in(path: Path) -> Iterator[None]:
    """Be the only process that works in a folder; the system ends it with the process, however that ends.

    Where the system has no locks of this kind (Windows, some network file systems) nothing is held.

    Args:
        path: the folder, made when it is missing.

    Raises:
        RunError: another process is there.
        StorageError: the folder cannot be written.
    """
    try:
        path.mkdir(exist_ok=True)
        descriptor = os.open(path / _NAME, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
    except OSError as error:
        raise storage_error(error, path / _NAME) from error
    try:
        _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        import fcntl
    except ImportError:
        return
    try:
        # Held by the process, not by the open file: worker processes do not inherit it and cannot outlive it.
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
        raise RunError(
            "another process is training this run",
            where=str(path.parent),
            got=f"process {holder}" if holder.isdecimal() else None,
            needs="one at a time",
            write="wait for it, or end it",
        ) from None
    except OSError:
        return
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
