"""When checkpoints are written, and what they cost."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from striate.training import checkpointing
from striate.training.checkpointing import Checkpointer
from striate.training.events import EpochDone, Event, StepDone
from training.samples import make_dataset, quick_run


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    hand = types.SimpleNamespace(now=100.0)
    monkeypatch.setattr(checkpointing, "time", types.SimpleNamespace(perf_counter=lambda: hand.now))
    return hand


def written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: types.SimpleNamespace, cost: float, **options: Any
) -> list[tuple[int, int]]:
    """(epochs, steps of the next one) of each checkpoint, where a step takes a second and a checkpoint ``cost``."""
    places: list[tuple[int, int]] = []
    save = Checkpointer.save

    def costly(self: Checkpointer, meter: Any, rows: int) -> None:
        versions = checkpointing.versions

        def slow() -> dict[str, str]:
            clock.now += cost
            return versions()

        with monkeypatch.context() as patch:
            patch.setattr(checkpointing, "versions", slow)
            save(self, meter, rows)
        places.append((self._history.epochs, meter.steps))

    def pass_time(event: Event) -> None:
        if isinstance(event, StepDone):
            clock.now += 1.0

    monkeypatch.setattr(Checkpointer, "save", costly)
    from striate.training import make_recipe, train
    from training.samples import NET

    recipe = make_recipe({"epochs": 3, "batch": 12, "threads": 1})
    run = train(NET, make_dataset(train=240), recipe, runs=tmp_path, listen=pass_time, **options)
    assert run.record.results["checkpoint_seconds"] == pytest.approx(cost * len(places))
    return places


def test_at_the_beginning_and_at_the_end_of_each_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: types.SimpleNamespace
) -> None:
    assert written(tmp_path, monkeypatch, clock, 0.1) == [(0, 0), (1, 0), (2, 0), (3, 0)]


def test_every_so_often_inside_an_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: types.SimpleNamespace
) -> None:
    places = written(tmp_path, monkeypatch, clock, 0.0, checkpoint_every=8.0)
    assert places == [(0, 0), (0, 8), (0, 16), (1, 0), (1, 8), (1, 16), (2, 0), (2, 8), (2, 16), (3, 0)]


def test_the_usual_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: types.SimpleNamespace) -> None:
    monkeypatch.setattr(checkpointing, "EVERY", 15.0)
    assert written(tmp_path, monkeypatch, clock, 0.0)[:4] == [(0, 0), (0, 15), (1, 0), (1, 15)]


def test_costly_checkpoints_wait_until_they_take_a_twentieth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: types.SimpleNamespace
) -> None:
    monkeypatch.setattr(checkpointing, "EVERY", 5.0)
    # After 1.5 s of writing, 28.5 s of training: the end of the first epoch, after 20 s, is too early.
    places = written(tmp_path, monkeypatch, clock, 1.5)
    assert places == [(0, 0), (1, 9), (2, 18), (3, 0)]


def test_what_was_asked_for_is_done_whatever_it_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: types.SimpleNamespace
) -> None:
    places = written(tmp_path, monkeypatch, clock, 1.5, checkpoint_every=8.0)
    assert [place for place in places if place[1]][:3] == [(0, 8), (0, 16), (1, 4)]


def test_the_train_loss_is_a_mean_by_the_weights_of_the_classes(tmp_path: Path) -> None:
    """Against torch's own cross-entropy over the whole epoch; nothing is learnt, so that the network is one."""
    done: list[EpochDone] = []
    dataset, weights = make_dataset(train=46), {"cat": 5.0, "dog": 0.25}

    def listen(event: Event) -> None:
        if isinstance(event, EpochDone):
            done.append(event)

    run = quick_run(
        tmp_path,
        dataset,
        "flatten > dense classes",
        batch=10,
        epochs=1,
        learning_rate=1e-30,
        class_weights=weights,
        listen=listen,
    )
    outputs = run.outputs(dataset.train.images)
    expected = F.cross_entropy(outputs, torch.from_numpy(dataset.train.labels), torch.tensor([5.0, 0.25, 1.0]))
    assert done[0].train_loss == pytest.approx(float(expected), rel=1e-6)


def test_the_probe_counts_as_training_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from striate.training import bookkeeping, trainer
    from striate.training.probe import Decision, Question
    from striate.training.usual_setting import default_setting

    hand = types.SimpleNamespace(now=0.0)
    monkeypatch.setattr(bookkeeping, "time", types.SimpleNamespace(perf_counter=lambda: hand.now))

    def slow_probe(question: Question, listen: Any) -> Decision:
        hand.now += 7.0
        return Decision(default_setting(question.recipe, question.plan, question.graph), "test")

    def pass_time(event: Event) -> None:
        if isinstance(event, StepDone):
            hand.now += 1.0

    monkeypatch.setattr(trainer, "decide", slow_probe)
    run = quick_run(tmp_path, time=10, batch=16, listen=pass_time)
    assert run.record.results["steps_done"] == 3
    assert run.record.results["seconds"] == 10.0
