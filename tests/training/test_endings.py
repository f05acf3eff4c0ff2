"""How a training ends: epochs, time, patience; and which weights are the best."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from striate.training import bookkeeping, loop
from striate.training.bookkeeping import Best, Clock
from striate.training.events import EpochDone, Event, StepDone
from striate.training.plan import Plan
from training.samples import make_dataset, quick_run

Scores = list[tuple[float, float | None]]


def fake_plan(epochs: int | None, seconds: float | None, steps: int = 4) -> Plan:
    return Plan(epochs, seconds, 8, steps, 0.1, 0.0, torch.contiguous_format, 1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """A clock that a test moves."""
    hand = types.SimpleNamespace(now=100.0)
    monkeypatch.setattr(bookkeeping, "time", types.SimpleNamespace(perf_counter=lambda: hand.now))
    return hand


@pytest.fixture
def validations(monkeypatch: pytest.MonkeyPatch) -> Scores:
    """What the validations of the next training find, in turn: (loss, accuracy)."""
    scores: Scores = []
    turn = iter(range(1000))
    monkeypatch.setattr(loop, "_validate", lambda job, epoch: scores[next(turn)])
    return scores


def best_epochs(scores: Scores) -> list[int]:
    best = Best(None)
    result = []
    for epoch, (loss, accuracy) in enumerate(scores, 1):
        best.update(epoch, loss, accuracy)
        result.append(best.epoch)
    return result


def test_the_best_epoch_has_the_highest_accuracy_and_is_the_later_of_equals() -> None:
    assert best_epochs([(1.0, 0.5), (0.9, 0.7), (0.1, 0.6), (2.0, 0.7), (0.0, 0.69)]) == [1, 2, 2, 4, 4]


def test_without_an_accuracy_the_lowest_loss_is_best() -> None:
    assert best_epochs([(1.0, None), (0.5, None), (0.7, None), (0.5, None), (0.4, None)]) == [1, 2, 2, 2, 5]


def test_without_validation_the_last_epoch_is_best() -> None:
    assert best_epochs([(None, None)] * 3) == [1, 2, 3]  # type: ignore[list-item]


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0, 1)), min_size=1, max_size=12), st.integers(1, 5))
def test_patience_counts_from_the_last_true_improvement(scores: Scores, patience: int) -> None:
    best = Best(patience)
    for epoch, (loss, accuracy) in enumerate(scores, 1):
        best.update(epoch, loss, accuracy)
        losses, accuracies = ([pair[i] for pair in scores[:epoch]] for i in (0, 1))
        # Where the highest accuracy and where the lowest loss were first seen, whichever is later.
        improved = max(accuracies.index(max(accuracies)), losses.index(min(losses))) + 1
        assert best.patience_is_over(epoch) == (epoch - improved >= patience)
        assert scores[best.epoch - 1][1] == max(accuracies)


def test_the_best_weights_are_those_of_the_best_epoch(tmp_path: Path, validations: Scores) -> None:
    validations += [(1.0, 0.5), (1.0, 0.9), (1.0, 0.6)]
    weights: list[dict[str, torch.Tensor]] = []

    def keep(event: Event) -> None:
        if isinstance(event, EpochDone):
            run = next(tmp_path.glob("*-1"))
            weights.append(load_file(run / "weights" / "last.safetensors"))

    run = quick_run(tmp_path, epochs=3, listen=keep)
    best, last = load_file(run.folder.best_weights), load_file(run.folder.last_weights)
    for name in best:
        assert torch.equal(best[name], weights[1][name])
        assert torch.equal(last[name], weights[2][name])
    assert run.record.results["best_epoch"] == 2
    rows = [row for row in run.folder.metrics().rows if row["kind"] == "epoch"]
    assert [row["best"] for row in rows] == [True, True, False]


def test_early_stopping(tmp_path: Path, validations: Scores) -> None:
    validations += [(1.0, 0.5), (0.9, 0.8), (0.95, 0.8), (0.9, 0.7), (0.91, 0.8), (0.1, 1.0)]
    run = quick_run(tmp_path, epochs=9, early_stopping=3)
    # Epoch 5 is 3 epochs after epoch 2, and neither accuracy nor loss was better since; 0.8 again is later, though.
    assert run.record.status == "stopped early"
    assert run.record.results["epochs_done"] == 5
    assert run.record.results["best_epoch"] == 5
    assert run.record.reason == "no better validation in 3 epochs; stopped after 5"
    rows = [row for row in run.folder.metrics().rows if row["kind"] == "epoch"]
    assert [row["best"] for row in rows] == [True, True, True, False, True]
    assert run.folder.best_weights.read_bytes() == run.folder.last_weights.read_bytes()


def test_a_lower_loss_renews_the_patience(tmp_path: Path, validations: Scores) -> None:
    validations += [(1.0, 1.0), (0.9, 1.0), (0.8, 0.9), (0.7, 0.9), (0.75, 0.9), (0.8, 0.9), (0.1, 1.0)]
    run = quick_run(tmp_path, epochs=9, early_stopping=2)
    assert run.record.results["epochs_done"] == 6
    assert run.record.results["best_epoch"] == 2


def test_the_last_epoch_is_done_and_not_stopped_early(tmp_path: Path, validations: Scores) -> None:
    validations += [(1.0, 0.5)] * 4
    assert quick_run(tmp_path, epochs=4, early_stopping=2).record.results["epochs_done"] == 3
    validations += [(1.0, 0.6), (1.0, 0.7), (1.0, 0.8), (1.0, 0.8)]
    assert quick_run(tmp_path, epochs=4, early_stopping=2).record.status == "done"


def test_without_validation_the_last_weights_are_the_best(tmp_path: Path) -> None:
    run = quick_run(tmp_path, make_dataset(val=0, test=0))
    assert run.folder.best_weights.read_bytes() == run.folder.last_weights.read_bytes()
    assert run.record.results["best_epoch"] == 2
    assert run.folder.evaluated_splits() == ()
    assert "val_loss" not in run.record.results


@pytest.mark.parametrize(
    ("epochs", "seconds", "steps", "now", "expected"),
    [
        (2, None, 4, 50.0, 0.5),
        (None, 10.0, 4, 2.5, 0.25),
        (2, 10.0, 4, 2.5, 0.5),
        (2, 10.0, 4, 7.5, 0.75),
        (2, 10.0, 4, 99.0, 1.0),
        (2, None, 0, 0.0, 0.0),
    ],
)
def test_progress_goes_by_steps_or_time_whichever_is_further(
    clock: types.SimpleNamespace, epochs: int | None, seconds: float | None, steps: int, now: float, expected: float
) -> None:
    watch = Clock(fake_plan(epochs, seconds))
    for _ in range(steps):
        watch.tick()
    clock.now += now
    assert watch.progress() == expected
    assert watch.expired == (seconds is not None and now >= seconds)


def test_the_time_left_is_estimated(clock: types.SimpleNamespace) -> None:
    watch = Clock(fake_plan(2, None))
    for _ in range(2):
        watch.tick()
    clock.now += 3.0
    assert watch.seconds_left() == 9.0  # 6 more steps of 1.5 s
    both = Clock(fake_plan(2, 4.0))
    both.tick()
    clock.now += 3.0
    assert both.seconds_left() == 1.0  # the budget ends before the steps do
    clock.now += 3.0
    assert both.seconds_left() == 0.0


def timed_run(tmp_path: Path, clock: types.SimpleNamespace, per_step: float, **options: Any) -> Any:
    def pass_time(event: Event) -> None:
        if isinstance(event, StepDone):
            clock.now += per_step

    return quick_run(tmp_path, batch=16, listen=pass_time, **options)


def test_the_time_budget_ends_the_training_in_the_middle_of_an_epoch(
    tmp_path: Path, clock: types.SimpleNamespace
) -> None:
    run = timed_run(tmp_path, clock, 1.0, time=5)
    assert run.record.status == "out of time"
    assert run.record.reason == "the time was up in epoch 2"
    results = run.record.results
    assert (results["steps_done"], results["epochs_done"]) == (5, 2)
    # What was begun is measured and saved.
    rows = run.folder.metrics().rows
    assert rows[-1]["kind"] == "epoch"
    assert rows[-1]["step"] == 5
    assert run.folder.evaluated_splits() == ("test", "val")


def test_the_schedule_ends_with_the_time(tmp_path: Path, clock: types.SimpleNamespace) -> None:
    run = timed_run(tmp_path, clock, 1.0, time=6, schedule="cosine", learning_rate=1.0)
    rates = [row["learning_rate"] for row in run.folder.metrics().rows if row["kind"] == "epoch"]
    # The third step begins 2 s, the sixth 5 s after the start.
    assert rates == pytest.approx([0.75, (1 - 0.75**0.5) / 2])


def test_epochs_end_a_training_that_has_time_left(tmp_path: Path, clock: types.SimpleNamespace) -> None:
    run = timed_run(tmp_path, clock, 1.0, time=1000, epochs=2)
    assert run.record.status == "done"
    assert run.record.results["seconds"] == 6.0


def test_one_step_is_taken_however_short_the_time(tmp_path: Path, clock: types.SimpleNamespace) -> None:
    run = timed_run(tmp_path, clock, 1.0, time=0.001)
    assert run.record.results["steps_done"] == 1


def test_the_speed_counts_training_alone(tmp_path: Path, clock: types.SimpleNamespace) -> None:
    told: list[EpochDone] = []

    def slow_validation(event: Event) -> None:
        if isinstance(event, StepDone):
            clock.now += 2.0
        if isinstance(event, EpochDone):
            told.append(event)
            clock.now += 1000.0

    run = quick_run(tmp_path, batch=16, listen=slow_validation)
    # The clock moves after a step is counted: 48 images in 4 s an epoch.
    assert [event.images_per_second for event in told] == [12.0, 12.0]
    assert run.record.results["images_per_second"] == 12.0
    assert run.record.results["seconds"] == 12.0 + 2000.0
