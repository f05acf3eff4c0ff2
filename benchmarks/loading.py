"""A folder of JPEGs: the first start, which decodes, against the next, which reads the file of decoded pixels.

CIFAR-10 is unpacked into 60,000 files; each start is a process of its own, the two in turn. Told besides: what the data
lint takes of the first, what a process holds when it has loaded, and how decoding splits up.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from benchmarks.timing import compare, shared_data, spread

__all__ = ["main"]

REPEATS = 5
#: A second start takes at most this share of the first.
BAR = 0.3
#: The data lint takes at most this share of a first start.
LINT_BAR = 0.05

_LOAD = """
import json, resource, sys, time
import striate.data.checks, striate.data.files, striate.data.folder, striate.data.load as load
def held():
    return {line.split(":")[0]: int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("Rss")}
lint = [0.0]
check = load.check_images
def timed(*arguments):
    start = time.perf_counter()
    found = check(*arguments)
    lint[0] += time.perf_counter() - start
    return found
load.check_images = timed
before, start = held(), time.perf_counter()
dataset = load.load_data(sys.argv[1], cache=sys.argv[2])
seconds = time.perf_counter() - start
after = held()
print(json.dumps({
    "seconds": seconds, "lint": lint[0], "images": sum(map(len, dataset.splits.values())),
    "own": (after["RssAnon"] - before["RssAnon"]) / 1024, "mapped": (after["RssFile"] - before["RssFile"]) / 1024,
    "hash": [card.hash for card in dataset.card.splits.values()],
}))
"""


def main() -> bool:
    """First and second starts in turn; whether the bars are met."""
    source = shared_data("cifar10")
    if source is None:
        print("no CIFAR-10 there; nothing measured")
        return True
    with tempfile.TemporaryDirectory() as place:
        with tarfile.open(source / "cifar10-jpeg.tar.xz") as archive:
            archive.extractall(place, filter="data")
        return _measure(Path(place) / "cifar10", Path(place) / "cache")


def _measure(folder: Path, cache: Path) -> bool:
    started: dict[str, list[dict[str, float]]] = {"memory": [], "file": []}
    _start(folder, cache, "memory")  # the system has the JPEGs in its page cache from here on
    _start(folder, cache, "disk")

    def first() -> float:
        started["memory"].append(_start(folder, cache, "memory"))
        return started["memory"][-1]["seconds"]

    def second() -> float:
        started["file"].append(_start(folder, cache, "disk"))
        return started["file"][-1]["seconds"]

    cold, warm = compare(first, second, REPEATS)
    shutil.rmtree(cache)
    writing = _start(folder, cache, "disk")
    if started["memory"][0]["hash"] != started["file"][0]["hash"] or writing["hash"] != started["file"][0]["hash"]:
        print("the images are not the same")
        return False
    images = int(started["memory"][0]["images"])
    share = statistics.median(one["lint"] / one["seconds"] for one in started["memory"])
    ratio = statistics.median(after / before for before, after in zip(cold, warm, strict=True))
    print(f"{images:,} JPEGs of 32×32, the same images, labels and hashes in all starts")
    print(f"  decoded into memory      {spread(cold, ' s', 2)}, {images / statistics.median(cold):,.0f} images/s")
    print(f"  decoded into a file      {writing['seconds']:.2f} s (once)")
    print(f"  read from that file      {spread(warm, ' s', 2)}, {ratio:.3f} of the first")
    lint = [one["lint"] for one in started["memory"]]
    print(f"  data lint                {spread(lint, ' s', 2)}, {share:.1%} of the first")
    for name, text in (("memory", "held, in memory"), ("file", "held, from the file")):
        own, mapped = (statistics.median(one[kind] for one in started[name]) for kind in ("own", "mapped"))
        print(f"  {text:<24} {own:.0f} MiB of its own, {mapped:.0f} MiB mapped that the system may take back")
    return ratio <= BAR and share <= LINT_BAR


def _start(folder: Path, cache: Path, kind: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, str(folder), kind],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "STRIATE_CACHE": str(cache)},
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result
