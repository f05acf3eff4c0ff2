"""checkpoint/ on the disk: which files there are at each moment, and which of them is the newest whole checkpoint."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from striate.errors import RunError, StorageError
from striate.runs import checkpoints as module
from striate.runs.checkpoint_record import BestRecord, CheckpointRecord, MeterRecord, ProgressRecord, sealed
from striate.runs.checkpoints import Checkpoints
from striate.runs.folder import create_run_at, run_path
from striate.runs.lock import alone_in
from striate.runs.metrics import MetricsWriter


def record(number: int, content: bytes) -> CheckpointRecord:
    best = BestRecord(epoch=0, loss=None, accuracy=None, improved=0, lowest=float("inf"))
    progress = ProgressRecord(
        epochs=1,
        steps=number,
        seconds=0.1 + 0.2,
        images=3,
        training_seconds=1e-17,
        checkpoint_seconds=0.0,
        best=best,
        meter=MeterRecord(),
    )
    return sealed(
        CheckpointRecord(
            number=number,
            written="2030-01-01T00:00:00+00:00",
            tensors_hash=hashlib.sha256(content).hexdigest(),
            tensors_bytes=len(content),
            strides={"optimizer.a": (4, 1)},
            progress=progress,
            rows=7,
            network="n",
            data={"train": "t"},
            recipe={"epochs": 3},
            plan={"batch": 2},
            versions={"torch": "2"},
        )
    )


def write(store: Checkpoints, number: int) -> None:
    content = f"tensors {number}".encode()
    store.write(record(number, content), content)


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir())


def test_the_newest_and_the_one_before_are_kept(tmp_path: Path) -> None:
    store = Checkpoints(tmp_path / "checkpoint")
    assert store.find() is None
    assert store.next_number == 1
    for number in (1, 2, 3):
        write(store, number)
    assert names(store.path) == ["000002.json", "000002.safetensors", "000003.json", "000003.safetensors"]
    found = store.find()
    assert found is not None
    assert found.record == record(3, b"tensors 3")
    assert found.record.progress.seconds == 0.1 + 0.2
    assert found.record.progress.best.lowest == float("inf")
    assert found.tensors.read_bytes() == b"tensors 3"
    assert found.damaged == ()
    assert store.next_number == 4


def test_the_one_gone_on_from_is_kept_and_damaged_ones_are_not(tmp_path: Path) -> None:
    store = Checkpoints(tmp_path)
    for number in (1, 2):
        write(store, number)
    (tmp_path / "000002.safetensors").write_bytes(b"tensors 7")
    again = Checkpoints(tmp_path)
    found = again.find()
    assert found is not None
    assert found.record.number == 1
    assert [error.where for error in found.damaged] == [str(tmp_path / "000002.safetensors")]
    again.keep(found)
    write(again, again.next_number)
    assert names(tmp_path) == ["000001.json", "000001.safetensors", "000003.json", "000003.safetensors"]


def test_half_a_checkpoint_is_none_and_is_cleaned_away(tmp_path: Path) -> None:
    store = Checkpoints(tmp_path)
    write(store, 1)
    (tmp_path / "000002.safetensors").write_bytes(b"tensors 2")
    (tmp_path / ".000002.json.0123456789abcdef.striate-tmp").write_bytes(b"{")
    found = store.find()
    assert found is not None
    assert (found.record.number, found.damaged) == (1, ())
    assert store.next_number == 3
    store.clean()
    assert names(tmp_path) == ["000001.json", "000001.safetensors"]


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int) -> None:
    store = Checkpoints(tmp_path)
    write(store, 1)
    calls = iter(range(1, 9))
    true = module.write_bytes

    def full(path: Path, data: bytes) -> None:
        if next(calls) == fails_at:
            raise module.storage_error(OSError(errno.ENOSPC, "No space left on device"), path)
        true(path, data)

    monkeypatch.setattr(module, "write_bytes", full)
    with pytest.raises(StorageError, match="the disk is full"):
        write(store, 2)
    assert names(tmp_path) == ["000001.json", "000001.safetensors"]


def test_removing(tmp_path: Path) -> None:
    store = Checkpoints(tmp_path / "checkpoint")
    store.remove()
    store.clean()
    write(store, 1)
    with alone_in(store.path):
        pass
    store.remove()
    assert not store.path.exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="a file stands where"):
        write(Checkpoints(tmp_path / "file" / "checkpoint"), 1)
    with pytest.raises(StorageError), alone_in(tmp_path / "file"):
        pass


@pytest.mark.skipif(os.name != "posix", reason="needs locks of POSIX")
def test_one_process_at_a_time(tmp_path: Path) -> None:
    with alone_in(tmp_path):
        child = os.fork()
        if not child:
            try:
                with alone_in(tmp_path):
                    os._exit(1)
            except RunError as error:
                os._exit(0 if error.got == f"process {os.getppid()}" else 2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with alone_in(tmp_path):
        pass


def test_a_run_under_a_name_that_was_asked_for(tmp_path: Path) -> None:
    run = create_run_at("mine", tmp_path / "runs")
    assert run.path == tmp_path / "runs" / "mine"
    assert (tmp_path / "runs" / "latest").resolve() == run.path.resolve()
    # Elsewhere nothing is laid beside it.
    other = create_run_at(tmp_path / "elsewhere" / "run", tmp_path / "runs")
    assert names(tmp_path / "elsewhere") == ["run"]
    # What a process leaves that was killed before it began is no run and no obstacle.
    (other.path / "checkpoint").mkdir()
    (other.path / "checkpoint" / "lock").write_text("1\n")
    (other.path / ".run.json.0123456789abcdef.striate-tmp").write_text("{")
    create_run_at(other.path, tmp_path / "runs")
    (other.path / "notes.txt").write_text("mine")
    with pytest.raises(RunError) as raised:
        create_run_at(other.path)
    assert raised.value.got == "notes.txt"
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="a file stands where"):
        create_run_at(tmp_path / "file")


@pytest.mark.parametrize("name", ["", "latest", "runs/latest", ".."])
def test_names_that_no_run_can_have(name: str) -> None:
    with pytest.raises(RunError, match="not the name of a run"):
        run_path(name)


def test_rows_are_on_the_disk_before_a_checkpoint_counts_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    monkeypatch.setattr("striate.runs.metrics.os.fsync", flushed.append)
    with MetricsWriter(tmp_path / "metrics.jsonl") as writer:
        writer.append({"loss": 1.0})
        writer.flush()
        assert len(flushed) == 1

        def gone(descriptor: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr("striate.runs.metrics.os.fsync", gone)
        with pytest.raises(StorageError):
            writer.flush()
