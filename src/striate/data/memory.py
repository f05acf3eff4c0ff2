"""How much memory there is, and whether a dataset fits before any of it is taken."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path

from striate.errors import DataError
from striate.units import format_bytes

__all__ = ["available_memory", "check_fits", "fits", "memory_bound"]

UNKNOWN = 4 * 1024**3
"""Taken as available where the system does not say."""


def available_memory() -> int:
    """Bytes that can be taken now: the system's figure, or what a container still allows if that is less."""
    return min(_system_memory(), _container_memory())


def memory_bound() -> int:
    """Bytes a dataset may fill: half of what is available, the other half is for splitting it and for training."""
    return available_memory() // 2


def fits(count: int, shape: tuple[int, ...]) -> bool:
    """Whether ``count`` uint8 images of (channels, height, width) fill no more than that."""
    return count * math.prod(shape) <= memory_bound()


def check_fits(count: int, channels: int, height: int, width: int, where: str) -> None:
    """Check that ``count`` uint8 images fit.

    Raises:
        DataError: they would fill more than half of the available memory; says which size would fit.
    """
    needed, bound = count * channels * height * width, memory_bound()
    if needed <= bound:
        return
    side = math.isqrt(bound // (count * channels)) // 8 * 8
    raise DataError(
        "the images do not fit in memory",
        where=where,
        got=f"{count:,} images of {channels}×{height}×{width} = {format_bytes(needed)}",
        needs=f"at most {format_bytes(bound)}, half of the available memory",
        write=f"size={side}" if side >= 8 else "fewer images, or a machine with more memory",
    )


def _system_memory() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    if sys.platform == "win32":
        return _windows_memory()
    try:
        # macOS does not say how much is free; half of all is a fair guess
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (OSError, ValueError, AttributeError):
        return UNKNOWN


def _container_memory() -> int:
    """What the control group still allows (version 2, then 1); no limit counts as endless."""
    for folder, limit, used in (
        ("/sys/fs/cgroup", "memory.max", "memory.current"),
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        try:
            allowed = int(Path(folder, limit).read_text())
            taken = int(Path(folder, used).read_text())
            fields = dict(line.split() for line in Path(folder, "memory.stat").read_text().splitlines())
            # cached files count as used, but are given back on demand
            cached = int(fields.get("total_inactive_file", fields.get("inactive_file", "0")))
        except (OSError, ValueError):
            continue
        return max(0, allowed - taken + cached)
    return sys.maxsize


if sys.platform == "win32":

    def _windows_memory() -> int:
        import ctypes

        class Status(ctypes.Structure):
            _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
                (name, ctypes.c_ulonglong) for name in ("total", "free", "c", "d", "e", "f", "g")
            ]

        status = Status(length=ctypes.sizeof(Status))
        return int(status.free) if ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)) else UNKNOWN
