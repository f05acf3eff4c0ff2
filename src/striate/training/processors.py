"""How many processor threads to compute with."""

from __future__ import annotations

import math
from pathlib import Path

import torch

__all__ = ["default_threads"]

#: Quota and period of a control group of version 2, in microseconds.
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def default_threads() -> int:
    """As many as torch is set to, but no more than a container may use.

    torch follows ``OMP_NUM_THREADS``, ``torch.set_num_threads`` and the processors this process may run on. It does
    not know a container's quota, and 64 threads on two processors' worth of time are many times slower than two.
    """
    return max(1, min(torch.get_num_threads(), _quota()))


def _quota() -> int:
    """Processors' worth of time that the control group allows, rounded up; without a limit a very large number."""
    try:
        quota, period = _QUOTA.read_text().split()
        return math.ceil(int(quota) / int(period))
    except (OSError, ValueError, ZeroDivisionError):
        return 1 << 30
