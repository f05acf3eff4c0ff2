"""Memory that is freed stays with the process while it trains.

Every step of a training frees its activations and asks for the same again. The C library of most Linux systems gives
large blocks back to the system at once (from 32 MiB at the latest, often from 128 KiB), and each of their pages has to
be fetched and zeroed anew at the next step. Keeping them is one call. Measured effects are in the README.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
from collections.abc import Iterator

__all__ = ["freed_memory_kept", "memory_as"]

# Parameters of glibc's mallopt(3), from malloc.h, and their values where nobody has set them.
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD, MMAP_MAX = -1, -2, -3, -4
USUAL = {TRIM_THRESHOLD: 128 * 1024, TOP_PAD: 0, MMAP_THRESHOLD: 128 * 1024, MMAP_MAX: 65536}
#: Never give memory back, never map a block on its own, and grow by so many bytes at a time.
KEPT = {TRIM_THRESHOLD: 2**31 - 1, TOP_PAD: 64 * 1024 * 1024, MMAP_MAX: 0}
#: Whoever sets one of these wants another behaviour, and gets it.
VARIABLES = (
    "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_TOP_PAD_",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_MMAP_MAX_",
    "GLIBC_TUNABLES",
)


@contextlib.contextmanager
def freed_memory_kept() -> Iterator[bool]:
    """While this lasts, the process keeps the memory it frees; afterwards it is given back.

    Only glibc has such a switch, so elsewhere nothing happens; nor does it where the environment says how memory is to
    be handled, or where another allocator has taken malloc's place.

    Yields:
        whether memory is kept.
    """
    library = _glibc()
    if library is None:
        yield False
        return
    for name, value in KEPT.items():
        library.mallopt(name, value)
    try:
        yield True
    finally:
        for name, value in USUAL.items():
            library.mallopt(name, value)
        library.malloc_trim(0)


@contextlib.contextmanager
def memory_as(asked: str) -> Iterator[tuple[str, ...]]:
    """Memory as a recipe asks for it: while this lasts, ``auto`` keeps what is freed; ``system`` changes nothing.

    Yields:
        what there is to tell about it.
    """
    if asked == "system":
        yield ()
        return
    with freed_memory_kept() as kept:
        yield ("memory: what is freed is kept for the next step while training (--memory system: not)",) if kept else ()


def _glibc() -> ctypes.CDLL | None:
    """The C library, where it is glibc and nobody has said how it is to handle memory."""
    taken = any(name in os.environ for name in VARIABLES) or "malloc" in os.environ.get("LD_PRELOAD", "")
    if taken or platform.system() != "Linux" or platform.libc_ver()[0] != "glibc":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
