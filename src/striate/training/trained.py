"""TrainedRun: a run folder with its network, weights, preprocessing and classes, ready to be used."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn

from striate.backend import build_module, load_weights
from striate.data import Split, read_image
from striate.errors import DataError
from striate.graph import Graph
from striate.runs import RunFolder, open_run
from striate.runs.records import DataCard, Evaluation
from striate.sources import read_yaml
from striate.training.evaluation import evaluate_outputs, network_outputs, to_probabilities
from striate.training.losses import make_loss
from striate.training.network import logits_graph
from striate.training.recipe import make_recipe

if TYPE_CHECKING:
    from striate.runs.records import RunRecord
    from striate.training.losses import Loss

__all__ = ["Prediction", "TrainedRun", "open_trained"]

#: Files read and predicted together.
CHUNK = 256


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
    """

    folder: RunFolder
    weights: Literal["best", "last"] = "best"

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
    def module(self) -> nn.Module:
        """The network with its weights, in eval mode, up to its logits.

        Raises:
            WeightsError: when the weights file is missing, damaged or of another network.
        """
        module = build_module(logits_graph(self.graph, self.card.task))
        load_weights(module, self.folder.best_weights if self.weights == "best" else self.folder.last_weights)
        return module.eval()

    @property
    def loss(self) -> Loss:
        """The loss it was trained with."""
        counts = self.card.splits["train"].counts
        recipe = make_recipe(dict(self.record.recipe), where=str(self.folder.run_json))
        return make_loss(recipe, self.card.task, self.card.classes, counts)[1]

    def outputs(self, split: Split) -> torch.Tensor:
        """The raw outputs for every image of a split: (count, outputs) float32."""
        return network_outputs(self.module, split.images, self.card.preprocessing, torch.channels_last)

    def evaluate(self, split: Split, name: str) -> Evaluation:
        """The numbers of a split."""
        return evaluate_outputs(self.outputs(split), split, name, self.card.task, self.card.classes, self.loss)

    def predict(self, files: Iterable[str | Path]) -> list[Prediction]:
        """What the network says about image files; a file that cannot be read yields a Prediction with ``error``."""
        paths = [Path(file) for file in files]
        predictions: list[Prediction] = []
        for start in range(0, len(paths), CHUNK):
            predictions += self._predict_chunk(paths[start : start + CHUNK])
        return predictions

    def _predict_chunk(self, paths: list[Path]) -> list[Prediction]:
        images, errors = [], {}
        for path in paths:
            try:
                images.append(torch.from_numpy(read_image(path, self.card.preprocessing)))
            except DataError as error:
                errors[path] = str(error)
        rows = iter(())
        if images:
            pixels = torch.stack(images).numpy()
            outputs = network_outputs(self.module, pixels, self.card.preprocessing, torch.channels_last)
            rows = iter(to_probabilities(outputs, self.card.task).tolist())
        return [
            Prediction(str(path), None, None, (), errors[path])
            if path in errors
            else self._prediction(path, next(rows))
            for path in paths
        ]

    def _prediction(self, path: Path, row: list[float]) -> Prediction:
        named = list(zip(self.card.classes, row, strict=True))
        if self.card.task == "values":
            return Prediction(str(path), None, None, tuple(named))
        ranked = tuple(sorted(named, key=lambda pair: -pair[1])[:5])
        if self.card.task == "tags":
            label = "|".join(name for name, value in named if value > 0.5)
            return Prediction(str(path), label, None, ranked)
        return Prediction(str(path), ranked[0][0], ranked[0][1], ranked)


def open_trained(
    run: str | Path, *, root: str | Path = "runs", weights: Literal["best", "last"] = "best"
) -> TrainedRun:
    """Open a run by its path, its name under ``root``, or ``latest``.

    Raises:
        RunError: when there is no such run, or it is damaged.
    """
    return TrainedRun(open_run(run, root), weights)
