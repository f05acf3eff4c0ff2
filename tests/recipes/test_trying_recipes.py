"""The learning-rate range test and the ablation: against closed forms, planted effects, and what they leave alone."""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

import striate as st
from striate.errors import UsageError
from striate.training import make_recipe
from striate.training.ablation import Leaving, ablate, interval_of_mean
from striate.training.range_test import HIGHEST, LOWEST, SMOOTHING, find_learning_rate
from striate.training.tricks import tricks_of
from training.samples import make_dataset

NET = "conv 4 3 same > batchnorm > relu > globalavgpool > dense classes"
QUICK = {"threads": 1, "precision": "fp32", "layout": "contiguous"}


def test_the_rate_grows_by_one_factor_and_the_smoothing_is_as_said() -> None:
    before = torch.get_rng_state()
    found = find_learning_rate(NET, make_dataset(), make_recipe({**QUICK, "optimizer": "sgd"}), steps=60)
    assert torch.equal(torch.get_rng_state(), before)
    wanted = np.geomspace(LOWEST, HIGHEST, 60)[: len(found.rates)]
    np.testing.assert_allclose(found.rates, wanted, rtol=1e-9)
    weights = SMOOTHING ** np.arange(len(found.losses))
    for number in range(1, len(found.losses) + 1):
        mean = np.average(found.losses[:number][::-1], weights=weights[:number])
        assert found.smoothed[number - 1] == pytest.approx(mean)
    lowest = min(range(9, len(found.smoothed)), key=lambda place: found.smoothed[place])
    assert found.suggestion == pytest.approx(found.rates[lowest] / 10)


def test_on_a_quadratic_it_suggests_what_converges_and_breaks_where_it_must() -> None:
    # Plain gradient descent on a linear network diverges beyond 2 / the largest curvature; a tenth of the best is safe.
    dataset = make_dataset("values", train=64)
    options = {**QUICK, "optimizer": "sgd", "momentum": 0.0, "batch": 64, "init": "zero", "weight_decay": 0.0}
    found = find_learning_rate("flatten > dense classes", dataset, make_recipe(options), steps=200)
    x = (dataset.train.images / 255 - np.array(dataset.preprocessing.mean)) / np.array(dataset.preprocessing.std)
    flat = np.hstack([x.reshape(64, -1), np.ones((64, 1))])
    # The mean squared error over two values: its curvature is that of the mean over the images, once for each value.
    largest = float(np.linalg.eigvalsh(flat.T @ flat / 64).max())
    assert found.suggestion is not None
    assert found.suggestion < 2 / largest
    assert "broke down" in found.reason
    assert found.rates[-1] > 2 / largest


def test_where_nothing_can_be_learnt_nothing_is_suggested() -> None:
    # Of a network that is 0 everywhere only the last bias has a gradient, and the classes are equally many.
    found = find_learning_rate(
        "conv 4 3 > relu > flatten > dense classes",
        make_dataset(),
        make_recipe({**QUICK, "init": "zero", "batch": 48, "optimizer": "sgd"}),
        steps=30,
    )
    assert found.suggestion is None
    assert "nothing to suggest" in found.reason


def test_a_given_rate_and_too_few_steps_are_refused() -> None:
    with pytest.raises(UsageError, match="a learning rate has no effect where one is looked for"):
        find_learning_rate(NET, make_dataset(), make_recipe({"learning_rate": 0.1}))
    with pytest.raises(UsageError, match="too few steps"):
        find_learning_rate(NET, make_dataset(), steps=5)


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    st.find_learning_rate(NET, make_dataset(), threads=1)
    st.ablate(NET, make_dataset(), make_recipe({"label_smoothing": 0.1, "threads": 1}), seeds=2, epochs=0.4)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", [2, 3, 10, 31, 100])
def test_the_interval_is_students(count: int) -> None:
    values = list(np.random.default_rng(count).normal(0.3, 1.0, count))
    mean, low, high = interval_of_mean(values)
    error = statistics.stdev(values) / math.sqrt(count)
    expected = stats.t.interval(0.95, count - 1, loc=mean, scale=error)
    # From 31 degrees of freedom on the normal distribution stands in for it.
    np.testing.assert_allclose((low, high), expected, rtol=1e-3 if count <= 31 else 0.03, atol=1e-3)
    with pytest.raises(ValueError, match="two numbers"):
        interval_of_mean([1.0])


def test_equal_differences_are_still_counted_in_images() -> None:
    assert interval_of_mean([0.01, 0.01], least=0.02) == pytest.approx((0.01, -0.01, 0.03))


def test_the_tricks_of_a_recipe_and_how_they_are_left_out() -> None:
    recipe = st.training.read_recipe("fast-cifar")  # type: ignore[attr-defined]
    found = {trick.option: trick for trick in tricks_of(recipe)}
    assert set(found) == {
        *("whiten", "init", "bias_rate", "average", "label_smoothing", "optimizer", "schedule", "flip", "shift", "tta")
    }
    assert found["shift"].without == {"shift": 0, "shift_fill": None}
    assert found["optimizer"].without["learning_rate"] is None
    for trick in found.values():
        left = recipe.model_copy(update=trick.without)
        assert trick.option not in {other.option for other in tricks_of(left)}
    assert tricks_of(make_recipe({"epochs": 3, "batch": 5})) == ()
    mixed = {trick.option: trick.without for trick in tricks_of(make_recipe({"mixup": 0.2, "mix_share": 0.5}))}
    assert mixed["mixup"] == {"mixup": 0.0, "mix_share": None}


def test_a_planted_hindrance_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    # With weights held near 0 the network cannot learn the bright rows at all; smoothing changes little.
    recipe = make_recipe({**QUICK, "epochs": 6, "max_norm": 1e-4, "label_smoothing": 0.01, "learning_rate": 0.02})
    notes: list[Any] = []
    found = ablate(
        "conv 4 3 same > relu > flatten > dense classes", make_dataset(val=60), recipe, seeds=3, listen=notes.append
    )
    verdicts = {entry.trick: entry.verdict for entry in found.tricks}
    assert verdicts["max_norm: 0.0001"] == "hurts"
    assert verdicts["label_smoothing: 0.01"] == "no difference seen"
    assert [entry.gain for entry in found.tricks] == sorted((entry.gain for entry in found.tricks), reverse=True)
    assert len(notes) == 9
    assert notes[1].text == "seed 0: without label_smoothing: 0.01 (2 of 3)"
    # Each number is that of the training itself.
    run_scores = found.whole
    assert len(run_scores) == 3
    assert all(0 <= score <= 1 for score in run_scores)


def test_the_verdict_is_on_which_side_of_zero_the_interval_lies() -> None:
    def verdict(low: float, high: float) -> str:
        return Leaving("x", (), 0.0, low, high, 0.0).verdict

    assert (verdict(0.1, 0.2), verdict(-0.2, -0.1), verdict(-0.1, 0.1)) == ("pays", "hurts", "no difference seen")


def test_the_time_ends_it_after_two_seeds() -> None:
    recipe = make_recipe({**QUICK, "epochs": 0.4, "label_smoothing": 0.1})
    found = ablate(NET, make_dataset(), recipe, seeds=9, seconds=1e-9)
    assert found.stopped
    assert found.seeds == (0, 1)


@pytest.mark.parametrize(
    ("options", "data", "seeds", "words"),
    [
        ({}, make_dataset(), 3, "this recipe has no tricks"),
        ({"label_smoothing": 0.1}, make_dataset(), 1, "one seed says nothing"),
        ({"label_smoothing": 0.1, "time": 3}, make_dataset(), 2, "with a time budget"),
        ({"label_smoothing": 0.1}, make_dataset(val=0), 2, "there are none"),
        ({"flip": "horizontal"}, make_dataset("values"), 2, "there are none"),
    ],
)
def test_what_cannot_be_compared_is_refused(options: dict[str, Any], data: Any, seeds: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        ablate(NET, data, make_recipe(options), seeds=seeds)
