"""A loss or weight that is not finite stops the training, is named, and never reaches the disk."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from striate.backend import build_module
from striate.errors import DivergedError
from striate.training import TrainedRun, loop, open_trained, running
from striate.training.events import EpochDone, Event, StepDone
from training.samples import make_dataset, quick_run


def diverged(tmp_path: Path, listen: Callable[[Event], None], **options: Any) -> tuple[TrainedRun, DivergedError]:
    with pytest.raises(DivergedError) as raised:
        quick_run(tmp_path, listen=listen, batch=16, **options)
    assert raised.value.exit_code == 4
    run = open_trained("latest", root=tmp_path)
    assert run.record.status == "diverged"
    assert raised.value.where is not None
    assert raised.value.where in str(run.record.reason)
    for path in run.folder.weights.iterdir():
        assert all(tensor.isfinite().all() for tensor in load_file(path).values())
    return run, raised.value


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> list[torch.nn.Module]:
    """The module of the next training."""
    caught: list[torch.nn.Module] = []

    def catch(*arguments: Any, **options: Any) -> torch.nn.Module:
        caught.append(build_module(*arguments, **options))
        return caught[-1]

    monkeypatch.setattr(running, "build_module", catch)
    return caught


def plant(module: list[torch.nn.Module], epoch: int, step: int, name: str, value: float) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        if isinstance(event, StepDone) and (event.epoch, event.step) == (epoch, step):
            module[0].state_dict()[name].view(-1)[0] = value

    return listen


def test_a_learning_rate_that_is_far_too_large(tmp_path: Path) -> None:
    run, error = diverged(tmp_path, lambda event: None, optimizer="sgd", learning_rate=1e30, schedule="constant")
    assert error.where == "epoch 1, step 2"
    assert "the loss is" in str(error)
    assert "got:   peak learning rate 1e+30" in str(error)
    assert "write: --learning-rate 1e+29 --clip 1" in str(error)
    # No epoch was good, so the weights are the first ones.
    first = build_module(run.graph, seed=0).state_dict()
    saved = load_file(run.folder.best_weights)
    assert all(torch.equal(first[name], saved[name]) for name in saved)
    assert run.record.results["epochs_done"] == 0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_weight_that_is_not_finite_in_a_later_epoch(
    tmp_path: Path, module: list[torch.nn.Module], value: float
) -> None:
    run, error = diverged(tmp_path, plant(module, 2, 1, "dense1.weight", value), epochs=4)
    assert error.where == "epoch 2, step 2"
    assert error.problem == "training diverged: the loss is nan"
    # The weights of the last good epoch stay, and the metrics tell where it happened.
    saved = load_file(run.folder.last_weights)
    assert int(saved["batchnorm1.num_batches_tracked"]) == 3
    assert run.record.results["best_epoch"] == 1
    rows = run.folder.metrics().rows
    assert (rows[-1]["epoch"], rows[-1]["step"], rows[-1]["loss"]) == (2, 5, None)
    assert [row["kind"] for row in rows] == ["step", "epoch", "step"]


@pytest.mark.parametrize("name", ["conv1.bias", "batchnorm1.running_var", "dense1.weight"])
def test_after_the_last_step_the_tensor_is_named(tmp_path: Path, module: list[torch.nn.Module], name: str) -> None:
    run, error = diverged(tmp_path, plant(module, 2, 3, name, math.inf), epochs=4)
    assert error.problem == f"training diverged: {name} holds a number that is not finite"
    assert error.where == "epoch 2, step 3"
    assert int(load_file(run.folder.last_weights)["batchnorm1.num_batches_tracked"]) == 3


def test_a_validation_loss_that_is_not_finite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measure = loop.loss_and_accuracy
    values = iter([None, math.nan])

    def sick(*arguments: Any) -> tuple[float, float | None]:
        loss, accuracy = measure(*arguments)
        bad = next(values)
        return (loss if bad is None else bad), accuracy

    monkeypatch.setattr(loop, "loss_and_accuracy", sick)
    run, error = diverged(tmp_path, lambda event: None, epochs=4)
    assert error.problem == "training diverged: the validation loss is nan"
    assert error.where == "epoch 2"
    assert int(load_file(run.folder.last_weights)["batchnorm1.num_batches_tracked"]) == 3


def test_the_best_epoch_before_it_stays_the_best(tmp_path: Path, module: list[torch.nn.Module]) -> None:
    done: list[EpochDone] = []

    def listen(event: Event) -> None:
        plant(module, 3, 2, "conv1.weight", math.nan)(event)
        if isinstance(event, EpochDone):
            done.append(event)

    run, _ = diverged(tmp_path, listen, epochs=4)
    best = max(event.epoch for event in done if event.best)
    assert run.record.results["best_epoch"] == best
    assert int(load_file(run.folder.best_weights)["batchnorm1.num_batches_tracked"]) == 3 * best
    assert run.evaluate(make_dataset().train, "train").count == 48
