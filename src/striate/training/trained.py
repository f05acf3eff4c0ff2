"""TrainedRun: a run folder with its network, weights, preprocessing and classes, ready to be used."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import fx

from striate.backend import build_module, load_weights
from striate.data import Dataset, Split, read_image
from striate.errors import DataError
from striate.graph import Graph
from striate.runs import RunFolder, open_run
from striate.runs.records import DataCard, Evaluation
from striate.sources import read_yaml
from striate.training.evaluation import (
    evaluate_outputs,
    images_at_once,
    network_outputs,
    tags_said,
    to_probabilities,
)
from striate.training.inputs import memory_layout, to_input, to_tensor
from striate.training.losses import make_loss
from striate.training.network import logits_graph
from striate.training.recipe import make_recipe
from striate.training.seen_again import VIEWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from striate.data.image_source import ImageSource
    from striate.runs.records import RunRecord
    from striate.training.losses import Loss

__all__ = ["Prediction", "TrainedRun", "open_trained"]

#: The most probable classes that a prediction names.
MOST_NAMED = 5


@dataclass(frozen=True)
class Prediction:
    """What the network says about one image.

    Args:
        path: the file.
        label: the most probable class; tags above 1/2 joined by ``|``; None for values and for unread files.
        confidence: its probability, 0..1; None likewise.
        top: (name, probability) of the most probable classes, (name, value) of every output for values.
        error: why the file could not be read; None where it was.
    """

    path: str
    label: str | None
    confidence: float | None
    top: tuple[tuple[str, float], ...]
    error: str | None = None

    def as_dict(self) -> dict[str, object]:
        """The prediction as JSON-ready data."""
        return {
            "path": self.path,
            "label": self.label,
            "confidence": self.confidence,
            "top": [{"name": name, "value": value} for name, value in self.top],
            "error": self.error,
        }


@dataclass(frozen=True)
class TrainedRun:
    """A run that can be used.

    Args:
        folder: the run folder.
        weights: ``best`` or ``last``.
        dataset: the images it was trained on, while they are still in memory.
    """

    folder: RunFolder
    weights: Literal["best", "last"] = "best"
    dataset: Dataset | None = field(default=None, repr=False, compare=False)

    @functools.cached_property
    def record(self) -> RunRecord:
        """``run.json``."""
        return self.folder.record()

    @functools.cached_property
    def card(self) -> DataCard:
        """``data.json``: classes, splits, preprocessing."""
        return self.folder.data_card()

    @functools.cached_property
    def graph(self) -> Graph:
        """The network as it was written."""
        return read_yaml(self.folder.net_text(), where=str(self.folder.net_yaml))

    @functools.cached_property
    def module(self) -> fx.GraphModule:
        """The network with its weights, in eval mode, up to its logits, in the memory order it was trained in.

        Raises:
            WeightsError: when the weights file is missing, damaged or of another network.
        """
        module = build_module(self._logits, seed=None)
        load_weights(module, self.folder.best_weights if self.weights == "best" else self.folder.last_weights)
        module.eval().to(memory_format=self.layout)  # type: ignore[call-overload]
        return module

    @functools.cached_property
    def _logits(self) -> Graph:
        return logits_graph(self.graph, self.card.task)

    @property
    def layout(self) -> torch.memory_format:
        """The memory order of the maps; the same as in training, so that the numbers are the same to the last digit."""
        name = self.record.resolved.get("layout")
        return memory_layout(name if name in ("channels-last", "contiguous") else "channels-last")

    @property
    def views(self) -> str:
        """The test-time augmentation it was evaluated with, which prediction does too."""
        kind = self.record.recipe.get("tta")
        return kind if isinstance(kind, str) and kind in VIEWS else "none"

    @property
    def loss(self) -> Loss:
        """The loss it was trained with."""
        recipe = make_recipe(dict(self.record.recipe), where=str(self.folder.run_json))
        train = self.card.splits.get("train")
        return make_loss(recipe, self.card.task, self.card.classes, {} if train is None else train.counts)[1]

    def inputs(self, images: NDArray[np.uint8]) -> torch.Tensor:
        """What the network sees of images: float32, normalised.

        Args:
            images: uint8 (count, channels, height, width), in the run's form.

        Raises:
            DataError: when they have another form.
        """
        self._check_form(images)
        return to_input(to_tensor(images), self.card.preprocessing, self.layout)

    def outputs(self, images: ImageSource) -> torch.Tensor:
        """The raw outputs for images.

        Args:
            images: uint8 (count, channels, height, width), in the run's form; any number.

        Returns:
            (count, outputs) float32.

        Raises:
            DataError: when the images have another form.
        """
        self._check_form(images)
        at_once = images_at_once(self._logits)
        return network_outputs(self.module, images, self.card.preprocessing, self.layout, at_once, self.views)

    def _check_form(self, images: ImageSource) -> None:
        form = self.card.preprocessing
        shape = (form.channels, form.height, form.width)
        if images.dtype != np.uint8 or images.shape[1:] != shape:
            raise DataError(
                "the images do not have the form of the run",
                got=f"{images.dtype} {images.shape}",
                needs=f"uint8 (images, {', '.join(map(str, shape))})",
                write="striate.data.apply_preprocessing gives an image this form",
            )

    def evaluate(self, split: Split, name: str) -> Evaluation:
        """The numbers of a split, which is called ``name`` in them."""
        outputs = self.outputs(split.images)
        return evaluate_outputs(outputs, split, name, self.card.task, self.card.classes, self.loss)

    def predict(self, files: Iterable[str | Path]) -> list[Prediction]:
        """What the network says about image files; a file that cannot be read yields a Prediction with ``error``."""
        paths = [Path(file) for file in files]
        predictions: list[Prediction] = []
        at_once = images_at_once(self._logits)
        for start in range(0, len(paths), at_once):
            predictions += self._predict_together(paths[start : start + at_once])
        return predictions

    def _predict_together(self, paths: list[Path]) -> list[Prediction]:
        images: list[NDArray[np.uint8]] = []
        errors: list[str | None] = []
        for path in paths:
            try:
                images.append(read_image(path, self.card.preprocessing))
                errors.append(None)
            except DataError as error:
                errors.append(error.problem if error.got is None else f"{error.problem}: {error.got}")
        outputs = iter(self.outputs(np.stack(images)) if images else ())
        return [
            self._prediction(path, next(outputs)) if error is None else Prediction(str(path), None, None, (), error)
            for path, error in zip(paths, errors, strict=True)
        ]

    def _prediction(self, path: Path, outputs: torch.Tensor) -> Prediction:
        task = self.card.task
        named = list(zip(self.card.classes, to_probabilities(outputs[None], task)[0].tolist(), strict=True))
        if task == "values":
            return Prediction(str(path), None, None, tuple(named))
        ranked = tuple(sorted(named, key=lambda pair: -pair[1])[:MOST_NAMED])
        if task == "tags":
            said = zip(self.card.classes, tags_said(outputs).tolist(), strict=True)
            return Prediction(str(path), "|".join(name for name, here in said if here), None, ranked)
        return Prediction(str(path), ranked[0][0], ranked[0][1], ranked)


def open_trained(
    run: str | Path, *, root: str | Path = "runs", weights: Literal["best", "last"] = "best"
) -> TrainedRun:
    """Open a run by its path, its name under ``root``, or ``latest``.

    Raises:
        RunError: when there is no such run, or it is damaged.
    """
    return TrainedRun(open_run(run, root), weights)
