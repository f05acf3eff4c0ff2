"""kill -9 at random moments, also inside the writing of a checkpoint: every resumed run ends as the uninterrupted one.

A training is started as a process of its own, killed, resumed, killed again, and in the end compared, byte for byte,
with one that was left in peace. Processes are forked from one that has imported torch and computed nothing with it.
"""

from __future__ import annotations

import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

__all__ = ["killed_runs", "main"]

KILLS = 50
#: Kills of one run before it may end.
PER_RUN = 5
NET = "conv 8 3 same > batchnorm > relu > dropout 0.25 > maxpool 2 > flatten > dense 64 > relu > dense classes"
RECIPE = {"epochs": 4, "batch": 16, "threads": 1, "flip": "horizontal", "shift": 1, "crop": 0.9, "seed": 3}
#: Seconds between two checkpoints: so few that most moments are near one.
EVERY = 0.01


def main() -> bool:
    """50 kills in a process of their own; what came of them."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.killing", str(KILLS)],
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return done.returncode == 0


def killed_runs(place: Path, kills: int, seed: int = 0) -> tuple[int, dict[str, int], list[str]]:
    """Kill trainings until there were so many kills.

    Args:
        place: an empty folder.
        kills: how many.
        seed: of the moments.

    Returns:
        how many runs were compared, how often each kind of moment was met, and what differed.
    """
    moments = random.Random(seed)
    data = _images(place / "data.npz")
    start = time.monotonic()
    _wait(_forked(lambda: _train(data, place / "whole")))
    whole, length = _content(place / "whole"), time.monotonic() - start
    met: collections.Counter[str] = collections.Counter()
    faults: list[str] = []
    runs = 0
    while sum(met.values()) < kills:
        runs += 1
        folder = place / f"run-{runs}"
        for turn in range(min(PER_RUN, kills - sum(met.values()))):
            if _status(folder) == "done":
                break
            process = _forked(lambda folder=folder: _train(data, folder))  # type: ignore[misc]
            inside = turn % 2 == 1
            ended = _inside_a_write(process, folder, moments.randrange(8)) if inside else False
            if not inside:
                ended = _ends_within(process, moments.uniform(0, length))
            if ended:
                break
            os.kill(process, signal.SIGKILL)
            if not _wait(process):
                met[_where(folder)] += 1
        # Whatever is left of it, to the end.
        if _status(folder) != "done":
            _wait(_forked(lambda folder=folder: _train(data, folder)))  # type: ignore[misc]
        ours = _content(folder)
        faults += [f"{folder.name}: {name} differs" for name in whole if ours.get(name) != whole[name]]
        shutil.rmtree(folder)
    return runs, dict(met), faults


def _train(data: Path, folder: Path) -> None:
    """Begin in a folder, or go on in it."""
    from striate.training import make_recipe, train

    train(NET, data, make_recipe(RECIPE), folder=folder, checkpoint_every=EVERY)


def _images(path: Path) -> Path:
    generator = np.random.default_rng(0)
    labels = np.arange(320) % 4
    images = generator.integers(0, 120, (320, 10, 10)).astype(np.uint8)
    images[np.arange(320), 2 * labels] += 120
    np.savez(path, x_train=images[:256], y_train=labels[:256], x_test=images[256:], y_test=labels[256:])
    return path


def _forked(work: Callable[[], None]) -> int:
    """Do something in a process of its own; its number."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        work()
        code = 0
    except BaseException as error:
        print(f"process {os.getpid()}: {error!r}: {error}", file=sys.stderr)
    finally:
        os._exit(code)


def _wait(process: int) -> bool:
    """Whether a process ended by itself and well."""
    return os.waitpid(process, 0)[1] == 0


def _ends_within(process: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if os.waitpid(process, os.WNOHANG)[0]:
            return True
        time.sleep(0.0005)
    return False


def _inside_a_write(process: int, folder: Path, skipped: int) -> bool:
    """Wait until a checkpoint is half written, leaving some out; whether the process ended before."""
    seen: set[str] = set()
    while not os.waitpid(process, os.WNOHANG)[0]:
        if new := _names(folder / "checkpoint", "-tmp") - seen:
            seen |= new
            if len(seen) > skipped:
                return False
    return True


def _where(folder: Path) -> str:
    """What the process was doing when it was killed, as far as its files tell."""
    if not (folder / "run.json").exists():
        return "before there was a run"
    if _names(folder / "checkpoint", "-tmp"):
        return "inside the writing of a checkpoint"
    tensors, records = (len(_names(folder / "checkpoint", kind)) for kind in (".safetensors", ".json"))
    if tensors != records:
        return "between the two files of a checkpoint"
    if _names(folder, "-tmp") or _names(folder / "weights", "-tmp"):
        return "inside another write"
    return "between two writes" if records else "before the first checkpoint, or behind the last"


def _names(folder: Path, ending: str) -> set[str]:
    """The files in a folder that may come and go."""
    try:
        return {name for name in os.listdir(folder) if name.endswith(ending)}
    except FileNotFoundError:
        return set()


def _status(folder: Path) -> str:
    path = folder / "run.json"
    return str(json.loads(path.read_text())["status"]) if path.exists() else "not begun"


def _content(folder: Path) -> dict[str, object]:
    """Everything a run ends with but for what a clock measured."""
    times = {"seconds", "images_per_second", "checkpoint_seconds", "spent"}
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    record = json.loads((folder / "run.json").read_text())
    return {
        "best": (folder / "weights" / "best.safetensors").read_bytes(),
        "last": (folder / "weights" / "last.safetensors").read_bytes(),
        "metrics": [{name: value for name, value in row.items() if name not in times} for row in rows],
        "evaluation": (folder / "evaluation-test.json").read_bytes(),
        "status": record["status"],
        "results": {name: value for name, value in record["results"].items() if name not in times},
    }


def _report(kills: int) -> int:
    # Once for all that are forked; torch's optimizers import its compiler when they are first made.
    import torch._dynamo  # noqa: F401

    import striate.data.npz
    import striate.training.trainer  # noqa: F401

    with tempfile.TemporaryDirectory() as place:
        start = time.monotonic()
        runs, met, faults = killed_runs(Path(place), kills)
    print(f"{sum(met.values())} times kill -9 on {runs} runs, in {time.monotonic() - start:.0f} s")
    for where, count in sorted(met.items(), key=lambda pair: -pair[1]):
        print(f"  {count:>3}  {where}")
    print("\n".join(faults) if faults else "every resumed run ended as the uninterrupted one, byte for byte")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(_report(int(sys.argv[1]) if len(sys.argv) > 1 else KILLS))
