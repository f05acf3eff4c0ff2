"""Ablation: which tricks of a recipe pay on these images. Each is left out in turn, with several seeds."""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from striate.data import Dataset
from striate.errors import UsageError
from striate.graph import Graph
from striate.training.events import Listener, Note, silent
from striate.training.fitting import fit_network
from striate.training.idle_options import DATA_OPTIONS
from striate.training.plan import make_plan
from striate.training.probe import as_decided
from striate.training.recipe import Recipe
from striate.training.recipe_file import recipe_names
from striate.training.trained import TrainedRun
from striate.training.trainer import train
from striate.training.tricks import Trick, tricks_of

__all__ = ["Ablation", "Leaving", "ablate", "interval_of_mean"]

#: 97.5 % quantile of Student's t by degrees of freedom, from 1 on; further out, the normal distribution's.
_FIRST = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)
_FURTHER = (2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042)
_STUDENT = (*_FIRST, *_FURTHER)
_NORMAL = 1.960

Verdict = Literal["pays", "hurts", "no difference seen"]


def interval_of_mean(values: list[float], least: float = 0.0) -> tuple[float, float, float]:
    """The mean of some numbers and its 95 % interval by Student's t.

    Args:
        values: the numbers.
        least: the interval reaches at least so far from the mean, for numbers that are equal by rounding alone.

    Raises:
        ValueError: there are fewer than two.

    >>> mean, low, high = interval_of_mean([1.0, 2.0, 3.0])
    >>> round(mean, 3), round(low, 3), round(high, 3)
    (2.0, -0.484, 4.484)
    """
    if len(values) < 2:
        raise ValueError("an interval needs two numbers or more")
    freedom = len(values) - 1
    quantile = _STUDENT[freedom - 1] if freedom <= len(_STUDENT) else _NORMAL
    mean = statistics.fmean(values)
    half = max(quantile * statistics.stdev(values) / math.sqrt(len(values)), least)
    return mean, mean - half, mean + half


@dataclass(frozen=True)
class Leaving:
    """A trick that was left out.

    Args:
        trick: as it stands in the recipe.
        scores: validation accuracy without it, by seed, 0..1.
        gain: mean over the seeds of the accuracy with it, minus the accuracy without it.
        low, high: 95 % interval of the gain (Student's t, paired by seed), at least one image to either side.
        seconds: mean over the seeds of the seconds of training with it, minus those without it.
    """

    trick: str
    scores: tuple[float, ...]
    gain: float
    low: float
    high: float
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """Whether the interval lies on one side of 0."""
        if self.low > 0:
            return "pays"
        return "hurts" if self.high < 0 else "no difference seen"


@dataclass(frozen=True)
class Ablation:
    """Every trick of a recipe, left out in turn.

    Args:
        seeds: that were trained with.
        images: validation images; one of them is ``1 / images`` of accuracy.
        whole: validation accuracy of the recipe as it is, by seed.
        tricks: by gain, the largest first.
        stopped: whether the time ended it before all seeds were trained.
    """

    seeds: tuple[int, ...]
    images: int
    whole: tuple[float, ...]
    tricks: tuple[Leaving, ...]
    stopped: bool

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, with the verdicts."""
        tricks = [
            {
                **{name: getattr(entry, name) for name in ("trick", "gain", "low", "high", "verdict", "seconds")},
                "scores": list(entry.scores),
            }
            for entry in self.tricks
        ]
        return {
            "seeds": list(self.seeds),
            "images": self.images,
            "whole": list(self.whole),
            "tricks": tricks,
            "stopped": self.stopped,
        }


def ablate(
    net: str | Path | Graph,
    data: str | Path | Dataset,
    recipe: Recipe,
    *,
    seeds: int = 3,
    seconds: float | None = None,
    listen: Listener = silent,
) -> Ablation:
    """Train with the whole recipe and without each of its tricks, with several seeds, and compare on validation images.

    The images are read once and stay the same; seeds change weights, order and augmentation. All trainings compute as
    the first one does. The runs are written into a temporary folder and removed.

    Args:
        net, data, recipe: as :func:`striate.training.train` takes them.
        seeds: how many, from the recipe's own on; at least 2.
        seconds: no further seed is begun that would probably not be finished within this time; two are always done.
        listen: told of each training.

    Raises:
        UsageError: there are no tricks, too few seeds, no classes or no validation images.
        NetworkError, DataError, DivergedError: as :func:`striate.training.train`.
    """
    tricks = tricks_of(recipe)
    _check(recipe, tricks, seeds)
    graph, dataset = fit_network(net, data, recipe)
    if dataset.val is None or dataset.task != "classes":
        raise UsageError(
            "an ablation compares accuracies on validation images, and there are none",
            where="val",
            got="no validation images" if dataset.val is None else f"{dataset.task} instead of classes",
            write="val: 0.1" if dataset.val is None else "data with one class for each image",
        )
    # The images are read already; and every variant must be a possible recipe before the first is trained.
    recipe = recipe.model_copy(update=DATA_OPTIONS)
    for trick in (None, *tricks):
        make_plan(_variant(recipe, trick, 0), graph, dataset)
    rounds, stopped = _rounds(graph, dataset, recipe, tricks, seeds, seconds, listen)
    scores = [[score for score, _ in row] for row in zip(*rounds, strict=True)]
    times = [[spent for _, spent in row] for row in zip(*rounds, strict=True)]
    leavings = [
        Leaving(
            trick.name,
            tuple(without),
            *_gain(scores[0], without, 1 / len(dataset.val)),
            statistics.fmean(times[0]) - statistics.fmean(spent),
        )
        for trick, without, spent in zip(tricks, scores[1:], times[1:], strict=True)
    ]
    done = tuple(recipe.seed + number for number in range(len(rounds)))
    ordered = tuple(sorted(leavings, key=lambda entry: -entry.gain))
    return Ablation(done, len(dataset.val), tuple(scores[0]), ordered, stopped)


def _gain(whole: list[float], without: list[float], image: float) -> tuple[float, float, float]:
    """Accuracy is counted in whole images: two seeds may show the same difference by chance."""
    return interval_of_mean([a - b for a, b in zip(whole, without, strict=True)], least=image)


def _check(recipe: Recipe, tricks: tuple[Trick, ...], seeds: int) -> None:
    if not tricks:
        raise UsageError(
            "there is nothing to leave out: this recipe has no tricks",
            where="--recipe",
            needs="a recipe that does more than the default",
            write=f"--recipe {recipe_names()[0]}",
        )
    if seeds < 2:
        raise UsageError(
            "one seed says nothing about chance", where="--seeds", got=str(seeds), needs="2 or more", write="--seeds 3"
        )
    if recipe.time is not None:
        raise UsageError(
            "with a time budget a slower trick is trained for fewer steps, and no two trainings are comparable",
            where="time",
            got=f"time: {recipe.time:g}",
            write="epochs in place of time",
        )


def _rounds(
    graph: Graph,
    dataset: Dataset,
    recipe: Recipe,
    tricks: tuple[Trick, ...],
    seeds: int,
    seconds: float | None,
    listen: Listener,
) -> tuple[list[list[tuple[float, float]]], bool]:
    """For each seed (accuracy, seconds) of the whole recipe and without each trick; and whether the time ended it."""
    begin, rounds = time.perf_counter(), list[list[tuple[float, float]]]()
    fixed: dict[str, object] = {}
    for number in range(seeds):
        spent = time.perf_counter() - begin
        if seconds is not None and number >= 2 and spent * (number + 1) / number > seconds:
            return rounds, True
        row: list[tuple[float, float]] = []
        for trick in (None, *tricks):
            what = "the whole recipe" if trick is None else f"without {trick.name}"
            listen(Note(f"seed {recipe.seed + number}: {what} ({len(row) + 1} of {len(tricks) + 1})"))
            for run in _trained(graph, dataset, _variant(recipe.model_copy(update=fixed), trick, number)):
                results = run.record.results
                row.append((float(results["val_accuracy"] or 0.0), float(results["seconds"] or 0.0)))
                fixed = fixed or as_decided(run.record.resolved)
        rounds.append(row)
    return rounds, False


def _variant(recipe: Recipe, trick: Trick | None, number: int) -> Recipe:
    changes = {} if trick is None else trick.without
    return recipe.model_copy(update={**changes, "seed": recipe.seed + number})


def _trained(graph: Graph, dataset: Dataset, recipe: Recipe) -> Iterator[TrainedRun]:
    """One run, which is there while it is looked at."""
    with tempfile.TemporaryDirectory(prefix="striate-ablate-") as place:
        yield train(graph, dataset, recipe, runs=place)
