"""The processor: how many of its threads to compute with, and what it can do."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
from pathlib import Path

import torch

from striate.data.pool import quota

__all__ = ["default_threads", "has_compiler", "may_have_bf16", "processor_name"]


def default_threads() -> int:
    """As many as torch is set to, but no more than a container may use.

    torch follows ``OMP_NUM_THREADS``, ``torch.set_num_threads`` and the processors this process may run on. It does
    not know a container's quota, and 64 threads on two processors' worth of time are many times slower than two.
    """
    return max(1, min(torch.get_num_threads(), quota()))


def processor_name() -> str:
    """What the processor calls itself, and what it can do as far as torch makes use of it.

    Measurements on one processor say nothing about another.
    """
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return f"{name}, {torch.backends.cpu.get_cpu_capability()}, {os.cpu_count()} processors"


def may_have_bf16() -> bool:
    """False where torch knows that bf16 would be emulated; where it cannot say, a measurement has to decide.

    The question has no public name in torch, so it may be missing in another build.
    """
    asked = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    try:
        return asked is None or bool(asked())
    except RuntimeError:
        return True


def has_compiler() -> bool:
    """Whether there is a C++ compiler for torch.compile."""
    return any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "g++", "clang++", "c++"))
