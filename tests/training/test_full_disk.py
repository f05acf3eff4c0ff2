"""A disk that is full at any write: told as StorageError, and what was saved before stays whole."""

from __future__ import annotations

import builtins
import errno
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from striate.errors import DivergedError, InterruptedRun, RunError, StorageError
from striate.runs import RunFolder, read_metrics
from striate.training import make_recipe, train
from striate.training.checkpointing import Checkpointer
from striate.training.events import Event, StepDone
from striate.training.monitors import watch
from striate.training.resuming import resume
from training.samples import NET, make_dataset, quick_run


class Disk:
    """Counts what is written into run folders; from one write on, or at it alone, half is written and then no more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.writes = 0
        self.full_from = self.full_at = 10**9
        monkeypatch.setattr("striate.runs.atomic.open", self.open, raising=False)
        monkeypatch.setattr("striate.runs.metrics.open", self.open, raising=False)

    def open(self, *arguments: Any, **options: Any) -> Any:
        stream = builtins.open(*arguments, **options)  # noqa: SIM115
        return _Stream(stream, self) if set(arguments[1]) & set("wa") else stream


class _Stream:
    def __init__(self, stream: Any, disk: Disk) -> None:
        self._stream, self._disk = stream, disk

    def write(self, data: bytes) -> int:
        disk = self._disk
        disk.writes += 1
        if disk.writes == disk.full_at or disk.writes >= disk.full_from:
            self._stream.write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return int(self._stream.write(data))

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def assert_whole(folder: Path) -> None:
    """Every file there can be read, and no half-written one is left."""
    for path in folder.rglob("*"):
        if path.is_dir():
            continue
        if path.suffix == ".safetensors":
            assert load_file(path)
        elif path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".jsonl":
            assert read_metrics(path).note is None
        else:
            assert path.name in ("net.yaml", "lock"), path
            assert path.read_text().endswith("\n")


def status(folder: Path) -> str | None:
    run = RunFolder(folder)
    return run.record().status if run.run_json.exists() else None


@pytest.mark.parametrize("recovers", [True, False])
def test_at_every_write(tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, recovers: bool) -> None:
    # A checkpoint at every chance, not by the clock: every attempt has the same writes.
    monkeypatch.setattr(Checkpointer, "due", lambda self, epoch_over: True)
    # Nor do the monitors look by the clock: the first step alone.
    monkeypatch.setattr(watch, "SHARE", 0.0)
    whole = quick_run(tmp_path / "whole", batch=24)
    writes, disk.writes = disk.writes, 0
    # run.json, net.yaml, data.json, findings.json, the checks before the first step, first weights, a checkpoint; two
    # epochs of a step row, weights, an epoch row and three checkpoints of two files; what the monitors saw, their cost
    # and findings; two evaluations and run.json again
    assert 33 <= writes <= 35
    for place in range(1, writes + 1, 1 if recovers else 3):
        disk.writes = 0
        disk.full_at, disk.full_from = (place, 10**9) if recovers else (10**9, place)
        root = tmp_path / str(place)
        with pytest.raises(StorageError) as raised:
            quick_run(root, batch=24)
        assert raised.value.exit_code == 1
        assert "the disk is full" in str(raised.value)
        (folder,) = (path for path in root.iterdir() if not path.is_symlink())
        assert_whole(folder)
        if recovers:
            assert status(folder) == "failed", place
            assert RunFolder(folder).record().reason == "the disk is full"
        else:
            assert status(folder) == (None if place == 1 else "running")
        if place > 7:
            # The first weights are there, and from then on never fewer.
            assert RunFolder(folder).best_weights.exists()
        if place > 9:
            # There is a checkpoint.
            assert f"write: striate resume {folder}" in str(raised.value)
        disk.full_at = disk.full_from = 10**9
        if place > 3:
            # With room on the disk nothing is lost.
            run = resume(folder, make_dataset())
            for weights in whole.folder.weights.iterdir():
                assert (run.folder.weights / weights.name).read_bytes() == weights.read_bytes(), place
        elif place > 1:
            with pytest.raises(RunError, match="stopped before it began"):
                resume(folder, make_dataset())
            # Asked for under its name it begins.
            assert train(NET, make_dataset(), folder=folder, recipe=make_recipe({"epochs": 1})).folder.path == folder


def test_the_weights_of_earlier_epochs_stay(tmp_path: Path, disk: Disk) -> None:
    def listen(event: Event) -> None:
        if isinstance(event, StepDone) and event.epoch == 2:
            disk.full_from = 0

    with pytest.raises(StorageError):
        quick_run(tmp_path, batch=24, listen=listen)
    folder = RunFolder(next(tmp_path.glob("*-1")))
    assert int(load_file(folder.best_weights)["batchnorm1.num_batches_tracked"]) == 2


def fill_at(disk: Disk, then: Callable[[], object]) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        if isinstance(event, StepDone):
            disk.full_from = 0
            then()

    return listen


def test_a_full_disk_does_not_hide_why_training_ended(tmp_path: Path, disk: Disk) -> None:
    # The loss diverges, and then neither that nor the last row can be written: the disk is what stops it first.
    with pytest.raises((DivergedError, StorageError)):
        quick_run(tmp_path, learning_rate=1e30, optimizer="sgd", listen=fill_at(disk, lambda: None))
    disk.full_from = 10**9

    def fault() -> None:
        raise ValueError("a fault of the listener")

    with pytest.raises(ValueError, match="a fault of the listener"):
        quick_run(tmp_path, listen=fill_at(disk, fault))


def test_ctrl_c_on_a_full_disk(tmp_path: Path, disk: Disk) -> None:
    with pytest.raises((StorageError, InterruptedRun)):
        quick_run(tmp_path, listen=fill_at(disk, lambda: signal.raise_signal(signal.SIGINT)))
    assert_whole(next(tmp_path.glob("*-1")))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="a file stands where"):
        quick_run(tmp_path / "file")
    with pytest.raises(StorageError):
        quick_run(tmp_path / "file" / "runs")
    if Path("/proc/self").exists():
        with pytest.raises(StorageError):
            quick_run(Path("/proc/striate-runs"))


def test_a_folder_that_disappears(tmp_path: Path) -> None:
    def listen(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 1:
            weights = next(tmp_path.glob("*-1")) / "weights"
            if weights.exists():
                weights.rename(tmp_path / "elsewhere")

    with pytest.raises(StorageError) as raised:
        quick_run(tmp_path, listen=listen)
    assert "the folder does not exist" in str(raised.value)
    assert status(next(tmp_path.glob("*-1"))) == "failed"
    assert_whole(tmp_path / "elsewhere")


def test_the_data_are_not_touched_by_a_failure(tmp_path: Path, disk: Disk) -> None:
    dataset = make_dataset()
    before = dataset.train.images.copy()
    disk.full_from = 8
    with pytest.raises(StorageError):
        quick_run(tmp_path, dataset)
    assert (dataset.train.images == before).all()
