"""``striate inspect``: as a whole process against torchinfo, and in process for every network of the zoo.

    python -m benchmarks.inspecting --torchinfo-python PYTHON [--repeats 9]
    STRIATE_TORCHINFO_PYTHON=PYTHON python -m benchmarks inspecting

``PYTHON`` is an interpreter with torch and torchinfo; without one the first part is left out. torchinfo's number is
that of ``benchmarks/torchinfo_resnet152.py``: weights and one image on the CPU, as it is used, and on the device
``meta``, where nothing is computed and which is as fast as it gets. At 4096 pixels only the latter is run: the former
would compute 3.9 million million multiply-adds.

The bars: ResNet-152 in at most an eighth of the time (torchinfo as it is used, 224 pixels), in the same time at 4096 as
at 224 pixels (a fifth is allowed for), and for the zoo a median below 10 ms and none above 50 ms.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import striate as st
from benchmarks.timing import compare, spread, whole_process
from striate import zoo

__all__ = ["main"]

REPEATS = 9
BAR, SAME = 8.0, 1.2
MEDIAN, WORST = 0.010, 0.050
SCRIPT = Path(__file__).with_name("torchinfo_resnet152.py")


def main(torchinfo_python: str | None = os.environ.get("STRIATE_TORCHINFO_PYTHON"), repeats: int = REPEATS) -> bool:
    """Measure and print; whether every bar is met."""
    met = _sizes(repeats)
    if torchinfo_python is None:
        print("torchinfo: left out, no interpreter that has it was named (--torchinfo-python)")
    else:
        met = _against_torchinfo(torchinfo_python, repeats) and met
    return _zoo(repeats) and met


def _inspect(size: int) -> list[str]:
    return [sys.executable, "-m", "striate", "inspect", "resnet152", "--input", f"3x{size}x{size}"]


def _sizes(repeats: int) -> bool:
    small, large = whole_process(_inspect(224)), whole_process(_inspect(4096))
    small()
    large()
    times, others = compare(large, small, repeats)
    ratios = [a / b for a, b in zip(times, others, strict=True)]
    good = statistics.median(ratios) < SAME
    print(f"striate inspect resnet152: {spread(times, ' s')} at 4096 pixels, {spread(others, ' s')} at 224")
    print(f"  ratio {spread(ratios)}, the bar is {SAME}: {'met' if good else 'MISSED'}")
    return good


def _against_torchinfo(python: str, repeats: int) -> bool:
    versions = "import torch, torchinfo; print(f'torchinfo {torchinfo.__version__}, torch {torch.__version__}')"
    print(subprocess.run([python, "-c", versions], check=True, capture_output=True, text=True).stdout.strip())
    met = True
    for size, device, barred in ((224, "cpu", True), (224, "meta", False), (4096, "meta", False)):
        ours = whole_process(_inspect(size))
        theirs = whole_process([python, str(SCRIPT), str(size), device])
        ours()
        theirs()
        times, others = compare(ours, theirs, repeats)
        ratios = [b / a for a, b in zip(times, others, strict=True)]
        good = not barred or statistics.median(ratios) >= BAR
        met = met and good
        told = f", the bar is {BAR}: {'met' if good else 'MISSED'}" if barred else ""
        print(f"at {size} pixels: striate {spread(times, ' s')}; torchinfo, {device}: {spread(others, ' s')}")
        print(f"  {spread(ratios, digits=1)} times faster{told}")
    return met


def _zoo(repeats: int) -> bool:
    medians = {name: statistics.median(_seconds(name) for _ in range(repeats)) for name in zoo.names()}
    slowest = sorted(medians, key=lambda name: -medians[name])[:3]
    middle, worst = statistics.median(medians.values()), medians[slowest[0]]
    good = middle < MEDIAN and worst < WORST
    told = ", ".join(f"{name} {1000 * medians[name]:.1f} ms" for name in slowest)
    print(f"st.inspect in process, {len(medians)} networks: median {1000 * middle:.1f} ms; slowest {told}")
    print(f"  the bars are {1000 * MEDIAN:.0f} and {1000 * WORST:.0f} ms: {'met' if good else 'MISSED'}")
    return good


def _seconds(name: str) -> float:
    start = time.perf_counter()
    st.inspect(name)
    return time.perf_counter() - start


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--torchinfo-python", default=os.environ.get("STRIATE_TORCHINFO_PYTHON"))
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args()
    raise SystemExit(not main(options.torchinfo_python, options.repeats))
