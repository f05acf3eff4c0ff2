"""Run every benchmark, or those named: ``python -m benchmarks [NAME …]``."""

from __future__ import annotations

import importlib
import sys

from benchmarks.timing import machine

__all__: list[str] = []

NAMES = (
    "startup",
    "inspecting",
    "importing",
    "digits",
    "mnist",
    "digits_in_time",
    "photographs",
    "loading",
    "killing",
    "monitoring",
)


def run(names: list[str]) -> int:
    """Run benchmarks one after the other; 1 when a bar is missed."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"there is no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    print(machine())
    met = True
    for name in names or NAMES:
        print(f"\n{name}")
        met = importlib.import_module(f"benchmarks.{name}").main() and met
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1:]))
