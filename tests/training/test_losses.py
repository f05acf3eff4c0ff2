"""Losses against closed forms, NumPy and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.utils.class_weight import compute_class_weight

from striate.errors import UsageError
from striate.training.losses import LOSS_OF_TASK, make_loss
from striate.training.recipe import make_recipe

CLASSES = ("a", "b", "c")
COUNTS = {"a": 7, "b": 2, "c": 1}


def loss_of(task: str, outputs: object, labels: object, **options: object) -> float:
    _, loss = make_loss(make_recipe(options), task, CLASSES, COUNTS)
    return float(loss(torch.tensor(outputs, dtype=torch.float32), torch.tensor(labels)))


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(20, 3)) * 3
LABELS = RANDOM.integers(0, 3, 20)
TAGS = RANDOM.integers(0, 2, (20, 3))
VALUES = RANDOM.normal(size=(20, 3))


def test_the_loss_follows_the_task() -> None:
    for task, name in LOSS_OF_TASK.items():
        assert make_loss(make_recipe({}), task, CLASSES, COUNTS)[0] == name


def test_equal_logits_cost_the_logarithm_of_the_number_of_classes() -> None:
    assert loss_of("classes", [[0.0, 0.0, 0.0]], [1]) == pytest.approx(math.log(3))


def test_cross_entropy_is_scikit_learn_s_log_loss() -> None:
    expected = log_loss(LABELS, softmax(LOGITS), labels=[0, 1, 2])
    assert loss_of("classes", LOGITS, LABELS) == pytest.approx(expected, rel=1e-5)


@given(st.floats(0.0, 0.9))
def test_label_smoothing_spreads_its_share_over_all_classes(share: float) -> None:
    targets = np.eye(3)[LABELS] * (1 - share) + share / 3
    expected = -(targets * np.log(softmax(LOGITS))).sum(axis=1).mean()
    assert loss_of("classes", LOGITS, LABELS, label_smoothing=share) == pytest.approx(expected, rel=1e-4)


def test_balanced_weights_are_scikit_learn_s() -> None:
    truth = np.repeat([0, 1, 2], [7, 2, 1])
    weights = compute_class_weight("balanced", classes=np.array([0, 1, 2]), y=truth)
    costs = -np.log(softmax(LOGITS))[np.arange(20), LABELS]
    expected = (weights[LABELS] * costs).sum() / weights[LABELS].sum()
    assert loss_of("classes", LOGITS, LABELS, class_weights="balanced") == pytest.approx(expected, rel=1e-5)


def test_a_class_left_out_of_the_weights_weighs_1() -> None:
    weights = np.array([1.0, 3.0, 1.0])
    costs = -np.log(softmax(LOGITS))[np.arange(20), LABELS]
    expected = (weights[LABELS] * costs).sum() / weights[LABELS].sum()
    assert loss_of("classes", LOGITS, LABELS, class_weights={"b": 3}) == pytest.approx(expected, rel=1e-5)


def test_tags_cost_binary_cross_entropy() -> None:
    probability = 1 / (1 + np.exp(-LOGITS))
    expected = -(TAGS * np.log(probability) + (1 - TAGS) * np.log(1 - probability)).mean()
    assert loss_of("tags", LOGITS, TAGS) == pytest.approx(expected, rel=1e-5)


def test_values_cost_the_mean_squared_error() -> None:
    assert loss_of("values", LOGITS, VALUES) == pytest.approx(mean_squared_error(VALUES, LOGITS), rel=1e-5)


def test_classes_as_one_1_among_0s() -> None:
    one_hot = np.eye(3)[LABELS]
    assert loss_of("classes", LOGITS, LABELS, loss="mse") == pytest.approx(
        mean_squared_error(one_hot, LOGITS), rel=1e-5
    )
    probability = 1 / (1 + np.exp(-LOGITS))
    expected = -(one_hot * np.log(probability) + (1 - one_hot) * np.log(1 - probability)).mean()
    assert loss_of("classes", LOGITS, LABELS, loss="binary-cross-entropy") == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("task", "options", "words"),
    [
        ("tags", {"loss": "cross-entropy"}, ["these images have tags", "write: loss: binary-cross-entropy"]),
        ("values", {"loss": "cross-entropy"}, ["these images have values", "write: loss: mse"]),
        ("values", {"loss": "binary-cross-entropy"}, ["labels of 0 and 1", "write: loss: mse"]),
        ("tags", {"label_smoothing": 0.1}, ["label_smoothing has no effect on binary-cross-entropy"]),
        ("values", {"class_weights": "balanced"}, ["class_weights has no effect on mse"]),
        ("classes", {"loss": "mse", "label_smoothing": 0.1}, ["label_smoothing has no effect on mse"]),
        ("classes", {"class_weights": {"bb": 2}}, ["there is no such class", "got:   bb: 2", "write: b"]),
    ],
)
def test_a_loss_that_does_not_fit_is_refused(task: str, options: dict[str, object], words: list[str]) -> None:
    with pytest.raises(UsageError) as raised:
        make_loss(make_recipe(options), task, CLASSES, COUNTS)
    for word in words:
        assert word in str(raised.value)
