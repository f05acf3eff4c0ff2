"""Looking at a module of the user's own: ``st.inspect(resnet152, input=…)`` against torchinfo's summary of the same.

    python -m benchmarks.importing --torchinfo-python PYTHON [--repeats 5]
    STRIATE_TORCHINFO_PYTHON=PYTHON python -m benchmarks importing

``PYTHON`` is an interpreter with torch and torchinfo; without one Striate is measured alone. Each look is a process of
its own (``benchmarks/plain_resnet152.py``) that builds the module with its weights first. The time is that of the look
alone, the tool's import included; the memory is the peak of the process, and how much the look added to it.

The bars, against torchinfo as it is used (weights and one image on the CPU): less time and less memory added at 224
pixels, and at 1024 pixels at most a fifth of its time and of the memory it adds. On the device ``meta`` torchinfo
computes nothing; that is told and has no bar.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.timing import spread

__all__ = ["main"]

REPEATS = 5
SCRIPT = str(Path(__file__).with_name("plain_resnet152.py"))
#: For each size the share of torchinfo's time and memory that Striate may take.
BARS = {224: 1.0, 1024: 0.2}
PARAMETERS = 60_192_808
MIB = 1024**2

Look = dict[str, float]


def main(torchinfo_python: str | None = os.environ.get("STRIATE_TORCHINFO_PYTHON"), repeats: int = REPEATS) -> bool:
    """Measure and print; whether every bar is met."""
    met = True
    for size, bar in BARS.items():
        ours_with = [sys.executable, SCRIPT, "striate", str(size)]
        if torchinfo_python is None:
            print(f"{size} pixels: {_told('striate', [_look(ours_with) for _ in range(repeats)])}")
            continue
        for device in ("cpu", "meta"):
            ours, theirs = _in_turn(ours_with, [torchinfo_python, SCRIPT, "torchinfo", str(size), device], repeats)
            print(f"{size} pixels: {_told('striate', ours)}; {_told(f'torchinfo, {device}', theirs)}")
            met = _judge(ours, theirs, bar if device == "cpu" else None) and met
    if torchinfo_python is None:
        print("torchinfo: left out, no interpreter that has it was named (--torchinfo-python)")
    return met


def _look(command: list[str]) -> Look:
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: Look = json.loads(done.stdout.splitlines()[-1])
    if found["parameters"] != PARAMETERS:
        raise RuntimeError(f"{command[2]} counts {found['parameters']} parameters, not {PARAMETERS}")
    return found


def _in_turn(a: list[str], b: list[str], repeats: int) -> tuple[list[Look], list[Look]]:
    """a b, b a, a b, …; one run of each before, that is not counted."""
    _look(a)
    _look(b)
    found: tuple[list[Look], list[Look]] = ([], [])
    for number in range(repeats):
        pair = [(a, found[0]), (b, found[1])]
        for command, looks in pair if number % 2 == 0 else reversed(pair):
            looks.append(_look(command))
    return found


def _added(look: Look) -> float:
    return max(look["peak"] - look["before"], 0) / MIB


def _told(name: str, looks: list[Look]) -> str:
    seconds = spread([look["seconds"] for look in looks], " s")
    memory = spread([_added(look) for look in looks], " MiB", 0)
    return f"{name} {seconds}, {memory} added to {statistics.median(look['before'] for look in looks) / MIB:.0f} MiB"


def _judge(ours: list[Look], theirs: list[Look], bar: float | None) -> bool:
    times = [a["seconds"] / b["seconds"] for a, b in zip(ours, theirs, strict=True)]
    added = [_added(a) / max(_added(b), 1.0) for a, b in zip(ours, theirs, strict=True)]
    good = bar is None or (statistics.median(times) < bar and statistics.median(added) < bar)
    told = "" if bar is None else f", the bar is {bar} for both: {'met' if good else 'MISSED'}"
    print(f"  time {spread(times)}, memory added {spread(added)}{told}")
    return good


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--torchinfo-python", default=os.environ.get("STRIATE_TORCHINFO_PYTHON"))
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args()
    raise SystemExit(not main(options.torchinfo_python, options.repeats))
