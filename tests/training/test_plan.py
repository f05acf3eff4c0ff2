"""What a recipe leaves open is answered; what has no effect is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from striate.data import Dataset
from striate.data import pool as pool_module
from striate.errors import UsageError
from striate.sources import load
from striate.training import make_recipe
from striate.training.plan import Plan, batch_bounds, make_plan
from striate.training.processors import default_threads
from training.samples import NET, make_dataset, quick_run


def plan(dataset: Dataset | None = None, net: str = NET, **options: object) -> Plan:
    dataset = dataset or make_dataset()
    graph = load(net, input=dataset.shape, classes=len(dataset.classes))
    return make_plan(make_recipe(options), graph, dataset)


@given(st.integers(1, 500), st.integers(1, 300))
def test_batches_divide_the_images_and_leave_none_alone(count: int, batch: int) -> None:
    bounds = batch_bounds(count, batch)
    assert [index for start, end in bounds for index in range(start, end)] == list(range(count))
    sizes = [end - start for start, end in bounds]
    assert all(size == batch for size in sizes[:-1])
    assert sizes[-1] <= batch + 1
    if batch == 1:
        assert set(sizes) == {1}
    elif count > 1:
        assert min(sizes) > 1


def test_the_plan_says_what_was_asked() -> None:
    made = plan(
        epochs=3,
        batch=16,
        learning_rate=0.5,
        weight_decay=0.25,
        threads=3,
        layout="contiguous",
        time="90s",
        device="cpu",
    )
    assert made.as_dict() == {
        "epochs": 3,
        "seconds": 90.0,
        "batch": 16,
        "steps_per_epoch": 3,
        "learning_rate": 0.5,
        "weight_decay": 0.25,
        "layout": "contiguous",
        "threads": 3,
        "device": "cpu",
    }
    assert made.layout == torch.contiguous_format


def test_only_the_time_ends_a_training_with_a_time_budget() -> None:
    assert plan(time=5).epochs is None
    assert plan(time=5, epochs=2).epochs == 2
    assert plan().epochs is not None


def test_a_batch_larger_than_the_data_is_told_and_cut(tmp_path: Path) -> None:
    notes: list[object] = []
    run = quick_run(tmp_path, batch=500, epochs=1, listen=notes.append)
    assert run.record.resolved["batch"] == 48
    assert any("a batch of 500 was asked for; there are 48 training images" in str(note) for note in notes)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"momentum": 0.9}, "momentum has no effect on adamw"),
        ({"momentum": 0.9, "optimizer": "adam"}, "momentum has no effect on adam"),
        ({"warmup": 0.1, "schedule": "cosine"}, "warmup has no effect on the schedule cosine"),
        ({"warmup": 0.1, "schedule": "constant"}, "warmup has no effect on the schedule constant"),
        ({"shift": 6}, "the shift is as large as the image"),
        ({"early_stopping": 4, "epochs": 5}, "early stopping can have no effect within 5 epochs"),
        ({"early_stopping": 1, "epochs": 1}, "early stopping can have no effect within 1 epochs"),
    ],
)
def test_an_option_without_effect_is_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError) as raised:
        plan(**options)
    assert words in str(raised.value)
    assert raised.value.where == next(iter(options))


def test_options_with_effect_are_not_refused() -> None:
    plan(momentum=0.5, optimizer="sgd")
    plan(warmup=0.1)
    plan(shift=5)
    plan(early_stopping=3, epochs=5)
    plan(early_stopping=100, time=5)


def test_early_stopping_needs_validation() -> None:
    with pytest.raises(UsageError, match="early stopping needs validation images") as raised:
        plan(make_dataset(val=0), early_stopping=1)
    assert "write: val: 0.1" in str(raised.value)


def test_a_batch_of_one_is_refused_where_it_has_no_variance() -> None:
    with pytest.raises(UsageError) as raised:
        plan(net="flatten > dense 4 > batchnorm > dense classes", batch=1)
    assert "the batch normalisation 'batchnorm1' needs two images or more" in str(raised.value)
    assert "write: batch: 2" in str(raised.value)
    plan(batch=1)  # a map of several positions has one
    plan(net="flatten > dense classes", batch=1)


def test_options_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    for options in (
        {"momentum": 0.9},
        {"class_weights": {"cow": 2}},
        {"shift": 10},
        {"loss": "mse", "label_smoothing": 0.1},
    ):
        with pytest.raises(UsageError):
            quick_run(tmp_path / "runs", **options)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("quota", "set_to", "expected"),
    [
        ("max 100000\n", 5, 5),
        ("200000 100000\n", 5, 2),
        ("150000 100000\n", 5, 2),
        ("10000 100000\n", 5, 1),
        ("x", 5, 5),
    ],
)
def test_threads_follow_torch_and_the_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, set_to: int, expected: int
) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    monkeypatch.setattr(pool_module, "_QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(torch, "get_num_threads", lambda: set_to)
    assert default_threads() == expected
    monkeypatch.setattr(pool_module, "_QUOTA", tmp_path / "missing")
    assert default_threads() == set_to


@pytest.mark.parametrize(("scale", "said"), [(1.0, 0), (100_000.0, 1)])
def test_values_far_from_the_scale_of_a_network_are_told(scale: float, said: int) -> None:
    dataset = make_dataset("values")
    far = replace(dataset, train=replace(dataset.train, labels=dataset.train.labels * scale + scale - 1))
    graph = load("flatten > dense classes", input=dataset.shape, classes=len(dataset.classes))
    notes = [note for note in make_plan(make_recipe({}), graph, far).notes if "far from the scale" in note]
    assert len(notes) == said * len(dataset.classes)
