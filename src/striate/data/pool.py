"""A function over many items on a few threads, results in order."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

__all__ = ["cores", "map_in_order", "map_waiting", "quota"]

SAMPLE = 64
"""Items from which the share of waiting is judged."""
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Quota and period of a control group of version 2, in microseconds."""
Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """Processor cores this process may use, no more than a container's quota is worth."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(own, quota()))


def quota() -> int:
    """Processors' worth of time that the control group allows, rounded up; without a limit a very large number."""
    try:
        allowed, period = _QUOTA.read_text().split()
        return math.ceil(int(allowed) / int(period))
    except (OSError, ValueError, ZeroDivisionError):
        return 1 << 30


def map_in_order(function: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Result]:
    """``map(function, items)`` on ``workers`` threads; results come in the order of the items.

    Items go to the threads in batches, because handing over one small image costs as much as decoding it.

    >>> list(map_in_order(abs, [-3, 2, -1], workers=2))
    [3, 2, 1]
    """
    size = max(1, min(64, len(items) // (8 * workers)))
    if workers == 1:
        yield from map(function, items)
        return

    def run(start: int) -> list[Result]:
        return [function(item) for item in items[start : start + size]]

    pool = ThreadPoolExecutor(workers, thread_name_prefix="striate-data")
    try:
        for results in pool.map(run, range(0, len(items), size)):
            yield from results
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def map_waiting(function: Callable[[Item], Result], items: Sequence[Item], workers: int) -> list[Result]:
    """``map(function, items)``; on threads if the first items show that most of the time is spent waiting for files.

    Where the files are at hand, threads that share one interpreter only take turns, and one alone is faster.

    >>> map_waiting(abs, [-3, 2, -1], workers=2)
    [3, 2, 1]
    """
    wall, busy = time.perf_counter(), time.thread_time()
    results = [function(item) for item in items[:SAMPLE]]
    wall, busy = time.perf_counter() - wall, time.thread_time() - busy
    return results + list(map_in_order(function, items[SAMPLE:], workers if busy < 0.5 * wall else 1))
