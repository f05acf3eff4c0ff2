"""Damaged, foreign and changed checkpoints, data, networks and recipes: what is told, and that nothing is lost."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save

from striate.errors import DataError, InterruptedRun, RunError, StorageError, StriateError
from striate.runs import RunFolder
from striate.runs.checkpoint_record import CheckpointRecord, sealed
from striate.runs.checkpoints import Checkpoints
from striate.runs.lock import alone_in
from striate.training.checkpointing import Checkpointer
from striate.training.events import Event, Note, StepDone
from striate.training.resuming import resume
from training.samples import make_dataset, quick_run, save_npz

OPTIONS: dict[str, Any] = {"epochs": 3, "batch": 10}


@pytest.fixture(autouse=True)
def usual_handlers() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def whole(place: Path) -> bytes:
    """The last weights of the uninterrupted run."""
    run = quick_run(place / "whole", save_npz(place / "data.npz"), **OPTIONS)
    return run.folder.last_weights.read_bytes()


@pytest.fixture(scope="module")
def stopped(place: Path, whole: bytes) -> Path:
    """A run stopped in its second epoch, with two checkpoints; copied before it is used."""

    def listen(event: Event) -> None:
        if isinstance(event, StepDone) and (event.epoch, event.step) == (2, 4):
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Checkpointer, "due", lambda self, epoch_over: True)
            with pytest.raises(InterruptedRun):
                quick_run(place / "runs", place / "data.npz", listen=listen, **OPTIONS)
    finally:
        signal.signal(signal.SIGINT, before)
    return next(path for path in (place / "runs").iterdir() if not path.is_symlink())


@pytest.fixture
def folder(tmp_path: Path, stopped: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(stopped, tmp_path / "run")))


def newest(folder: RunFolder, kind: str) -> Path:
    return sorted(folder.checkpoint.glob(f"*.{kind}"))[-1]


def refused(folder: RunFolder, expected: type[StriateError] = RunError) -> StriateError:
    """What is told; and nothing in the folder has changed."""
    before = contents(folder)
    with pytest.raises(expected) as raised:
        resume(folder.path)
    assert contents(folder) == before
    return raised.value


def contents(folder: RunFolder) -> dict[str, str]:
    return {
        str(path.relative_to(folder.path)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.path.rglob("*")
        if path.is_file() and path.name != "lock"
    }


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(bytes(content))


def another_digit(path: Path) -> None:
    text = path.read_text()
    assert '"steps": 9,' in text
    path.write_text(text.replace('"steps": 9,', '"steps": 8,'))


FAULTS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "cut off": ("safetensors", cut, "cut off, or not the file that was written"),
    "one bit": ("safetensors", flip, "changed since it was written"),
    "gone": ("safetensors", Path.unlink, "this file is missing"),
    "empty": ("safetensors", lambda path: path.write_bytes(b""), "cut off, or not the file that was written"),
    "record cut off": ("json", cut, "not JSON, or cut off in the middle"),
    "record of zeros": ("json", lambda path: path.write_bytes(bytes(4000)), "not JSON, or cut off in the middle"),
    "another digit": ("json", another_digit, "changed since it was written: its seal does not fit"),
    "another object": (
        "json",
        lambda path: path.write_text('{"format": 1}'),
        "number: this key is missing (and 11 more)",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_damaged_one_is_named_and_the_one_before_is_used(folder: RunFolder, whole: bytes, name: str) -> None:
    kind, damage, words = FAULTS[name]
    path = newest(folder, kind)
    damage(path)
    notes: list[Event] = []
    run = resume(folder.path, listen=notes.append)
    told = [event.text for event in notes if isinstance(event, Note)]
    assert f"checkpoint/{path.name} cannot be used ({words}); the one before it is used" in told
    assert run.folder.last_weights.read_bytes() == whole


def test_all_checkpoints_are_damaged(folder: RunFolder) -> None:
    for path in folder.checkpoint.glob("*.safetensors"):
        cut(path)
    error = refused(folder)
    assert error.problem == "every checkpoint is damaged, so this run cannot be continued"
    assert error.where == str(folder.checkpoint)
    assert error.got is not None
    assert "cut off" in error.got
    assert "(and 1 more)" in error.got
    assert error.exit_code == 2


def test_the_checkpoints_were_removed(folder: RunFolder) -> None:
    shutil.rmtree(folder.checkpoint)
    with pytest.raises(RunError, match="this run has no checkpoint"):
        resume(folder.path)


def test_another_format(folder: RunFolder) -> None:
    path = newest(folder, "json")
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    error = refused(folder)
    # The older checkpoint is not taken: nothing is damaged, and good steps would be lost.
    assert "was written by another version of Striate" in str(error)
    assert "got:   format 2" in str(error)
    assert "needs: format 1" in str(error)


def test_another_network(folder: RunFolder) -> None:
    text = folder.net_text()
    assert "- batchnorm\n" in text
    folder.write_net_text(text.replace("- batchnorm\n", "- batchnorm: {momentum: 0.5}\n"))
    error = refused(folder)
    assert error.problem == "the network is not the one that was trained"
    assert error.where == str(folder.net_yaml)
    assert f"striate train {folder.net_yaml}" in str(error.write)


def test_comments_in_the_network_change_nothing(folder: RunFolder, whole: bytes) -> None:
    folder.write_net_text("# my network\n" + folder.net_text())
    assert resume(folder.path).folder.last_weights.read_bytes() == whole


@pytest.mark.parametrize(
    ("section", "name", "value", "words"),
    [
        ("recipe", "epochs", 30, "the recipe is not the one that was trained with"),
        ("recipe", "weight_decay", 0.5, "the recipe is not the one that was trained with"),
        ("resolved", "learning_rate", 0.5, "the plan is not the one that was trained with"),
        ("resolved", "precision", "bf16", "the plan is not the one that was trained with"),
        ("resolved", "batch", 20, "the plan of this run does not fit its images"),
        ("resolved", "threads", "many", "the plan of this run is damaged"),
    ],
)
def test_another_recipe(folder: RunFolder, section: str, name: str, value: object, words: str) -> None:
    record = json.loads(folder.run_json.read_text())
    record[section][name] = value
    folder.run_json.write_text(json.dumps(record))
    error = refused(folder)
    assert error.problem == words
    assert str(folder.run_json) in str(error.where)
    assert error.exit_code == 2
    if "trained with" in words:
        assert error.where == f"{folder.run_json}: {section}.{name}"
        assert error.got == f"{name}: {value}"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 1}, "the train images are not those of the run any more"),
        ({"train": 47}, "the train images are not those of the run any more"),
        ({"test": 11}, "the test images are not those of the run any more"),
    ],
)
def test_other_images(folder: RunFolder, tmp_path: Path, change: dict[str, int], words: str) -> None:
    other = save_npz(tmp_path / "other.npz", **change)  # type: ignore[arg-type]
    before = contents(folder)
    with pytest.raises(DataError) as raised:
        resume(folder.path, other)
    assert raised.value.problem == words
    assert raised.value.where == str(other)
    assert raised.value.exit_code == 3
    assert "changed images begin a new run" in str(raised.value.write)
    assert contents(folder) == before


def test_images_that_are_gone(folder: RunFolder) -> None:
    card = json.loads(folder.data_json.read_text())
    card["source"] = "/nowhere/photos"
    folder.data_json.write_text(json.dumps(card))
    error = refused(folder, DataError)
    assert "the images of the run are not where they were" in str(error)
    assert "--data DATA" in str(error.write)


def test_a_changed_data_card(folder: RunFolder) -> None:
    card = json.loads(folder.data_json.read_text())
    card["preprocessing"]["mean"] = [0.5]
    folder.data_json.write_text(json.dumps(card))
    error = refused(folder, DataError)
    assert "data.json was changed" in error.problem


def test_a_checkpoint_of_another_network_under_the_right_name(folder: RunFolder) -> None:
    """Foreign tensors with a seal that fits: whoever makes such a file is told too, and nothing is overwritten."""
    for record_path in folder.checkpoint.glob("*.json"):
        record = CheckpointRecord.model_validate_json(record_path.read_text())
        tensors = load_file(record_path.with_suffix(".safetensors"))
        del tensors["weights.conv1.bias"]
        content = save(tensors)
        record_path.with_suffix(".safetensors").write_bytes(content)
        update = {"tensors_hash": hashlib.sha256(content).hexdigest(), "tensors_bytes": len(content)}
        record_path.write_bytes(sealed(record.model_copy(update=update)).json_bytes())
    with pytest.raises(RunError) as raised:
        resume(folder.path)
    assert raised.value.problem == "these are not the tensors of this network"
    assert raised.value.got == "no conv1.bias"


def test_a_finished_run(folder: RunFolder) -> None:
    resume(folder.path)
    error = refused(folder)
    assert error.problem == "this run is finished; there is nothing to resume"
    assert error.got == "done: all 3 epochs were trained"
    assert "more epochs or time are another recipe" in str(error.needs)


def test_a_diverged_run(tmp_path: Path) -> None:
    with pytest.raises(StriateError):
        quick_run(tmp_path, optimizer="sgd", learning_rate=1e30, schedule="constant", batch=16)
    with pytest.raises(RunError) as raised:
        resume("latest", make_dataset(), runs=tmp_path)
    assert "it would diverge again" in raised.value.problem
    assert "smaller --learning-rate" in str(raised.value.write)


def test_another_process_trains_it(folder: RunFolder) -> None:
    script = (
        "import sys, time; from pathlib import Path; from striate.runs.lock import alone_in\n"
        "with alone_in(Path(sys.argv[1])):\n  print('here', flush=True)\n  sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(folder.checkpoint)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        error = refused(folder)
        assert error.problem == "another process is training this run"
        assert error.got == f"process {process.pid}"
        process.kill()
        process.wait()
        # The system opens the door, however the process ended.
        with alone_in(folder.checkpoint):
            pass


def test_a_folder_that_may_not_be_written(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    def refuse(*arguments: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("striate.runs.lock.os.open", refuse)
    with pytest.raises(StorageError) as raised:
        resume(folder.path)
    assert raised.value.exit_code == 1
    assert "the file system is read-only" in str(raised.value)


def test_a_write_that_fails_leaves_the_checkpoints_that_were_there(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, whole: bytes
) -> None:
    write = Checkpoints.write

    def full(self: Checkpoints, record: CheckpointRecord, tensors: bytes) -> None:
        import errno

        from striate.runs import checkpoints

        def no_room(path: Path, data: bytes) -> None:
            if path.suffix == ".json":
                raise checkpoints.storage_error(OSError(errno.ENOSPC, "No space left on device"), path)
            path.write_bytes(data)

        monkeypatch.setattr(checkpoints, "write_bytes", no_room)
        write(self, record, tensors)

    names = {path.name for path in folder.checkpoint.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(Checkpointer, "due", lambda self, epoch_over: True)
        patch.setattr(Checkpoints, "write", full)
        with pytest.raises(StorageError) as raised:
            resume(folder.path)
    monkeypatch.undo()
    assert "the disk is full" in str(raised.value)
    assert raised.value.write == f"striate resume {folder.path}"
    assert "what was saved before is whole" in str(raised.value.needs)
    assert {path.name for path in folder.checkpoint.iterdir()} == names
    assert folder.record().status == "failed"
    assert resume(folder.path).folder.last_weights.read_bytes() == whole


def test_two_checkpoints_are_kept(stopped: Path) -> None:
    names = sorted(path.name for path in (stopped / "checkpoint").iterdir())
    assert len(names) == 5
    assert names[-1] == "lock"
    assert [Path(name).suffix for name in names[:4]] == [".json", ".safetensors"] * 2


def test_a_file_that_is_too_long_is_not_read(folder: RunFolder) -> None:
    path = newest(folder, "json")
    with open(path, "wb") as stream:
        stream.truncate(1 << 40)
    notes: list[Event] = []
    resume(folder.path, listen=notes.append)
    assert any("too large to be read" in event.text for event in notes if isinstance(event, Note))
