"""Where files of decoded pixels lie, how much room they may take, and which go when it is used up."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from pathlib import Path

from striate.errors import DataError, StorageError
from striate.units import format_bytes

__all__ = ["PIXELS", "VARIABLE", "cache_folder", "cache_problem", "make_room", "remove_others", "room_for_pixels"]

VARIABLE = "STRIATE_CACHE"
"""Environment variable that names another folder."""
PIXELS = ".pixels"
UNFINISHED = (".part", ".journal")
FORGOTTEN = 7 * 24 * 3600
"""Seconds after which an unfinished file is nobody's."""


def cache_folder() -> Path:
    """The folder; it need not exist.

    It is the user's own, not beside the images: those may be read-only, on a slow network, or swept by other tools.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser() / "pixels"
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "striate" / "pixels"


def cache_problem(error: OSError, path: Path) -> StorageError:
    """A failed write, told to the user."""
    return StorageError(
        "the decoded pixels cannot be kept in a file",
        where=str(path),
        got=error.strerror or str(error),
        needs="a folder on a disk with room, that may be written",
        write=f"{VARIABLE}=DIR names another folder",
    )


def room_for_pixels() -> int:
    """Bytes that a file of decoded pixels may take: half of what all of them and the free room of the disk come to.

    0 where the folder, or the nearest one above it that is there, cannot be looked at.
    """
    folder = cache_folder()
    there = next((place for place in (folder, *folder.parents) if place.is_dir()), folder)
    try:
        free = shutil.disk_usage(there).free
    except OSError:
        return 0
    return (free + sum(size for _, _, size in _sized(folder, PIXELS))) // 2


def make_room(folder: Path, needed: int, what: str, where: str) -> None:
    """Make the folder, and remove the files that were not used for longest until ``needed`` bytes fit.

    All files together may take half of what they and the free space come to.

    Args:
        folder: of the files.
        needed: bytes of the new one.
        what: the images in words, for the message.
        where: the source, for the message.

    Raises:
        DataError: it does not fit even alone.
        StorageError: the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise cache_problem(error, folder) from None
    _forget(folder)
    files = sorted(_sized(folder, PIXELS), key=lambda entry: entry[1])
    taken = sum(size for _, _, size in files)
    limit = (free + taken) // 2
    if needed > limit:
        raise DataError(
            "the decoded images do not fit in the folder for them",
            where=where,
            got=what,
            needs=f"at most {format_bytes(limit)} (half of the disk's room under {folder})",
            write=f"a smaller size=, {VARIABLE}=DIR on a larger disk, or cache='stream'",
        )
    for path, _, size in files:
        if taken + needed <= limit:
            return
        # where the system refuses to remove a file in use, it stays, and the next one goes
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
            taken -= size


def remove_others(folder: Path, prefix: str, kept: Path) -> None:
    """Remove files of the same source and form, but of images as they were before."""
    for path in folder.glob(f"{prefix}*{PIXELS}"):
        if path != kept:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _forget(folder: Path) -> None:
    for ending in UNFINISHED:
        for path, changed, _ in _sized(folder, ending):
            if time.time() - changed > FORGOTTEN:
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)


def _sized(folder: Path, ending: str) -> list[tuple[Path, float, int]]:
    found = []
    for path in folder.glob(f"*{ending}"):
        with contextlib.suppress(OSError):
            status = path.stat()
            found.append((path, status.st_mtime, status.st_size))
    return found
