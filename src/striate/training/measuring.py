"""Measuring a run: on the images it came from, or on others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from striate.data import load_data
from striate.data.card import split_card
from striate.data.matching import load_matching
from striate.errors import DataError, UsageError, near_miss

if TYPE_CHECKING:
    from striate.data import Split
    from striate.runs.records import Evaluation
    from striate.training.trained import TrainedRun

__all__ = ["evaluate_run", "run_split"]


def run_split(run: TrainedRun, name: str) -> Split:
    """A split of the data the run was trained on, read again and proven to be the same images.

    Raises:
        UsageError: when the run had no such split.
        DataError: when the data are gone or have changed.
    """
    card, recipe = run.card, run.record.recipe
    if name not in card.splits:
        raise UsageError(
            f"the run has no split {name!r}",
            where="--split",
            needs=f"one of {', '.join(card.splits)}",
            write=near_miss(name, list(card.splits)),
        )
    form = card.preprocessing
    dataset = load_data(
        card.source,
        size=(form.height, form.width),
        channels=form.channels,
        fit=form.fit,
        seed=run.record.seed,
        val=recipe.get("val"),  # type: ignore[arg-type]
        test=recipe.get("test"),  # type: ignore[arg-type]
        broken=recipe.get("broken", "skip"),  # type: ignore[arg-type]
    )
    split = dataset.splits.get(name)
    found = None if split is None else split_card(split, dataset.classes, dataset.task)
    if split is None or found is None or found.hash != card.splits[name].hash:
        count = "none" if found is None else str(found.count)
        raise DataError(
            f"the {name} images are not those of the run any more",
            where=card.source,
            got=f"{count} images, hash {'' if found is None else found.hash[:12]}",
            needs=f"{card.splits[name].count} images, hash {card.splits[name].hash[:12]}",
            write=f"--data {card.source} measures the images that are there now",
        )
    return split


def evaluate_run(run: TrainedRun, data: str | Path | None = None, split: str = "test") -> Evaluation:
    """Measure a run.

    Args:
        run: trained.
        data: other data with the same classes; None: the run's own.
        split: of the data; data without splits are measured whole.

    Raises:
        UsageError, DataError: when there is no such split, or the data do not fit.
    """
    if data is None:
        return run.evaluate(run_split(run, split), split)
    parts = load_matching(data, run.card)
    if split in parts:
        return run.evaluate(parts[split], split)
    if set(parts) == {"all"}:
        return run.evaluate(parts["all"], "all")
    raise UsageError(
        f"the data have no split {split!r}",
        where=str(data),
        needs=f"one of {', '.join(parts)}",
        write=f"--split {next(iter(parts))}",
    )
