"""MNIST, mnist-cnn, 3 epochs: Striate against the plain PyTorch script of ``benchmarks.plain_mnist``.

    python -m benchmarks mnist

Both train on all 60,000 images (Striate with ``val=0``) and are measured on the 10,000 test images. Striate's time is
that of the whole training including its choice of arithmetic; the script's is that of its training epochs alone.
The bars: at least 2.5 times less time for an epoch, at least 99.0 % and no less accurate, mean of 3 seeds.
"""

from __future__ import annotations

import statistics
import tempfile
import time

from benchmarks.plain_mnist import run
from benchmarks.timing import shared_data, spread
from striate.training import make_recipe, train

__all__ = ["main"]

EPOCHS, SEEDS = 3, 3
BAR, ACCURACY = 2.5, 0.99


def main() -> bool:
    """Measure and print; whether every bar is met."""
    folder = shared_data("mnist")
    if folder is None:
        print("mnist: left out, the images are missing (STRIATE_SHARED_DATA names their folder)")
        return True
    plain_times, plain_right, times, right = [], [], [], []
    for seed in range(SEEDS):
        seconds, accuracy = run(folder, EPOCHS, seed)
        plain_times.append(seconds)
        plain_right.append(accuracy)
        with tempfile.TemporaryDirectory() as runs:
            start = time.perf_counter()

            trained = train("mnist-cnn", folder, make_recipe({"epochs": EPOCHS, "val": 0.0, "seed": seed}), runs=runs)
            whole = time.perf_counter() - start
            results, resolved = trained.record.results, trained.record.resolved
        times.append(float(results["seconds"] or 0) / EPOCHS)
        right.append(float(results["test_accuracy"] or 0))
        print(
            f"seed {seed}: script {seconds:.1f} s an epoch, {100 * accuracy:.2f} %; striate {times[-1]:.1f} s,"
            f" {100 * right[-1]:.2f} % ({resolved['precision']}, batch {resolved['batch']}; {whole:.1f} s in all"
            " with loading, choosing the arithmetic and testing)",
            flush=True,
        )
    ratios = [a / b for a, b in zip(plain_times, times, strict=True)]
    mean, plain_mean = statistics.mean(right), statistics.mean(plain_right)
    good = statistics.median(ratios) >= BAR and mean >= ACCURACY and mean >= plain_mean
    print(f"times faster: {spread(ratios, digits=2)}, the bar is {BAR}")
    print(f"mean accuracy: striate {100 * mean:.2f} %, script {100 * plain_mean:.2f} %, the bar is {100 * ACCURACY} %")
    print("met" if good else "MISSED")
    return good


if __name__ == "__main__":
    raise SystemExit(not main())
