"""The threads that torch computes with, for work of our own.

torch's threads wait for their next work by spinning. Other threads beside them would have to fight for the processors,
so the work is given to the same ones: torch is built with OpenMP, whose library has a function for it. It is the GNU
one in the builds for Linux, and LLVM's and Intel's know it under the same name there; elsewhere one thread computes.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

__all__ = ["Team", "torch_team"]


@dataclass(frozen=True)
class Team:
    """How work is given to torch's threads.

    Args:
        parallel: ``GOMP_parallel(function, data, threads, flags)`` runs a C function of ``data`` once in each thread.
        number, count: addresses of the C functions that say in a thread which one it is, and of how many.
    """

    parallel: Any
    number: int
    count: int


@functools.cache
def torch_team() -> Team | None:
    """Of the library that torch itself has loaded; None where that has no such functions."""
    folder = Path(torch.__file__).parent / "lib"
    name = {"linux": "libtorch_cpu.so", "darwin": "libtorch_cpu.dylib"}.get(sys.platform)
    if name is None:
        return None
    try:
        # Names are looked up in what this library depends on too, so another OpenMP of this process is not taken.
        library = ctypes.CDLL(str(folder / name))
        parallel = library.GOMP_parallel
        number, count = (_address(library, name) for name in ("omp_get_thread_num", "omp_get_num_threads"))
    except (OSError, AttributeError):
        return None
    parallel.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
    parallel.restype = None
    return Team(parallel, number, count)


def _address(library: ctypes.CDLL, name: str) -> int:
    return ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0
