"""CIFAR-10 as a folder of JPEGs: minutes and accuracy of ``airbench94`` with the recipe ``fast-cifar``.

    python -m benchmarks.photographs             8.5 epochs of growing images: at least 90 % within 12 minutes
    python -m benchmarks.photographs --whole     the recipe as it is, 9.9 epochs of whole images

60,000 files are written, then ``train`` is called on their folder: decoding, choosing the arithmetic, training, testing
and writing the run all count, only imports do not. All 50,000 training images are trained on; the 10,000 test images
are looked at once, at the end. Told besides: which share of each epoch went by waiting for data.
"""

from __future__ import annotations

import sys
import tarfile
import tempfile
import time
from pathlib import Path

from benchmarks.timing import fresh_caches, shared_data
from striate.training import train
from striate.training.events import EpochDone, Event, Note
from striate.training.recipe_file import read_recipe

__all__ = ["main"]

#: Instead of what the recipe says.
GROWING = {"epochs": 8.5, "sizes": "progressive"}
MINUTES, ACCURACY, WAITING = 12.0, 0.90, 0.02


def main(whole: bool = False) -> bool:
    """Measure and print; whether the bars are met."""
    source = shared_data("cifar10")
    if source is None:
        print("photographs: left out, the images are missing (STRIATE_SHARED_DATA names their folder)")
        return True
    with tempfile.TemporaryDirectory() as place, fresh_caches():
        with tarfile.open(source / "cifar10-jpeg.tar.xz") as archive:
            archive.extractall(place, filter="data")
        folder = next(path for path in (Path(place), *Path(place).iterdir()) if (path / "train").is_dir())
        waited: list[float] = []

        def listen(event: Event) -> None:
            if isinstance(event, EpochDone):
                waited.append(0.0 if event.spent is None else event.spent.share("wait"))
                print(
                    f"epoch {event.epoch}: {event.images_per_second:,.0f} images/s,"
                    f" waited {100 * waited[-1]:.2f} % of the time for data",
                    flush=True,
                )
            elif isinstance(event, Note):
                print(event.text, flush=True)

        start = time.perf_counter()
        recipe = read_recipe("fast-cifar", {"val": 0.0, **({} if whole else GROWING)})
        record = train("airbench94", folder, recipe, runs=Path(place) / "runs", listen=listen).record
        minutes = (time.perf_counter() - start) / 60
    accuracy, later = float(record.results["test_accuracy"] or 0), max(waited[1:], default=0.0)
    print(f"{100 * accuracy:.2f} % on the test images after {recipe.epochs:g} epochs, {minutes:.1f} minutes in all")
    print(f"second and later epochs waited at most {100 * later:.2f} % of the time, the bar is {100 * WAITING:g} %")
    good = later < WAITING and (whole or (accuracy >= ACCURACY and minutes <= MINUTES))
    print("met" if good else "MISSED")
    return good


if __name__ == "__main__":
    raise SystemExit(not main(whole="--whole" in sys.argv[1:]))
