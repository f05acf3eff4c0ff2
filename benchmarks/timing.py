"""Timing two things against each other so that a drifting machine does not decide."""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from unittest import mock

__all__ = ["compare", "fresh_caches", "machine", "shared_data", "spread", "whole_process"]


def machine() -> str:
    """The machine in one line, for every figure that is quoted."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = models[0] if models else model
    return f"{model}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"


def spread(values: Sequence[float], unit: str = "", digits: int = 3) -> str:
    """Median, and smallest to largest."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f}{unit} ({low:.{digits}f} to {high:.{digits}f})"


def compare(a: Callable[[], float], b: Callable[[], float], repeats: int) -> tuple[list[float], list[float]]:
    """Seconds of a and b, measured in turn: a b, b a, a b, …"""
    times_a: list[float] = []
    times_b: list[float] = []
    for number in range(repeats):
        pair = [(a, times_a), (b, times_b)]
        for function, times in pair if number % 2 == 0 else reversed(pair):
            times.append(function())
    return times_a, times_b


def whole_process(command: Sequence[str]) -> Callable[[], float]:
    """A function that runs a command and returns its wall time in seconds."""

    def run() -> float:
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    return run


def shared_data(name: str) -> Path | None:
    """The folder of benchmark images called ``name``, or None where it is missing."""
    root = os.environ.get("STRIATE_SHARED_DATA")
    folder = (Path(root) if root else Path(__file__).resolve().parents[2] / "shared" / "data") / name
    return folder if folder.is_dir() else None


@contextlib.contextmanager
def fresh_caches() -> Iterator[None]:
    """While this lasts, nothing is remembered from before: neither probes nor decoded pixels."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, STRIATE_CACHE=folder):
        yield
