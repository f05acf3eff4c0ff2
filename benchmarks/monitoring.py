"""What the monitors cost: training steps with them and without, in turn.

    python -m benchmarks monitoring

The bar: training with the monitors takes less than 3 % longer than without (median of the pairs), and ends with the
same weights to the last bit.
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from safetensors.torch import load_file

from benchmarks.timing import compare, spread
from striate.training import TrainedRun, make_recipe, running, train
from striate.training.events import EpochDone, Event

__all__ = ["main"]

NETWORKS = {"simple-cnn": 30, "mnist-cnn": 12, "resnet20": 3}
REPEATS, BAR = 5, 0.03


class _Blind:
    """A watch that sees nothing."""

    def __init__(self, listen: Any) -> None:
        self._listen = listen

    def before_step(self, *step: Any) -> None:
        """Look away."""

    def listening(self) -> Any:
        """The listener, alone."""
        return self._listen


@contextlib.contextmanager
def _unmonitored(job: Any, history: Any, recorder: Any, listen: Any) -> Iterator[_Blind]:
    yield _Blind(listen)


def _seconds(net: str, epochs: int, folder: str, kept: list[TrainedRun]) -> float:
    """Of all epochs but the first, with their validation, in which things are made once."""
    marks: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, EpochDone):
            marks.append(time.perf_counter())

    recipe = make_recipe({"epochs": epochs, "precision": "fp32", "probe": "off"})
    kept.append(train(net, "digits", recipe, runs=folder, listen=listen))
    return marks[-1] - marks[0]


def _equal(one: TrainedRun, other: TrainedRun) -> bool:
    mine, yours = load_file(one.folder.last_weights), load_file(other.folder.last_weights)
    return mine.keys() == yours.keys() and all(torch.equal(mine[name], yours[name]) for name in mine)


def main() -> bool:
    """Measure and print; whether the bar is met."""
    good = True
    for net, epochs in NETWORKS.items():
        with tempfile.TemporaryDirectory() as folder:
            seen: list[TrainedRun] = []
            blind: list[TrainedRun] = []

            def watched(net: str = net, epochs: int = epochs, folder: str = folder, kept: Any = seen) -> float:
                return _seconds(net, epochs, str(Path(folder) / "seen"), kept)

            def alone(net: str = net, epochs: int = epochs, folder: str = folder, kept: Any = blind) -> float:
                with mock.patch.object(running, "monitored", _unmonitored):
                    return _seconds(net, epochs, str(Path(folder) / "blind"), kept)

            watched()
            with_monitors, without = compare(watched, alone, REPEATS)
            more = [a / b - 1 for a, b in zip(with_monitors, without, strict=True)]
            same = all(_equal(one, other) for one, other in zip(seen[1:], blind, strict=True))
            print(
                f"{net}: {100 * statistics.median(more):+.1f} % ({100 * min(more):+.1f} to {100 * max(more):+.1f});"
                f" with {spread(with_monitors, ' s')}, without {spread(without, ' s')};"
                f" weights {'equal' if same else 'DIFFERENT'}",
                flush=True,
            )
            good = good and same and statistics.median(more) < BAR
    print("met" if good else "MISSED")
    return good


if __name__ == "__main__":
    raise SystemExit(not main())
