"""The numbers of an evaluation against scikit-learn."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    mean_absolute_error,
    precision_recall_fscore_support,
    root_mean_squared_error,
)

from striate.data import Split
from striate.graph import network
from striate.runs import Evaluation
from striate.runs.interval import wilson_interval
from striate.training.evaluation import (
    evaluate_outputs,
    images_at_once,
    loss_and_accuracy,
    network_outputs,
    to_probabilities,
)
from striate.training.inputs import memory_layout
from striate.training.losses import make_loss
from striate.training.recipe import make_recipe
from training.samples import make_dataset

NAMES = ("a", "b", "c", "d")


def split_of(labels: np.ndarray) -> Split:
    return Split(np.zeros((len(labels), 1, 2, 2), np.uint8), labels, tuple(map(str, range(len(labels)))))


def evaluate(outputs: np.ndarray, labels: np.ndarray, task: str) -> Evaluation:
    names = NAMES[: outputs.shape[1]]
    _, loss = make_loss(make_recipe({}), task, names, {})
    tensor = torch.from_numpy(outputs.astype(np.float32))
    result = evaluate_outputs(tensor, split_of(labels), "test", task, names, loss)  # type: ignore[arg-type]
    quick = loss_and_accuracy(tensor, split_of(labels), task, loss)  # type: ignore[arg-type]
    assert quick == (result.loss, result.accuracy)
    return result


def assert_scores(result: Evaluation, truth: np.ndarray, predicted: np.ndarray, labels: list[int] | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=np.nan)
    for score, precision, recall, f1, count in zip(result.per_class, *rows, strict=True):
        for ours, theirs in ((score.precision, precision), (score.recall, recall), (score.f1, f1)):
            assert ours is None if np.isnan(theirs) else ours == pytest.approx(theirs)
        assert score.count == count


@given(st.integers(1, 40), st.integers(2, 4), st.integers(0, 10_000))
def test_classes(count: int, classes: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    outputs, labels = random.normal(size=(count, classes)), random.integers(0, classes, count)
    result = evaluate(outputs, labels, "classes")
    predicted = outputs.astype(np.float32).argmax(axis=1)
    known = list(range(classes))
    assert result.accuracy == accuracy_score(labels, predicted)
    assert result.confusion == tuple(map(tuple, confusion_matrix(labels, predicted, labels=known).tolist()))
    assert result.interval == wilson_interval(int((predicted == labels).sum()), count)
    assert_scores(result, labels, predicted, known)
    assert [score.name for score in result.per_class] == list(NAMES[:classes])
    assert (result.count, result.rmse, result.mae) == (count, None, None)


@given(st.integers(1, 40), st.integers(1, 4), st.integers(0, 10_000))
def test_tags(count: int, tags: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    outputs = random.normal(size=(count, tags))
    labels = random.integers(0, 2, (count, tags)).astype(np.uint8)
    result = evaluate(outputs, labels, "tags")
    said = (outputs > 0).astype(int)
    assert result.accuracy == accuracy_score(labels.tolist(), said.tolist()) if tags > 1 else True
    assert result.accuracy == (said == labels).all(axis=1).mean()
    assert result.confusion is None
    if tags > 1:
        assert_scores(result, labels, said, None)
    else:
        # scikit-learn takes one column for two classes
        assert_scores(result, labels[:, 0], said[:, 0], [1])


@given(st.integers(1, 40), st.integers(1, 3), st.integers(0, 10_000))
def test_values(count: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    outputs, labels = (random.normal(size=(count, width)).astype(np.float32) * 10 for _ in range(2))
    result = evaluate(outputs, labels, "values")
    assert result.mae == pytest.approx(mean_absolute_error(labels, outputs), rel=1e-5)
    # scikit-learn takes the mean of the columns' RMSE; over all numbers is the same for one column
    assert result.rmse == pytest.approx(root_mean_squared_error(labels.ravel(), outputs.ravel()), rel=1e-5)
    assert result.rmse**2 == pytest.approx(result.loss, rel=1e-4)
    assert (result.accuracy, result.interval, result.confusion, result.per_class) == (None, None, None, ())


def test_probabilities() -> None:
    outputs = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)) * 30
    x = outputs.double().numpy()
    e = np.exp(x - x.max(axis=1, keepdims=True))
    np.testing.assert_allclose(to_probabilities(outputs, "classes").numpy(), e / e.sum(1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(to_probabilities(outputs, "tags").numpy(), 1 / (1 + np.exp(-x)), atol=1e-6)
    assert torch.equal(to_probabilities(outputs, "values"), outputs)


@given(st.integers(1, 70))
def test_outputs_are_those_of_one_large_batch(at_once: int) -> None:
    dataset = make_dataset()
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(36, 3), torch.nn.BatchNorm1d(3)).train()
    got = network_outputs(module, dataset.train.images, dataset.preprocessing, memory_layout("contiguous"), at_once)
    assert module.training
    assert int(module[2].num_batches_tracked) == 0
    x = torch.from_numpy(dataset.train.images) / 255
    x = (x - dataset.preprocessing.mean[0]) / dataset.preprocessing.std[0]
    torch.testing.assert_close(got, module.eval()(x).detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("side", "filters"), [(8, 4), (224, 64), (512, 64), (3000, 512)])
def test_the_memory_of_an_evaluation_is_bounded(side: int, filters: int) -> None:
    graph = network("n", (3, side, side)).conv(filters, 3, padding="same").relu().globalavgpool().dense(2).build()
    count = images_at_once(graph)
    assert 1 <= count <= 256
    held = 2 * 4 * filters * side * side * count
    assert held <= 256 * 2**20 or count == 1
    # and not smaller than it has to be
    assert count == 256 or 2 * 4 * filters * side * side * (count + 1) > 256 * 2**20
