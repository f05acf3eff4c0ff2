"""Monitors do not change a training: not a bit of it, whether it runs through or is stopped and goes on."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from monitors.planting import closely, planted
from striate.errors import InterruptedRun
from striate.lint.diagnosis import diagnose
from striate.training import TrainedRun, running
from striate.training.events import Event, Note, StepDone
from striate.training.resuming import resume
from training.samples import make_dataset, quick_run

NET = "conv 4 3 same > batchnorm > relu > dropout 0.5 > conv 4 3 same > tanh > flatten > dense classes"
OPTIONS: dict[str, Any] = {"batch": 16, "epochs": 4, "flip": "both", "shift": 1, "probe": "off"}


@pytest.fixture(autouse=True)
def usual_handlers() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Blind:
    """A watch that sees nothing."""

    def before_step(self, *arguments: Any) -> None:
        """Look away."""


def without_monitors(runs: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> TrainedRun:
    @contextlib.contextmanager
    def unmonitored(job: Any, history: Any, recorder: Any, listen: Any) -> Iterator[Any]:
        watch = Blind()
        watch.listening = lambda: listen  # type: ignore[attr-defined]
        yield watch

    with monkeypatch.context() as patch:
        patch.setattr(running, "monitored", unmonitored)
        return quick_run(runs, make_dataset(), NET, **options)


def equal(one: TrainedRun, other: TrainedRun) -> bool:
    pairs = [(one.folder.best_weights, other.folder.best_weights), (one.folder.last_weights, other.folder.last_weights)]
    for first, second in pairs:
        mine, yours = load_file(first), load_file(second)
        if mine.keys() != yours.keys() or not all(torch.equal(mine[name], yours[name]) for name in mine):
            return False
    return True


@pytest.mark.parametrize("more", [{}, {"optimizer": "sgd"}, {"clip": 0.1}, {"precision": "bf16"}], ids=str)
def test_weights_are_the_same_to_the_last_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    closely(monkeypatch)
    with_monitors = quick_run(tmp_path / "with", make_dataset(), NET, **OPTIONS, **more)
    blind = without_monitors(tmp_path / "without", monkeypatch, **OPTIONS, **more)
    assert equal(with_monitors, blind)
    rows = [json.loads(line) for line in (with_monitors.folder.path / "monitors.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if row["kind"] == "sample"] == list(range(1, 13))
    assert not (blind.folder.path / "monitors.jsonl").exists()


def test_a_resumed_training_is_the_same_and_means_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closely(monkeypatch)

    def stop(event: Event) -> None:
        if isinstance(event, StepDone) and (event.epoch, event.step) == (2, 2):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(InterruptedRun):
        quick_run(tmp_path / "stopped", make_dataset(), NET, listen=stop, **OPTIONS)
    lines: list[str] = []
    resumed = resume("latest", make_dataset(), runs=tmp_path / "stopped", listen=lambda event: lines.append(str(event)))
    straight = quick_run(tmp_path / "straight", make_dataset(), NET, **OPTIONS)
    assert equal(resumed, straight)
    assert equal(straight, without_monitors(tmp_path / "without", monkeypatch, **OPTIONS))
    kinds, steps = [], {}
    for name, run in (("resumed", resumed), ("straight", straight)):
        rows = [json.loads(line) for line in (run.folder.path / "monitors.jsonl").read_text().splitlines()]
        steps[name] = [(row["step"], row["gradients"]) for row in rows if row["kind"] == "sample"]
        kinds.append([row["kind"] for row in rows].count("start"))
    assert kinds == [1, 1]
    # What was measured is the same too, as if nothing had happened.
    assert steps["resumed"] == steps["straight"]
    assert not any("overfitted" in line for line in lines)
    assert [f.as_dict() for f in resumed.folder.findings()] == [f.as_dict() for f in straight.folder.findings()]


def test_a_killed_run_forgets_what_lies_behind_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closely(monkeypatch)

    class Killed(BaseException):
        pass

    def kill(event: Event) -> None:
        if isinstance(event, StepDone) and (event.epoch, event.step) == (2, 2):
            raise Killed

    with pytest.raises(Killed):
        quick_run(tmp_path, make_dataset(), NET, listen=kill, **OPTIONS)
    resumed = resume("latest", make_dataset(), runs=tmp_path)
    rows = [json.loads(line) for line in (resumed.folder.path / "monitors.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if row["kind"] == "sample"] == list(range(1, 13))


def test_a_finding_from_before_the_stop_is_kept_and_not_told_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    net = "conv 8 3 same > relu > flatten > dense classes"
    signal_at = (3, 2)

    def stop(event: Event) -> None:
        if isinstance(event, StepDone) and (event.epoch, event.step) == signal_at:
            signal.raise_signal(signal.SIGINT)

    def plant(module: torch.nn.Module) -> None:
        module.get_parameter("conv1.bias").fill_(-100.0)

    monkeypatch.setattr("striate.training.recording.Recorder.write_beginning", _with(stop, monkeypatch))
    with pytest.raises(InterruptedRun):
        planted(tmp_path, monkeypatch, net, plant)
    resumed = resume("latest", make_dataset(), runs=tmp_path, listen=lambda e: _note(e, lines))
    codes = [finding.code for finding in resumed.folder.findings()]
    assert {"T106", "T301"} <= set(codes)
    assert len(set(codes)) == len({(f.code, f.where) for f in resumed.folder.findings()} and set(codes))
    assert not any("T301" in line or "T106" in line for line in lines)
    assert {"T106", "T301"} <= {finding.code for finding in diagnose(resumed.folder.path).findings}


def _note(event: Event, lines: list[str]) -> None:
    if isinstance(event, Note):
        lines.append(event.text)


def _with(stop: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The usual beginning; and from now on the listener is asked whether to stop as well."""
    from striate.training.bookkeeping import History
    from striate.training.recording import Recorder

    usual, step_done = Recorder.write_beginning, History.step_done

    def told(self: Any, epoch: int, meter: Any) -> Any:
        event = step_done(self, epoch, meter)
        stop(event)
        return event

    def beginning(self: Any, graph: Any, dataset: Any) -> None:
        monkeypatch.setattr(History, "step_done", told)
        usual(self, graph, dataset)

    return beginning
