"""Every monitor fires on a fault that was planted into a training, names its place, and diagnose finds it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from monitors.planting import planted, said
from striate.data import Dataset
from training.samples import make_dataset

NET = "conv 8 3 same > relu > flatten > dense classes"
Plant = Callable[[nn.Module], None]


def scaled(name: str, factor: float) -> Plant:
    def plant(module: nn.Module) -> None:
        module.get_parameter(name).mul_(factor)

    return plant


def filled(name: str, value: float) -> Plant:
    def plant(module: nn.Module) -> None:
        module.get_parameter(name).fill_(value)

    return plant


def wrongly_labelled(share: float, splits: tuple[str, ...] = ("train", "val"), **counts: int) -> Dataset:
    """Labels drawn at random for a share of the images of some splits."""
    dataset = make_dataset(**counts)  # type: ignore[arg-type]
    random = np.random.default_rng(7)
    for name in splits:
        split = dataset.splits[name]
        labels = split.labels.copy()
        wrong = random.random(len(labels)) < share
        labels[wrong] = random.integers(0, 3, int(wrong.sum()))
        dataset = replace(dataset, **{name: replace(split, labels=labels)})
    return dataset


DEEP = " > ".join(["conv 4 3 same > sigmoid"] * 8) + " > flatten > dense classes"
PLANTS: dict[str, tuple[str, str | None, str, Plant, dict[str, Any]]] = {
    "the last layer is 1000 times too large": ("T101", None, NET, scaled("dense1.weight", 1000), {}),
    "a layer whose units are all dead": ("T301", "relu1", NET, filled("conv1.bias", -100.0), {}),
    "units that are dead at the start": ("T106", "relu1", NET, filled("conv1.bias", -100.0), {}),
    "a convolution behind which all is dead": (
        "T501",
        "conv1.weight",
        NET,
        filled("conv1.bias", -100.0),
        {"optimizer": "sgd", "weight_decay": 0},
    ),
    "a parameter without a gradient": ("T103", "conv1.weight", NET, filled("conv1.bias", -100.0), {}),
    "sigmoids on top of each other": ("T201", "conv1", DEEP, lambda module: None, {}),
    "sigmoids on top of each other, before training": ("T105", "conv1", DEEP, lambda module: None, {}),
    "the gradient explodes before training": ("T105", "conv1", NET, scaled("dense1.weight", 1e5), {}),
    "the gradient explodes": (
        "T202",
        "conv1",
        NET,
        scaled("dense1.weight", 1e5),
        {"learning_rate": 1e-6, "label_smoothing": 0.3},
    ),
    "tanh at its ends": (
        "T302",
        "tanh1",
        "conv 8 3 same > tanh > flatten > dense classes",
        scaled("conv1.weight", 1000),
        {},
    ),
    "a learning rate that is far too large": (
        "T502",
        "conv1",
        NET,
        lambda module: None,
        {"learning_rate": 1.0, "schedule": "constant", "epochs": 3},
    ),
    "a learning rate that is far too small": (
        "T502",
        "conv1",
        NET,
        lambda module: None,
        {"learning_rate": 1e-7, "schedule": "constant"},
    ),
}


@pytest.mark.parametrize("name", PLANTS)
def test_planted_before_training(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, where, net, plant, options = PLANTS[name]
    run, found, lines = planted(tmp_path, monkeypatch, net, plant, **options)
    assert where in [one.where for one in found.get(code, [])], sorted(found)
    assert any(f" {code} " in f"{line} ".replace(":", " ") for line in lines)
    assert (code, where) in set(said(run))


def test_activations_that_run_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = scaled("conv1.weight", 1e4)
    run, found, _ = planted(tmp_path, monkeypatch, NET, plant, at=((2, 1),), learning_rate=1e-6)
    assert found["T303"][0].where == "conv1"
    assert ("T303", "conv1") in set(said(run))


def test_a_loss_that_does_not_fall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, found, lines = planted(
        tmp_path, monkeypatch, NET, data=make_dataset(train=320), learning_rate=1e-9, schedule="constant"
    )
    assert found["T401"][0].message.startswith("after 4 epochs the training loss is 1.")
    assert sum("T401" in line for line in lines) == 1
    assert ("T401", None) in set(said(run))


def test_a_training_that_is_thrown_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, found, _ = planted(
        tmp_path, monkeypatch, NET, scaled("dense1.weight", -30), at=((5, 3),), epochs=6, learning_rate=0.01
    )
    assert found["T402"][0].message.endswith("in epoch 5")


def test_steps_that_are_too_large_to_settle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turned, places = scaled("dense1.weight", -1), tuple((epoch, 3) for epoch in range(3, 8))
    run, found, _ = planted(tmp_path, monkeypatch, NET, turned, at=places, epochs=8, learning_rate=0.01)
    assert found["T403"][0].message == "the training accuracy fell by 5 points and more in 3 of 7 epochs"
    assert ("T403", None) in set(said(run))


def test_overfitting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = wrongly_labelled(0.6, train=48, val=60)
    run, found, lines = planted(tmp_path, monkeypatch, NET, data=data, epochs=30, learning_rate=0.02)
    assert found["T404"][0].fix is not None
    assert "--early-stopping 5" in found["T404"][0].fix
    assert any(line.startswith("warning T404 val: the validation loss rose from") for line in lines)
    assert ("T404", "val") in set(said(run))


def test_validation_that_is_easier_than_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = wrongly_labelled(0.5, ("train",), train=600, val=120)
    run, found, _ = planted(tmp_path, monkeypatch, NET, data=data, epochs=5, learning_rate=0.003)
    assert found["T405"][0].where == "val"
    assert ("T405", "val") in set(said(run))


def test_weights_that_are_not_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from striate.errors import DivergedError
    from striate.training import open_trained

    with pytest.raises(DivergedError):
        planted(tmp_path, monkeypatch, NET, filled("conv1.bias", float("nan")))
    run = open_trained("latest", root=tmp_path)
    codes = {finding.code: finding.severity for finding in run.folder.findings()}
    assert codes["T102"] == "error"
    assert {("T102", None), ("T411", None), ("T407", None)} <= set(said(run))


def test_a_whitened_first_layer_is_not_frozen_by_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = "conv 8 2 > relu > conv 8 3 same > relu > flatten > dense classes"
    _, found, _ = planted(tmp_path, monkeypatch, net, whiten=True, epochs=6)
    assert not {"T103", "T501"} & set(found), found


def test_images_that_cannot_be_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from striate.training import monitored, preflight

    monkeypatch.setattr(preflight, "SHORT", 0.0)
    monkeypatch.setattr(monitored, "is_short", preflight.is_short)
    dataset = make_dataset()
    same = np.repeat(dataset.train.images[:1], len(dataset.train), axis=0)
    dataset = replace(dataset, train=replace(dataset.train, images=same))
    run, found, _ = planted(tmp_path, monkeypatch, NET, data=dataset)
    assert found["T104"][0].message.startswith("8 images could not be learnt by heart: after 100 steps their loss is")
    assert ("T104", None) in set(said(run))


def test_a_healthy_network_learns_eight_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from striate.training import preflight

    monkeypatch.setattr(preflight, "SHORT", 0.0)
    _, found, lines = planted(tmp_path, monkeypatch, NET)
    assert not any(code.startswith("T1") for code in found)
    assert not any("overfitted" in line for line in lines)


def test_a_short_training_says_what_was_not_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, lines = planted(tmp_path, monkeypatch, NET)
    assert "no batch is overfitted as a check beforehand: the training takes only seconds" in lines
    assert torch.is_grad_enabled()
