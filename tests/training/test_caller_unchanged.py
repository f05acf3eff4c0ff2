"""Training, evaluating and predicting leave no trace in what belongs to the caller."""

from __future__ import annotations

import copy
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from striate.sources import load
from striate.training import make_recipe, open_trained, train
from striate.training.measuring import evaluate_run
from training.samples import NET, make_dataset, quick_run, save_npz


def state() -> dict[str, Any]:
    """Everything global that could be touched."""
    return {
        "torch": torch.get_rng_state().tolist(),
        "numpy": str(np.random.get_state()),
        "python": random.getstate(),
        "threads": torch.get_num_threads(),
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "interrupt": signal.getsignal(signal.SIGINT),
        "terminate": signal.getsignal(signal.SIGTERM),
        "live threads": threading.active_count(),
    }


@contextmanager
def unchanged() -> Iterator[None]:
    before = state()
    yield
    assert state() == before


def test_training_leaves_no_trace(tmp_path: Path) -> None:
    torch.rand(3)
    with unchanged():
        quick_run(tmp_path, threads=2)


def test_training_that_fails_leaves_no_trace(tmp_path: Path) -> None:
    def fail(event: object) -> None:
        raise ValueError("a listener's own fault")

    with unchanged(), pytest.raises(ValueError, match="own fault"):
        quick_run(tmp_path, listen=fail, threads=2)


def test_the_caller_s_handlers_are_put_back(tmp_path: Path) -> None:
    def handler(number: int, frame: object) -> None: ...

    before = signal.signal(signal.SIGTERM, handler)
    try:
        with unchanged():
            quick_run(tmp_path)
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)


def test_evaluating_and_predicting_leave_no_trace(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "data.npz")
    run = quick_run(tmp_path, path)
    picture = tmp_path / "one.png"
    Image.fromarray(np.zeros((6, 6), np.uint8)).save(picture)
    opened = open_trained(run.folder.path)
    before = copy.deepcopy(opened.module.state_dict())
    with unchanged():
        evaluate_run(opened)
        opened.predict([picture, tmp_path / "missing.png"])
    after = opened.module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not opened.module.training


def test_the_caller_s_settings_do_not_change_what_a_run_says(tmp_path: Path) -> None:
    run = quick_run(tmp_path, class_weights="balanced")
    assert run.dataset is not None
    test = run.dataset.splits["test"]
    opened, plain = open_trained(run.folder.path), run.folder.evaluation("test")
    for setting in (torch.autocast("cpu", torch.bfloat16), torch.device("meta"), torch.no_grad(), torch.enable_grad()):
        with setting:
            assert opened.evaluate(test, "test") == plain
            assert not opened.outputs(test.images).requires_grad


@pytest.mark.parametrize("writable", [True, False])
def test_the_given_objects_are_the_same_afterwards(tmp_path: Path, writable: bool) -> None:
    dataset = make_dataset(shape=(3, 6, 6))
    graph = load(NET, input=(3, 6, 6), classes=3)
    options = {"epochs": 1, "threads": 1, "flip": "both", "shift": 1, "rotate": 10.0, "crop": 0.8, "color": 0.2}
    recipe = make_recipe(options)
    arrays = [array for split in dataset.splits.values() for array in (split.images, split.labels)]
    for array in arrays:
        array.setflags(write=writable)
    before = [array.copy() for array in arrays], copy.deepcopy(graph), recipe.model_copy(deep=True), dataset.card
    run = train(graph, dataset, recipe, runs=tmp_path)
    evaluate_run(run, split="train")
    assert all(np.array_equal(array, old) for array, old in zip(arrays, before[0], strict=True))
    assert [array.flags.writeable for array in arrays] == [writable] * 6
    assert (graph, recipe, dataset.card) == before[1:]
    assert recipe.model_fields_set == before[2].model_fields_set


def in_thread(work: Callable[[], None]) -> list[BaseException]:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return errors


def test_training_works_outside_the_main_thread(tmp_path: Path) -> None:
    with unchanged():
        assert in_thread(lambda: quick_run(tmp_path) and None) == []
