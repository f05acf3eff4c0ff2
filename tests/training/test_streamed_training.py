"""Training from a stream: the same weights to the last bit as from memory, and nothing lost where it ends early."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.cli.program import run
from striate.errors import DataError, InterruptedRun, StorageError
from striate.training import Listener, TrainedRun, make_recipe, train
from striate.training.events import Event, StepDone, silent
from striate.training.interruption import Interruption
from striate.training.measuring import evaluate_run
from striate.training.resuming import resume

NET = "conv 4 3 same > batchnorm > relu > dropout 0.3 > flatten > dense classes"
RECIPE = {"epochs": 2, "threads": 1, "batch": 8, "seed": 3}


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decode in this process, which takes no time to start."""
    monkeypatch.setattr("striate.data.streamed_files.default_workers", lambda: 0)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Three classes of 16 JPEGs and PNGs of 8×8, each class with a bright row of its own."""
    random = np.random.default_rng(0)
    for place, name in enumerate(("cat", "dog", "eel")):
        (tmp_path / "photographs" / name).mkdir(parents=True)
        for number in range(16):
            pixels = random.integers(0, 120, (8, 8, 3)).astype(np.uint8)
            pixels[2 * place] += 120
            Image.fromarray(pixels).save(tmp_path / "photographs" / name / f"{number}.{'jpg' if number % 2 else 'png'}")
    return tmp_path / "photographs"


@pytest.fixture
def nobody_left() -> Iterator[None]:
    yield
    assert not multiprocessing.active_children()


def trained(photographs: Path, runs: Path, listen: Listener = silent, **options: object) -> TrainedRun:
    return train(NET, photographs, make_recipe({**RECIPE, **options}), runs=runs, listen=listen)


def weights(run: TrainedRun) -> list[bytes]:
    return [path.read_bytes() for path in (run.folder.best_weights, run.folder.last_weights)]


def stopping(interruption: Interruption, steps: int) -> Listener:
    def listen(event: Event) -> None:
        if isinstance(event, StepDone) and event.done >= steps:
            interruption.requested = True

    return listen


def living(group: int) -> list[str]:
    """The processes of a group, without those that have ended and were not waited for."""
    told = subprocess.run(["ps", "-eo", "pgid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in told.splitlines()]
    return [row[-1] for row in rows if row[0] == str(group) and not row[1].startswith("Z")]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shift": 1, "flip": "horizontal", "cutout": 2},
        {"mixup": 0.4, "cutmix": 1.0, "mix_share": 0.7},
        {"whiten": True, "tta": "flip", "epochs": 1.5},
        {"broken": "skip", "val": 0.0, "rotate": 10},
    ],
    ids=lambda options: "-".join(options) or "plain",
)
@pytest.mark.usefixtures("alone")
def test_the_same_weights_as_from_memory(photographs: Path, tmp_path: Path, options: dict[str, object]) -> None:
    if "broken" in options:
        (photographs / "cat/2.png").write_bytes((photographs / "cat/2.png").read_bytes()[:90])
    memory = trained(photographs, tmp_path / "a", **options)
    stream = trained(photographs, tmp_path / "b", cache="stream", **options)
    assert weights(stream) == weights(memory)
    assert stream.record.results["test_loss"] == memory.record.results["test_loss"]
    assert stream.card == memory.card
    # Whoever measures the run reads the images by its recipe again.
    assert evaluate_run(TrainedRun(stream.folder), split="test") == evaluate_run(
        TrainedRun(memory.folder), split="test"
    )


@pytest.mark.usefixtures("nobody_left")
def test_the_same_weights_from_other_processes(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted in the middle of an epoch, too; and the pages and predictions that follow are made."""
    monkeypatch.setattr("striate.data.stream_workers.CHUNK_BYTES", 3 * 8 * 8 * 3)
    options = {"mixup": 0.4, "shift": 1, "epochs": 3, "cache": "stream", "workers": 2}
    memory = trained(photographs, tmp_path / "a", **{**options, "cache": "memory", "workers": None})
    interruption = Interruption()
    recipe, listen = make_recipe({**RECIPE, **options}), stopping(interruption, 7)
    with pytest.raises(InterruptedRun):
        train(NET, photographs, recipe, runs=tmp_path / "b", listen=listen, interruption=interruption)
    stream = resume("latest", runs=tmp_path / "b")
    assert stream.record.resumed
    assert weights(stream) == weights(memory)


@pytest.mark.parametrize("fault", ["gone", "changed"])
@pytest.mark.usefixtures("alone")
def test_an_image_that_changes_stops_it_between_two_steps(photographs: Path, tmp_path: Path, fault: str) -> None:
    memory = trained(photographs, tmp_path / "a")
    kept: list[bytes] = []

    def listen(event: Event) -> None:
        if isinstance(event, StepDone) and event.done == 6:
            for image in photographs.rglob("*.png"):
                kept.append(image.read_bytes())
                if fault == "gone":
                    image.unlink()
                else:
                    Image.new("RGB", (8, 8)).save(image)

    paths = list(photographs.rglob("*.png"))
    with pytest.raises(DataError) as caught:
        trained(photographs, tmp_path / "b", listen, cache="stream")
    assert caught.value.exit_code == 3
    assert Path(caught.value.where or "") in paths
    assert caught.value.got == ("no such file" if fault == "gone" else "other pixels")
    with pytest.raises(DataError):
        resume("latest", runs=tmp_path / "b")
    for path, content in zip(paths, kept, strict=True):
        path.write_bytes(content)
    told: list[object] = []
    stream = resume("latest", runs=tmp_path / "b", listen=told.append)
    assert any("6 steps are behind it" in str(one) for one in told), "not one was lost"
    assert weights(stream) == weights(memory)


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
@pytest.mark.usefixtures("nobody_left")
def test_a_process_that_is_killed_stops_it_between_two_steps(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = trained(photographs, tmp_path / "a", epochs=20)
    # One image at a time, so that there is something left to decode when the processes are killed.
    monkeypatch.setattr("striate.data.stream_workers.CHUNK_BYTES", 1)
    monkeypatch.setattr("striate.data.stream_workers.AHEAD_BYTES", 1)

    def listen(event: Event) -> None:
        if isinstance(event, StepDone) and event.done == 6:
            for child in multiprocessing.active_children():
                os.kill(child.pid or 0, signal.SIGKILL)

    with pytest.raises(StorageError) as caught:
        trained(photographs, tmp_path / "b", listen, epochs=20, cache="stream", workers=2)
    text = str(caught.value)
    assert "a process that decodes images has died" in text
    assert "killed by SIGKILL" in text
    assert "needs: memory for 2 such processes" in text
    assert f"write: striate resume {tmp_path / 'b'}" in text
    told: list[object] = []
    stream = resume("latest", runs=tmp_path / "b", listen=told.append)
    assert any("steps are behind it" in str(one) for one in told)
    assert weights(stream) == weights(memory)


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_processes_saves(photographs: Path, tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C goes to every process of a terminal, and a batch system ends all of them."""
    runs = tmp_path / "runs"
    words = ("train", NET, "--data", str(photographs), "--runs", str(runs), "--epochs", "2000", "--threads", "1")
    script = "import sys; from striate.cli import main; main()"
    command = [sys.executable, "-c", script, *words, "--cache", "stream", "--workers", "2"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        end = time.monotonic() + 60
        while not list(runs.glob("*-1/checkpoint/00000[2-9].json")) and time.monotonic() < end:
            time.sleep(0.02)
        os.killpg(process.pid, number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number, errors
    assert "Traceback" not in errors
    assert "interrupted; everything so far is saved" in errors
    end = time.monotonic() + 20
    while living(process.pid) and time.monotonic() < end:
        time.sleep(0.05)  # multiprocessing's own helper notices a moment later that nobody is left
    assert not living(process.pid)


def test_it_is_a_flag(photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], alone: None) -> None:
    words = ("--data", str(photographs), "--epochs", "1", "--runs", str(tmp_path / "runs"))
    assert run(["train", NET, *words, "--cache", "stream"]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "images: 9.0 KiB of pixels decoded whenever they are needed, as asked, by 0 processes" in said
    assert run(["evaluate", "--runs", str(tmp_path / "runs")]) == 0
    assert run(["report", "--runs", str(tmp_path / "runs")]) == 0
    assert run(["train", NET, *words, "--workers", "2"]) == 2
    assert "workers has no effect on images that are decoded once" in " ".join(capsys.readouterr().err.split())
