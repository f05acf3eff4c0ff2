"""Classes, tags and values: each is trained, evaluated, predicted and written down."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from striate.backend import build_module
from striate.data import Dataset
from striate.runs.records import Task
from striate.sources import load, read_yaml
from striate.training import TrainedRun, open_trained
from striate.training.events import EpochDone, Event, Started, StepDone
from striate.training.measuring import evaluate_run
from training.samples import NAMES, NET, draw_images, make_dataset, quick_run, save_npz

TASKS: tuple[Task, ...] = ("classes", "tags", "values")
#: Enough to learn rows that light up.
LEARN = {"epochs": 40, "batch": 16, "learning_rate": 0.02}


@pytest.fixture(scope="module", params=TASKS)
def learnt(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainedRun, Dataset]:
    task: Task = request.param
    dataset = make_dataset(task, train=96)
    return quick_run(tmp_path_factory.mktemp(task), dataset, **LEARN), dataset


def forward(run: TrainedRun, images: np.ndarray) -> torch.Tensor:
    """The network by hand: weights from safetensors, preprocessing from data.json."""
    card = json.loads(run.folder.data_json.read_text())
    form = card["preprocessing"]
    mean = torch.tensor(form["mean"]).view(1, -1, 1, 1)
    std = torch.tensor(form["std"]).view(1, -1, 1, 1)
    weights = load_file(run.folder.best_weights)
    x = (torch.from_numpy(images).float() / 255 - mean) / std
    x = torch.nn.functional.conv2d(x, weights["conv1.weight"], weights["conv1.bias"], padding=1)
    x = torch.nn.functional.batch_norm(
        x,
        weights["batchnorm1.running_mean"],
        weights["batchnorm1.running_var"],
        weights["batchnorm1.weight"],
        weights["batchnorm1.bias"],
    )
    x = torch.nn.functional.max_pool2d(x.relu(), 2).flatten(1)
    return torch.nn.functional.linear(x, weights["dense1.weight"], weights["dense1.bias"])


def test_it_learns(learnt: tuple[TrainedRun, Dataset]) -> None:
    run, dataset = learnt
    evaluation = evaluate_run(run)
    if dataset.task == "values":
        spread = float(dataset.train.labels.std())
        assert evaluation.rmse is not None
        assert evaluation.rmse < 0.75 * spread
    else:
        assert evaluation.accuracy is not None
        assert evaluation.accuracy > 0.9


def test_the_run_holds_what_it_learnt_from(learnt: tuple[TrainedRun, Dataset]) -> None:
    run, dataset = learnt
    assert run.card == dataset.card
    assert run.record.status == "done"
    assert run.record.reason == "all 40 epochs were trained"
    assert run.record.parameters == run.graph.parameter_count
    assert read_yaml(run.folder.net_text(), where="") == load(NET, input=(1, 6, 6), classes=len(NAMES[dataset.task]))
    assert sorted(path.name for path in run.folder.path.iterdir()) == [
        "data.json",
        "evaluation-test.json",
        "evaluation-val.json",
        "findings.json",
        "metrics.jsonl",
        "monitors.jsonl",
        "net.yaml",
        "run.json",
        "weights",
    ]
    results = run.record.results
    assert results["epochs_done"] == 40
    assert results["steps_done"] == 40 * 6
    for split in ("val", "test"):
        stored = run.folder.evaluation(split)
        assert results[f"{split}_loss"] == stored.loss
        assert results.get(f"{split}_accuracy") == stored.accuracy
        assert results.get(f"{split}_rmse") == stored.rmse


def test_evaluating_again_gives_the_stored_numbers_to_the_last_digit(learnt: tuple[TrainedRun, Dataset]) -> None:
    run, dataset = learnt
    again = open_trained(run.folder.path)
    for name, split in dataset.splits.items():
        assert again.evaluate(split, name) == run.evaluate(split, name)
        if name != "train":
            assert again.evaluate(split, name) == run.folder.evaluation(name)


def test_the_outputs_are_those_of_torch_by_hand(learnt: tuple[TrainedRun, Dataset]) -> None:
    run, dataset = learnt
    images = dataset.splits["test"].images
    torch.testing.assert_close(run.outputs(images), forward(run, images), rtol=1e-4, atol=1e-5)


def test_predictions_are_the_evaluation_s_outputs(learnt: tuple[TrainedRun, Dataset], tmp_path: Path) -> None:
    run, dataset = learnt
    test = dataset.splits["test"]
    paths = []
    for index, image in enumerate(test.images):
        paths.append(tmp_path / f"{index}.png")
        Image.fromarray(image[0]).save(paths[-1])
    outputs = run.outputs(test.images)
    predictions = run.predict(paths)
    for path, row, prediction in zip(paths, outputs, predictions, strict=True):
        assert prediction.path == str(path)
        assert prediction.error is None
        named = dict(prediction.top)
        if dataset.task == "classes":
            probabilities = row.softmax(0)
            assert prediction.label == NAMES["classes"][int(row.argmax())]
            assert prediction.confidence == pytest.approx(float(probabilities.max()), rel=1e-5)
            assert sum(named.values()) == pytest.approx(1, abs=1e-6)
        elif dataset.task == "tags":
            probabilities = row.sigmoid()
            said = [name for name, p in zip(NAMES["tags"], probabilities, strict=True) if p > 0.5]
            assert prediction.label == "|".join(said)
            assert prediction.confidence is None
        else:
            probabilities = row
            assert (prediction.label, prediction.confidence) == (None, None)
            assert [name for name, _ in prediction.top] == list(NAMES["values"])
        for name, value in zip(NAMES[dataset.task], probabilities, strict=True):
            assert named[name] == pytest.approx(float(value), rel=1e-5, abs=1e-7)
        if dataset.task != "values":
            assert [value for _, value in prediction.top] == sorted(named.values(), reverse=True)
        assert json.loads(json.dumps(prediction.as_dict()))["path"] == str(path)


def test_a_tag_is_said_when_it_is_more_probable_than_not(tmp_path: Path) -> None:
    # Hardly trained, so that many are in doubt.
    dataset = make_dataset("tags", test=60)
    run = quick_run(tmp_path, dataset, epochs=1, learning_rate=1e-6)
    images = dataset.splits["test"].images
    said = []
    for index, image in enumerate(images):
        path = tmp_path / f"{index}.png"
        Image.fromarray(image[0]).save(path)
        (prediction,) = run.predict([path])
        label = prediction.label or ""
        said.append([name in label.split("|") for name in NAMES["tags"]])
        assert {name for name, value in prediction.top if value > 0.5} == set(label.split("|")) - {""}
    # As in the evaluation.
    right = (np.array(said) == dataset.splits["test"].labels.astype(bool)).all(axis=1).mean()
    assert run.folder.evaluation("test").accuracy == right


def test_a_file_that_cannot_be_read_is_told_in_its_place(learnt: tuple[TrainedRun, Dataset], tmp_path: Path) -> None:
    run, dataset = learnt
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    Image.fromarray(dataset.train.images[0, 0]).save(good)
    bad.write_bytes(b"not an image")
    predictions = run.predict([bad, good, tmp_path / "missing.png", good, bad])
    assert [prediction.error is None for prediction in predictions] == [False, True, False, True, False]
    assert (predictions[0].error or "").startswith("the image cannot be used: ")
    assert predictions[2].error == "the image cannot be used: no such file"
    assert predictions[0].top == ()
    assert predictions[1] == predictions[3]
    assert run.predict([]) == []


def test_predictions_come_in_portions_that_fit_into_memory(
    learnt: tuple[TrainedRun, Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, dataset = learnt
    paths = []
    for index, image in enumerate(dataset.splits["test"].images[:7]):
        paths.append(tmp_path / f"{index}.png")
        Image.fromarray(image[0]).save(paths[-1])
    whole = run.predict(paths)
    largest: list[int] = []
    monkeypatch.setattr("striate.training.trained.images_at_once", lambda graph: 3)
    outputs = TrainedRun.outputs
    monkeypatch.setattr(
        TrainedRun, "outputs", lambda self, images: (largest.append(len(images)), outputs(self, images))[1]
    )
    parts = run.predict(iter(paths))
    assert largest == [3, 3, 1]
    for one, other in zip(whole, parts, strict=True):
        assert one.label == other.label
        np.testing.assert_allclose([v for _, v in one.top], [v for _, v in other.top], rtol=1e-5)


def test_images_of_another_form_are_refused(learnt: tuple[TrainedRun, Dataset]) -> None:
    from striate.errors import DataError

    run, _ = learnt
    for images in (np.zeros((2, 3, 6, 6), np.uint8), np.zeros((2, 1, 6, 6), np.float32)):
        with pytest.raises(DataError, match="the images do not have the form of the run"):
            run.outputs(images)


def test_the_events_tell_the_whole_story(tmp_path: Path) -> None:
    events: list[Event] = []
    run = quick_run(tmp_path, batch=16, listen=events.append)
    started = [event for event in events if isinstance(event, Started)]
    steps = [event for event in events if isinstance(event, StepDone)]
    epochs = [event for event in events if isinstance(event, EpochDone)]
    assert started == [Started(str(run.folder.path), 2, 3, 48)]
    assert [(step.epoch, step.step, step.steps) for step in steps] == [(e, s, 3) for e in (1, 2) for s in (1, 2, 3)]
    assert [epoch.epoch for epoch in epochs] == [1, 2]
    assert steps[2].loss == epochs[0].train_loss
    rows = run.folder.metrics().rows
    assert [(row["kind"], row["epoch"], row["step"]) for row in rows] == [
        ("step", 1, 3),
        ("epoch", 1, 3),
        ("step", 2, 6),
        ("epoch", 2, 6),
    ]
    for row, epoch in zip(rows[1::2], epochs, strict=True):
        assert row["val_loss"] == epoch.val_loss
        assert row["val_accuracy"] == epoch.val_accuracy
        assert row["train_loss"] == epoch.train_loss
        assert row["best"] == epoch.best


def test_the_network_of_a_run_is_a_plain_file(tmp_path: Path) -> None:
    run = quick_run(tmp_path, save_npz(tmp_path / "data.npz"), epochs=1)
    module = build_module(read_yaml(run.folder.net_text(), where="net.yaml"))
    module.load_state_dict(load_file(run.folder.best_weights))
    images, _ = draw_images("classes", 5, seed=9)
    x = (torch.from_numpy(images) / 255 - run.card.preprocessing.mean[0]) / run.card.preprocessing.std[0]
    torch.testing.assert_close(module.eval()(x).detach(), run.outputs(images), rtol=1e-4, atol=1e-5)


def test_the_last_weights_can_be_opened_too(tmp_path: Path) -> None:
    dataset = make_dataset()
    run = quick_run(tmp_path, dataset, epochs=3)
    last = open_trained(run.folder.path, weights="last")
    stored = load_file(run.folder.last_weights)
    assert torch.equal(last.module.get_parameter("dense1.weight"), stored["dense1.weight"])
