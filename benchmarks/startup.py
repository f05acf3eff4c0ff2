"""Start-up: ``striate --help`` and ``striate inspect`` as whole processes against ``import torch``.

    python -m benchmarks startup

The bar: less than a quarter of the time that Python takes to start and import torch.
"""

from __future__ import annotations

import statistics
import sys

from benchmarks.timing import compare, spread, whole_process

__all__ = ["main"]

REPEATS = 9
BAR = 0.25


def main() -> bool:
    """Measure and print; whether every bar is met."""
    torch = whole_process([sys.executable, "-c", "import torch"])
    met = True
    for words in (["--help"], ["inspect", "simple-cnn"]):
        ours = whole_process([sys.executable, "-m", "striate", *words])
        ours()
        torch()
        times, theirs = compare(ours, torch, REPEATS)
        ratios = [a / b for a, b in zip(times, theirs, strict=True)]
        good = statistics.median(ratios) < BAR
        met = met and good
        print(f"striate {' '.join(words)}: {spread(times, ' s')}; import torch: {spread(theirs, ' s')}")
        print(f"  ratio {spread(ratios)}, the bar is {BAR}: {'met' if good else 'MISSED'}")
    return met


if __name__ == "__main__":
    raise SystemExit(not main())
