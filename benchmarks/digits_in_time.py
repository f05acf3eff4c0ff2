"""MNIST: the time to 98.67 % and to 99.5 % test accuracy, against the plain script's, 3 seeds of each in turn.

    python -m benchmarks.digits_in_time           both
    python -m benchmarks.digits_in_time --fast    98.67 % alone

The script trains 3 epochs (2 with ``--fast``) and is tested after each; its time to an accuracy is that of its training
epochs (testing and loading left out) until the mean of the seeds has reached it. Striate's times are those of the whole
call (loading, choosing the arithmetic afresh, training, writing the run) but for testing, with the recipes
``fast-digits`` and ``best-digits``. Each training is a process of its own, as for a user; imports are left out on both
sides. The bars: 98.67 % in a tenth of the script's time, and 99.5 % in less time than the script's 3 epochs take.
"""

from __future__ import annotations

import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.plain_mnist import Epoch, epochs
from benchmarks.timing import fresh_caches, shared_data, spread
from striate.training import make_recipe, train
from striate.training.recipe_file import read_recipe

__all__ = ["main"]

SEEDS, EPOCHS = 3, 3
FAST, BEST = 0.9867, 0.995
BAR = 10.0


def main(fast_alone: bool = False) -> bool:
    """Measure and print; whether every bar is met."""
    folder = shared_data("mnist")
    if folder is None:
        print("digits_in_time: left out, the images are missing (STRIATE_SHARED_DATA names their folder)")
        return True
    plain: list[list[Epoch]] = []
    fast: list[Epoch] = []
    best: list[Epoch] = []
    for seed in range(SEEDS):
        plain.append(_trained("script", folder, seed, EPOCHS - fast_alone))
        fast += _trained("fast-digits", folder, seed)
        best += [] if fast_alone else _trained("best-digits", folder, seed)
        told = "; ".join(_told(one[-1]) for one in (fast, best) if one)
        print(f"seed {seed}: script {', '.join(map(_told, plain[-1]))}; then {told}", flush=True)
    reached = _epochs_to(FAST, plain)
    needed = [sum(epoch.seconds for epoch in one[:reached]) for one in plain]
    print(f"script: {100 * FAST} % after {reached} epochs, {spread(needed, ' s', 1)}")
    ratios = [a / one.seconds for a, one in zip(needed, fast, strict=True)]
    times = f"{spread(ratios, digits=1)} times less; the bars are {100 * FAST} % and {BAR}"
    good = _summed("fast-digits", fast, times) >= FAST and statistics.median(ratios) >= BAR
    if not fast_alone:
        shares = [b.seconds / sum(epoch.seconds for epoch in one) for b, one in zip(best, plain, strict=True)]
        part = f"{spread(shares, digits=2)} of the script's {EPOCHS} epochs; the bars are {100 * BEST} % and 1"
        good = _summed("best-digits", best, part) >= BEST and max(shares) < 1 and good
    print("met" if good else "MISSED")
    return good


def _summed(name: str, runs: Sequence[Epoch], told: str) -> float:
    mean = statistics.mean(one.accuracy for one in runs)
    print(f"{name}: {100 * mean:.2f} % in {spread([one.seconds for one in runs], ' s', 1)}, {told}")
    return mean


def _trained(what: str, folder: Path, seed: int, count: int = 1) -> list[Epoch]:
    """Train in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.digits_in_time", "--one", what, str(folder), str(seed), str(count)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [Epoch(**one) for one in json.loads(told.splitlines()[-1])]


def one(what: str, folder: Path, seed: int, count: int) -> None:
    """Train here, and print what came of it."""
    with fresh_caches(), tempfile.TemporaryDirectory() as runs:
        # Imports what trainings import, on both sides.
        train(recipe=make_recipe({"epochs": 1}), runs=runs)
        if what == "script":
            found = list(itertools.islice(epochs(folder, seed), count))
        else:
            found = [_striate(what, folder, seed, runs)]
    print(json.dumps([{"seconds": epoch.seconds, "accuracy": epoch.accuracy} for epoch in found]))


def _striate(recipe: str, folder: Path, seed: int, runs: str) -> Epoch:
    """Seconds of the whole call but for testing, and the test accuracy."""
    net = {"fast-digits": "mnist-cnn", "best-digits": "digits-net"}[recipe]
    start = time.perf_counter()
    record = train(net, folder, read_recipe(recipe, {"val": 0.0, "seed": seed}), runs=runs).record
    seconds = time.perf_counter() - start
    testing = 0.0 if record.spent is None else record.spent.seconds.get("validation", 0.0)
    return Epoch(seconds - testing, float(record.results["test_accuracy"] or 0))


def _epochs_to(accuracy: float, seeds: list[list[Epoch]]) -> int:
    """After how many epochs the mean over the seeds has reached an accuracy; all of them where it never has."""
    means = [statistics.mean(epoch.accuracy for epoch in one) for one in zip(*seeds, strict=True)]
    return next((number for number, mean in enumerate(means, start=1) if mean >= accuracy), EPOCHS)


def _told(one: Epoch) -> str:
    return f"{100 * one.accuracy:.2f} % in {one.seconds:.1f} s"


if __name__ == "__main__":
    if "--one" in sys.argv:
        one(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
    else:
        raise SystemExit(not main("--fast" in sys.argv[1:]))
