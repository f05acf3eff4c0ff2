"""Measuring a run: on the images it came from, or on others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.data import load_data
from striate.data.card import split_card
from striate.data.matching import load_matching
from striate.errors import DataError, UsageError, near_miss
from striate.training.events import Listener, Note, silent

if TYPE_CHECKING:
    from striate.data import Dataset, Split
    from striate.runs.records import Evaluation
    from striate.training.trained import TrainedRun

__all__ = ["evaluate_run", "read_again", "run_split"]


def run_split(run: TrainedRun, name: str) -> Split:
    """A split of the images the run was trained on: from memory, or read again and proven to be the same.

    Raises:
        UsageError: when the run had no such split.
        DataError: when the data are gone or have changed.
    """
    card = run.card
    if name not in card.splits:
        raise UsageError(
            f"the run has no split {name!r}",
            where="--split",
            needs=f"one of {', '.join(card.splits)}",
            write=near_miss(name, list(card.splits)),
        )
    if run.dataset is not None:
        return run.dataset.splits[name]
    split = read_again(run).splits.get(name)
    found = None if split is None else split_card(split, card.classes, card.task)
    if split is None or found is None or found.hash != card.splits[name].hash:
        raise DataError(
            f"the {name} images are not those of the run any more",
            where=card.source,
            got="no such split" if found is None else f"{found.count} images, hash {found.hash[:12]}",
            needs=f"{card.splits[name].count} images, hash {card.splits[name].hash[:12]}",
            write=f"--data {card.source} measures the images that are there now",
        )
    return split


def read_again(run: TrainedRun, source: str | Path | None = None) -> Dataset:
    """The images of a run, read with its options; whether they are still the same is for the caller to find out.

    Args:
        run: with its card and recipe.
        source: where they are now; None: under the name they were read from.

    Raises:
        DataError: they cannot be read any more.
    """
    card, recipe = run.card, run.record.recipe
    form = card.preprocessing
    options: dict[str, Any] = {name: recipe[name] for name in ("val", "test", "broken", "cache") if name in recipe}
    # Where the pixels lie changes no number, and room for them may have come or gone: a number of processes is kept
    # only where they are sure to be needed.
    if options.get("cache") == "stream":
        options["workers"] = recipe.get("workers")
    try:
        return load_data(
            card.source if source is None else source,
            size=(form.height, form.width),
            channels=form.channels,
            fit=form.fit,
            # Images that were loaded beforehand were not divided by the seed of the run.
            seed=run.record.seed if card.split_seed is None else card.split_seed,
            task=card.task,
            **options,
        )
    except UsageError as error:
        # The options were right once, so it is the data that are others now.
        raise DataError(error.problem, where=error.where, got=error.got, needs=error.needs) from None


def evaluate_run(
    run: TrainedRun, data: str | Path | None = None, split: str = "test", *, listen: Listener = silent
) -> Evaluation:
    """Measure a run.

    Args:
        run: trained.
        data: other data with the same classes; None: the run's own.
        split: of the data; data without splits are measured whole, as ``all``.
        listen: told of what was left out of other data.

    Raises:
        UsageError, DataError: when there is no such split, or the data do not fit.
    """
    if data is None:
        return run.evaluate(run_split(run, split), split)
    matching = load_matching(data, run.card)
    for finding in matching.findings:
        listen(Note(finding.line()))
    parts = matching.parts
    name = "all" if set(parts) == {"all"} else split
    if name not in parts:
        raise UsageError(
            f"the data have no split {split!r}",
            where=str(data),
            needs=f"one of {', '.join(parts)}",
            write=f"--split {next(iter(parts))}",
        )
    return run.evaluate(parts[name], name)
