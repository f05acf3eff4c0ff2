"""MNIST, mnist-cnn: images a second of Striate's training against those of the plain script, an epoch of each in turn.

    python -m benchmarks mnist

Both train on all 60,000 images (Striate with ``val=0``). The script's speed is that of its training epoch alone;
Striate's is told twice: of its training steps with everything between them (monitors, checkpoints, bookkeeping), and of
the whole training, with choosing the arithmetic and writing the run. The first choice is made afresh, the others are
remembered, as for any user. The bar: 4 times more images a second, the median of the pairs.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.plain_mnist import IMAGES, epochs
from benchmarks.timing import fresh_caches, shared_data, spread
from striate.data import load_data
from striate.training import make_recipe, train

__all__ = ["main"]

REPEATS, BATCH, BAR = 5, 512, 4.0


def main() -> bool:
    """Measure and print; whether the bar is met."""
    folder = shared_data("mnist")
    if folder is None:
        print("mnist: left out, the images are missing (STRIATE_SHARED_DATA names their folder)")
        return True
    ratios, whole_ratios, plain_speeds, speeds = [], [], [], []
    with fresh_caches():
        for number in range(REPEATS):
            first = number % 2 == 0
            plain = _plain(folder, number) if first else 0.0
            speed, whole, how = _striate(folder, number)
            plain = plain or _plain(folder, number)
            plain_speeds.append(plain)
            speeds.append(speed)
            ratios.append(speed / plain)
            whole_ratios.append(whole / plain)
            print(f"script {plain:,.0f}, striate {speed:,.0f} images/s ({how}; {whole:,.0f} in all)", flush=True)
    good = statistics.median(ratios) >= BAR
    print(f"script {spread(plain_speeds, digits=0)} images/s, striate {spread(speeds, digits=0)}")
    print(f"times more images/s: {spread(ratios, digits=2)}, the bar is {BAR}")
    print(f"with choosing the arithmetic and writing the run: {spread(whole_ratios, digits=2)}")
    print("met" if good else "MISSED")
    return good


def _plain(folder: Path, seed: int) -> float:
    return IMAGES / next(epochs(folder, seed)).seconds


def _striate(folder: Path, seed: int) -> tuple[float, float, str]:
    """Images a second of the steps, of the whole training but for loading and testing, and how they were computed."""
    dataset = load_data(folder, val=0.0)
    recipe = make_recipe({"epochs": 1, "batch": BATCH, "seed": seed})
    with tempfile.TemporaryDirectory() as runs:
        start = time.perf_counter()
        record = train("mnist-cnn", dataset, recipe, runs=runs).record
        seconds = time.perf_counter() - start
    results, resolved = record.results, record.resolved
    how = f"{resolved['precision']}, {resolved['layout']}, {resolved['rewrites']}, batch {resolved['batch']}"
    return float(results["images_per_second"] or 0), IMAGES / seconds, how


if __name__ == "__main__":
    raise SystemExit(not main())
