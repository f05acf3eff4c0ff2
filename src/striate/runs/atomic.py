"""Writing a file so that at every moment it is either the old one or the new one, whole.

The bytes go to a temporary file in the same folder, are flushed to the disk, and only then take the name; the folder is
flushed too, so that the name survives a power cut. A full disk or a refused write leaves the old file as it was.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from striate.errors import StorageError

__all__ = [
    "is_temporary",
    "remove_leftovers",
    "replacing",
    "storage_error",
    "temporary_beside",
    "write_bytes",
    "write_json",
    "write_text",
]

_SUFFIX = ".striate-tmp"

_PROBLEMS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "no permission to write here",
    errno.EPERM: "no permission to write here",
    errno.ENOENT: "the folder does not exist",
    errno.ENOTDIR: "a file stands where a folder is needed",
    errno.EISDIR: "a folder stands where the file goes",
}

# What a file system answers that has no such operation: no news of a failed write.
_NO_FSYNC = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
# Windows does not open folders at all.
_NO_FOLDER_FSYNC = _NO_FSYNC | {errno.EACCES, errno.EPERM, errno.EISDIR, errno.EBADF}


def storage_error(error: OSError, path: Path) -> StorageError:
    """A failed write, told to the user: what is wrong with ``path`` and where to write instead.

    >>> print(storage_error(OSError(errno.ENOSPC, "No space left on device"), Path("runs/a-1/run.json")))
    runs/a-1/run.json: the disk is full
      got:   No space left on device
      needs: a folder on a disk with room, that may be written
      write: --runs DIR
    """
    problem = _PROBLEMS.get(error.errno or 0, "cannot be written")
    return StorageError(
        problem,
        where=str(path),
        got=error.strerror or str(error),
        needs="a folder on a disk with room, that may be written",
        write="--runs DIR",
    )


def temporary_beside(path: Path) -> Path:
    """A hidden name in the folder of ``path`` that no other thread or process uses."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}{_SUFFIX}")


def is_temporary(path: Path) -> bool:
    """Whether it bears such a name.

    >>> is_temporary(temporary_beside(Path("run.json"))), is_temporary(Path("run.json"))
    (True, False)
    """
    return path.name.startswith(".") and path.name.endswith(_SUFFIX)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file to fill in place of ``path``; it takes the name when the block ends without an error.

    For writers that want a file name of their own; everybody else calls `write_bytes`.

    Yields:
        an empty file in the folder of ``path``.

    Raises:
        StorageError: an ``OSError`` inside the block or while the file takes its name. The old file is untouched and
            the temporary one removed, unless only flushing the folder failed: then the new file is in place.
    """
    temporary = temporary_beside(path)
    try:
        # Created here and exclusively, with the rights the user's umask gives, not the private ones of `tempfile`.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield temporary
        _flush(temporary, os.O_RDWR, _NO_FSYNC)
        os.replace(temporary, path)
    except OSError as error:
        _discard(temporary)
        raise storage_error(error, path) from error
    except BaseException:
        _discard(temporary)
        raise
    try:
        _flush(path.parent, os.O_RDONLY, _NO_FOLDER_FSYNC)
    except OSError as error:
        raise storage_error(error, path) from error


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file, atomically.

    Raises:
        StorageError: see `replacing`.
    """
    with replacing(path) as temporary, open(temporary, "wb") as stream:
        stream.write(data)


def write_text(path: Path, text: str) -> None:
    """Write a whole UTF-8 file, atomically, with line ends as they are in ``text``.

    Raises:
        StorageError: see `replacing`.
    """
    write_bytes(path, text.encode())


def write_json(path: Path, value: object) -> None:
    """Write a value as indented JSON, atomically.

    Raises:
        ValueError: a number in it is not finite; nothing is written.
        TypeError: something in it is not JSON; nothing is written.
        StorageError: see `replacing`.
    """
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def remove_leftovers(folder: Path) -> int:
    """Remove what a killed process left half written in ``folder``; only for who alone writes there.

    Returns:
        how many files were removed.

    Raises:
        StorageError: one could not be removed.
    """
    leftovers = sorted(folder.glob(f".*{_SUFFIX}"))
    for leftover in leftovers:
        try:
            leftover.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, leftover) from error
    return len(leftovers)


def _discard(temporary: Path) -> None:
    with contextlib.suppress(OSError):
        temporary.unlink(missing_ok=True)


def _flush(path: Path, flags: int, harmless: set[int]) -> None:
    """Have the system put ``path`` on the disk; a system that cannot do so for this kind of file is no failure."""
    try:
        descriptor = os.open(path, flags)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in harmless:
            raise
