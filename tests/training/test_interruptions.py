"""Ctrl-C and SIGTERM at any moment: everything is saved, run.json says so, and the exit code is 130 or 143."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from striate.errors import InterruptedRun
from striate.training import TrainedRun, job, loop, open_trained, running, trainer
from striate.training.events import EpochDone, Event, Started, StepDone
from striate.training.interruption import Interruption
from striate.training.recording import Recorder
from striate.training.resuming import resume
from training.samples import make_dataset, quick_run, save_npz

Listener = Callable[[Event], None]


@pytest.fixture(autouse=True)
def usual_handlers() -> Iterator[None]:
    """Python's own handlers, whatever the test runner has; and they have to be there again afterwards."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler), signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    after = signal.signal(signal.SIGINT, before[0]), signal.signal(signal.SIGTERM, before[1])
    assert after == (signal.default_int_handler, signal.SIG_DFL)


def send(number: int, at: Callable[[Event], bool], times: int = 1) -> Listener:
    def listen(event: Event) -> None:
        if at(event):
            for _ in range(times):
                signal.raise_signal(number)

    return listen


def step(epoch: int, number: int) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, StepDone) and (event.epoch, event.step) == (epoch, number)


def interrupted(tmp_path: Path, listen: Listener, **options: Any) -> tuple[TrainedRun, InterruptedRun]:
    with pytest.raises(InterruptedRun) as raised:
        quick_run(tmp_path, batch=16, epochs=options.pop("epochs", 5), listen=listen, **options)
    return open_trained("latest", root=tmp_path), raised.value


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_middle_of_an_epoch(tmp_path: Path, number: int) -> None:
    kept: dict[str, dict[str, torch.Tensor]] = {}

    def listen(event: Event) -> None:
        if isinstance(event, EpochDone):
            kept["epoch"] = load_file(next(tmp_path.glob("*-1")) / "weights" / "last.safetensors")
        send(number, step(2, 2))(event)

    run, error = interrupted(tmp_path, listen)
    assert error.exit_code == 128 + number
    assert str(run.folder.path) in str(error)
    assert f"write: striate resume {run.folder.path}" in str(error)
    assert run.record.status == "interrupted"
    assert run.record.reason == "stopped by the user after 1 whole epochs"
    assert run.record.finished is not None
    results = run.record.results
    assert (results["epochs_done"], results["steps_done"], results["best_epoch"]) == (1, 5, 1)
    best, last = load_file(run.folder.best_weights), load_file(run.folder.last_weights)
    assert all(torch.equal(best[name], kept["epoch"][name]) for name in best)
    assert int(last["batchnorm1.num_batches_tracked"]) == 5
    assert [row["kind"] for row in run.folder.metrics().rows] == ["step", "epoch"]
    # It can be used.
    assert run.outputs(make_dataset().train.images).shape == (48, 3)


def test_before_the_first_epoch_is_done(tmp_path: Path) -> None:
    run, _ = interrupted(tmp_path, send(signal.SIGINT, step(1, 2)))
    best, last = load_file(run.folder.best_weights), load_file(run.folder.last_weights)
    assert all(torch.equal(best[name], last[name]) for name in best)
    assert int(best["batchnorm1.num_batches_tracked"]) == 2
    assert run.record.results["best_epoch"] == 0
    assert run.record.reason == "stopped by the user after 0 whole epochs"


def test_before_the_first_step(tmp_path: Path) -> None:
    run, _ = interrupted(tmp_path, send(signal.SIGINT, lambda event: isinstance(event, Started)))
    assert run.record.results["steps_done"] == 1


def test_in_the_last_step_of_an_epoch_nothing_is_validated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_validate", None)
    run, _ = interrupted(tmp_path, send(signal.SIGINT, step(1, 3)))
    assert int(load_file(run.folder.last_weights)["batchnorm1.num_batches_tracked"]) == 3


def test_a_validation_is_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = job.network_outputs

    def long_validation(*arguments: Any) -> torch.Tensor:
        signal.raise_signal(signal.SIGTERM)
        return outputs(*arguments)

    monkeypatch.setattr(job, "network_outputs", long_validation)
    run, _ = interrupted(tmp_path, lambda event: None)
    assert run.record.results["steps_done"] == 3
    assert int(load_file(run.folder.last_weights)["batchnorm1.num_batches_tracked"]) == 3


def test_the_final_evaluation_is_cut_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate = running.evaluate_outputs
    done: list[str] = []

    def long_evaluation(outputs: Any, split: Any, name: str, *rest: Any) -> Any:
        if name == "test":
            signal.raise_signal(signal.SIGINT)
        done.append(name)
        return evaluate(outputs, split, name, *rest)

    monkeypatch.setattr(running, "evaluate_outputs", long_evaluation)
    run, _ = interrupted(tmp_path, lambda event: None, epochs=2)
    assert done == ["val"]
    assert run.record.results["epochs_done"] == 2
    assert run.folder.evaluated_splits() == ("val",)
    assert run.record.results["val_loss"] == run.folder.evaluation("val").loss


def test_a_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    run, error = interrupted(tmp_path, send(signal.SIGINT, step(2, 2), times=2))
    assert error.exit_code == 130
    assert run.record.status == "interrupted"
    assert run.record.reason == "stopped at once by the user"
    # What the last whole epoch left is there, and what is known is written.
    assert int(load_file(run.folder.last_weights)["batchnorm1.num_batches_tracked"]) == 3
    assert run.record.results["best_epoch"] == 1


def test_more_ctrl_c_do_not_disturb_the_saving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end = Recorder.end

    def impatient(self: Recorder, *arguments: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        end(self, *arguments)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Recorder, "end", impatient)
    run, _ = interrupted(tmp_path, send(signal.SIGINT, step(1, 2), times=2))
    assert run.record.status == "interrupted"


def test_a_second_ctrl_c_while_a_failure_is_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end = Recorder.end
    calls: list[str] = []

    def disturbed(self: Recorder, status: Any, reason: str) -> None:
        calls.append(status)
        if len(calls) == 1:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        end(self, status, reason)

    def fail(event: Event) -> None:
        if isinstance(event, StepDone):
            raise ValueError("a fault of the listener")

    monkeypatch.setattr(Recorder, "end", disturbed)
    with pytest.raises(KeyboardInterrupt):
        quick_run(tmp_path, listen=fail)
    assert calls == ["failed", "interrupted"]
    assert open_trained("latest", root=tmp_path).record.status == "interrupted"


def test_a_signal_that_comes_too_late_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end = Recorder.end

    def late(self: Recorder, *arguments: Any) -> None:
        end(self, *arguments)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Recorder, "end", late)
    with pytest.raises(KeyboardInterrupt):
        quick_run(tmp_path)
    assert open_trained("latest", root=tmp_path).record.status == "done"


def test_who_ignores_signals_goes_on_ignoring_them(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        run = quick_run(tmp_path, listen=send(signal.SIGINT, step(1, 1), times=3))
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert run.record.status == "done"


def test_a_listener_may_interrupt_by_itself(tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, EpochDone):
            raise KeyboardInterrupt

    run, _ = interrupted(tmp_path, stop)
    assert run.record.status == "interrupted"
    assert run.record.results["epochs_done"] == 1


def test_signals_are_left_alone_outside_the_main_thread() -> None:
    seen: list[Any] = []

    def work() -> None:
        with Interruption():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


FILES = ("trainer", "running", "recording", "keeper", "checkpointing", "state", "interruption", "loop")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a file left to be closed by Python
def test_two_ctrl_c_at_any_line_of_ours_never_leave_a_run_running(tmp_path: Path) -> None:
    """The signals are raised between two lines of the code that saves; every 11th is tried; the run goes on."""
    ours = tuple(f"{name}.py" for name in FILES)
    home = os.path.dirname(trainer.__file__)
    files = {os.path.join(home, name) for name in ours}

    def attempt(place: int) -> int:
        """Train with two Ctrl-C at that line; how many lines were run."""
        lines = 0

        def trace(frame: FrameType, event: str, argument: object) -> Any:
            nonlocal lines
            if frame.f_code.co_filename not in files:
                return None
            if event == "line":
                lines += 1
                if lines == place:
                    signal.raise_signal(signal.SIGINT)
                    signal.raise_signal(signal.SIGINT)
            return trace

        root = tmp_path / str(place)
        sys.settrace(trace)
        try:
            quick_run(root, make_dataset(train=16, val=4, test=4), "flatten > dense classes", epochs=1, batch=8)
        except (InterruptedRun, KeyboardInterrupt):
            pass
        else:
            assert place > lines
        finally:
            sys.settrace(None)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, f"at line {place}"
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, f"at line {place}"
        for path in root.glob("*/run.json"):
            if not path.parent.is_symlink():
                status = json.loads(path.read_text())["status"]
                assert status != "running", f"at line {place}"
                if status != "done" and (path.parent / "data.json").exists():
                    run = resume(path.parent, make_dataset(train=16, val=4, test=4))
                    assert run.folder.last_weights.read_bytes() == whole, f"at line {place}"
        return lines

    total = attempt(10**9)
    whole = next((tmp_path / str(10**9)).glob("*-1/weights/last.safetensors")).read_bytes()
    assert total > 100
    for place in range(1, total, 11):
        attempt(place)


SCRIPT = """
import sys
from striate.errors import InterruptedRun
from striate.training import make_recipe, train
from striate.training.events import StepDone

def listen(event):
    if isinstance(event, StepDone) and event.epoch == 2:
        print("ready", flush=True)

data, runs = sys.argv[1:]
recipe = make_recipe({"epochs": 100000, "threads": 1})
try:
    train("flatten > dense classes", data, recipe, runs=runs, listen=listen)
except InterruptedRun as error:
    raise SystemExit(error.exit_code)
"""


def test_a_process_that_is_told_to_end_saves_and_exits_with_143(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(save_npz(tmp_path / "data.npz")), str(tmp_path / "runs")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 143, errors
    run = open_trained("latest", root=tmp_path / "runs")
    assert run.record.status == "interrupted"
    assert run.record.results["epochs_done"] >= 1  # type: ignore[operator]
