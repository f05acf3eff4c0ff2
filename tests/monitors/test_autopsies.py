"""A training that diverges says where and on which images, and leaves a bundle that shows it again."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from monitors.planting import planted
from striate.errors import DivergedError, RunError, StorageError
from striate.training import TrainedRun, monitored, open_trained
from striate.training.autopsy import replay
from training.samples import make_dataset

NET = "conv 4 3 same > relu > conv 4 3 same > batchnorm > relu > dropout 0.5 > flatten > dense classes"
Plant = Callable[[torch.nn.Module], None]


def diverged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Plant = lambda module: None, **options: Any
) -> tuple[TrainedRun, DivergedError, dict[str, Any]]:
    with pytest.raises(DivergedError) as raised:
        planted(tmp_path, monkeypatch, options.pop("net", NET), plant, **options)
    run = open_trained("latest", root=tmp_path)
    return run, raised.value, json.loads((run.folder.path / "autopsy" / "autopsy.json").read_text())


def filled(name: str, value: float) -> Plant:
    def plant(module: torch.nn.Module) -> None:
        module.get_parameter(name).fill_(value)

    return plant


def test_a_layer_that_overflows_on_some_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Black images stay finite in the first layer, bright ones do not."""
    dataset = make_dataset()
    images = dataset.train.images.copy()
    images[::2] = 0
    dataset = replace(dataset, train=replace(dataset.train, images=images))
    dataset = replace(dataset, preprocessing=dataset.preprocessing.model_copy(update={"mean": (0.0,)}))
    run, error, found = diverged(tmp_path, monkeypatch, filled("conv1.weight", 3e38), data=dataset, net=NET)
    assert found["stage"] == "outputs"
    assert found["layer"] == "conv1"
    named = {entry["name"] for entry in found["images"]}
    bright = {name for name in found["batch"] if int(name.rpartition("/")[2]) % 2}
    assert named == bright
    assert error.where == "epoch 1, step 1"
    assert "conv1 is the first layer with a number that is not finite" in str(error)
    assert str(run.folder.path / "autopsy") in str(error.needs)
    assert found["again"] in found["again"]


def test_the_bundle_shows_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, _, found = diverged(tmp_path, monkeypatch, filled("conv2.weight", 1e38))
    again = replay(run.folder.path)
    assert again.told() == found["told"]
    assert list(again.images) == [entry["place"] for entry in found["images"]]
    assert (again.stage, again.layer) == ("outputs", found["layer"])
    folder = run.folder.path / "autopsy"
    pictures = sorted((folder / "images").iterdir())
    assert len(pictures) == len(found["batch"]) == 16
    ids = list(make_dataset().train.ids)
    for place, name in enumerate(found["batch"]):
        with Image.open(pictures[place]) as picture:
            assert np.array_equal(np.asarray(picture), make_dataset().train.images[ids.index(name), 0])


def test_a_step_that_was_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, error, found = diverged(tmp_path, monkeypatch, optimizer="sgd", learning_rate=1e30, schedule="constant")
    assert found["weights"].startswith("weights")
    assert error.got is not None
    assert error.got.startswith("peak learning rate 1e+30; ")
    assert replay(run.folder.path).told() == found["told"]
    assert "train/" in error.got


def test_weights_that_were_broken_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights of the newest look are whole; with them the step is fine, and the parameter is named."""
    run, error, found = diverged(tmp_path, monkeypatch, filled("dense1.weight", math.nan), at=((2, 2),))
    assert found["not finite before the step"] == ["dense1.weight"]
    assert "before this step dense1.weight held a number that is not finite" in str(error)
    stored = load_file(run.folder.path / "autopsy" / "weights.safetensors")
    assert all(tensor.isfinite().all() for tensor in stored.values())


def test_found_after_the_last_step_of_an_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, error, found = diverged(tmp_path, monkeypatch, filled("conv1.bias", math.inf), at=((2, 3),))
    assert error.problem == "training diverged: conv1.bias holds a number that is not finite"
    assert found["not finite before the step"] == ["conv1.bias"]


def test_a_full_disk_leaves_the_error_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(monitored, "write_bundle", refuse)
    with pytest.raises(DivergedError) as raised:
        planted(tmp_path, monkeypatch, NET, filled("conv1.weight", 3e38))
    assert raised.value.got == "peak learning rate 0.004"
    assert open_trained("latest", root=tmp_path).record.status == "diverged"


def test_bundles_that_are_not_there_or_not_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, _, _ = diverged(tmp_path, monkeypatch, filled("conv1.weight", 3e38))
    folder = run.folder.path / "autopsy"
    save_file({"conv1.weight": torch.zeros(1)}, folder / "weights.safetensors")
    with pytest.raises(RunError, match="these are not the weights of the run's network"):
        replay(run.folder.path)
    (folder / "batch.safetensors").write_bytes(b"nothing")
    with pytest.raises(RunError, match="cannot be read"):
        replay(run.folder.path)
    (folder / "weights.safetensors").unlink()
    with pytest.raises(RunError, match="there is no autopsy in this run"):
        replay(run.folder.path)
