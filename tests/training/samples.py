"""Small datasets that can be learnt in a moment, and small networks: what the tests of training share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.data import Dataset, Split
from striate.data.card import split_card
from striate.runs.records import DataCard, Preprocessing, Task
from striate.training import Listener, TrainedRun, make_recipe, train
from striate.training.events import silent

__all__ = ["NAMES", "NET", "draw_images", "make_dataset", "quick_run", "save_npz"]

#: A network of every kind of parameter (weights, biases, scales, shifts, buffers); it takes the data's form.
NET = "conv 4 3 same > batchnorm > relu > maxpool 2 > flatten > dense classes"
NAMES: dict[Task, tuple[str, ...]] = {
    "classes": ("cat", "dog", "eel"),
    "tags": ("red", "round", "wet"),
    "values": ("age", "mass"),
}


def draw_images(
    task: Task, count: int, shape: tuple[int, int, int] = (1, 6, 6), seed: int = 0
) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """Noise with a bright row for each class or tag; for values, their size is the brightness of the row."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 100, (count, *shape)).astype(np.uint8)
    width = len(NAMES[task])
    if task == "classes":
        labels = np.arange(count) % width
        shown = np.eye(width)[labels]
    elif task == "tags":
        labels = random.integers(0, 2, (count, width)).astype(np.uint8)
        labels[:width] |= np.eye(width, dtype=np.uint8)
        shown = labels.astype(float)
    else:
        labels = random.random((count, width)).astype(np.float32)
        shown = labels
    for row in range(width):
        images[:, :, 2 * row] = (images[:, :, 2 * row] + shown[:, row, None, None] * 155).astype(np.uint8)
    return images, labels


def make_dataset(
    task: Task = "classes",
    train: int = 48,
    val: int = 12,
    test: int = 12,
    shape: tuple[int, int, int] = (1, 6, 6),
    seed: int = 0,
) -> Dataset:
    """A dataset in memory; a split of 0 images is left out."""
    classes = NAMES[task]
    splits = {}
    for number, (name, count) in enumerate((("train", train), ("val", val), ("test", test))):
        if count:
            images, labels = draw_images(task, count, shape, seed + number)
            splits[name] = Split(images, labels, tuple(f"{name}/{index}" for index in range(count)))
    channels, height, width = shape
    scaled = splits["train"].images / 255
    preprocessing = Preprocessing(
        channels=channels,
        height=height,
        width=width,
        fit="exact",
        mean=tuple(scaled.mean(axis=(0, 2, 3))),
        std=tuple(scaled.std(axis=(0, 2, 3))),
    )
    card = DataCard(
        source="memory",
        kind="npz",
        task=task,
        classes=classes,
        splits={name: split_card(split, classes, task) for name, split in splits.items()},
        split_seed=None,
        split_rule="given by arrays",
        preprocessing=preprocessing,
    )
    return Dataset(splits["train"], splits.get("val"), splits.get("test"), classes, task, preprocessing, card)


def save_npz(path: Path, task: Task = "classes", train: int = 48, test: int = 12, seed: int = 0) -> Path:
    """The same kind of images as a file, divided into train and test."""
    x_train, y_train = draw_images(task, train, seed=seed)
    x_test, y_test = draw_images(task, test, seed=seed + 1)
    np.savez(
        path,
        x_train=x_train[:, 0],
        y_train=y_train,
        x_test=x_test[:, 0],
        y_test=y_test,
        classes=np.array(NAMES[task]),
    )
    return path


def quick_run(runs: Path, data: Any = None, net: Any = NET, listen: Listener = silent, **options: Any) -> TrainedRun:
    """Train with one thread; two epochs, unless said otherwise."""
    given = {"epochs": 2, "threads": 1, **options}
    if "time" in options and "epochs" not in options:
        del given["epochs"]
    return train(net, make_dataset() if data is None else data, make_recipe(given), runs=runs, listen=listen)
