"""The bundled digits with no option at all: accuracy and time of ``striate train``.

    python -m benchmarks digits

The bars: under 20 s for a training, and a mean test accuracy of at least 98 % over 3 seeds with 20 % held out.
"""

from __future__ import annotations

import statistics
import tempfile
import time

from benchmarks.timing import spread
from striate.training import make_recipe, train

__all__ = ["main"]

SEEDS = 3
SECONDS, ACCURACY = 20.0, 0.98


def main() -> bool:
    """Measure and print; whether every bar is met."""
    times, right = [], []
    for seed in range(SEEDS):
        with tempfile.TemporaryDirectory() as runs:
            start = time.perf_counter()
            results = train(recipe=make_recipe({"seed": seed}), runs=runs).record.results
            times.append(time.perf_counter() - start)
        right.append(float(results["test_accuracy"] or 0))
        print(f"seed {seed}: {100 * right[-1]:.2f} % in {times[-1]:.1f} s", flush=True)
    good = statistics.mean(right) >= ACCURACY and max(times) < SECONDS
    print(f"mean accuracy {100 * statistics.mean(right):.2f} %, seconds {spread(times, digits=1)}")
    print("met" if good else "MISSED")
    return good


if __name__ == "__main__":
    raise SystemExit(not main())
