"""monitors.jsonl: what the monitors measured, one object per line; and a Story from it and the run's other files."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.errors import RunError
from striate.runs.metrics import MetricsWriter, read_metrics
from striate.training.monitors.story import EpochPoint, Facts, Sample, Start, Story

if TYPE_CHECKING:
    from striate.graph import Graph
    from striate.runs import RunFolder
    from striate.runs.records import DataCard

__all__ = ["epoch_point", "facts_of", "monitor_rows", "rows_path", "rows_until", "sample_row", "start_row", "story_of"]


def rows_path(folder: RunFolder) -> Path:
    """Where the rows of a run are."""
    return folder.path / "monitors.jsonl"


def monitor_rows(folder: RunFolder) -> list[dict[str, object]]:
    """The rows so far; none where the file is missing.

    Raises:
        RunError: the file is damaged.
    """
    path = rows_path(folder)
    return read_metrics(path).rows if path.exists() else []


def rows_until(folder: RunFolder, step: int) -> MetricsWriter:
    """The file opened for appending, without the samples behind a step: another process goes on from there.

    Raises:
        RunError: the file is damaged.
        StorageError: the disk is full.
    """
    rows = monitor_rows(folder)
    keep = next((place for place, row in enumerate(rows) if _step(row) > step), len(rows))
    return MetricsWriter(rows_path(folder), keep)


def sample_row(sample: Sample, seconds: float) -> dict[str, object]:
    """A sample as a row, with what it cost."""
    return {"kind": "sample", **_rounded(dataclasses.asdict(sample)), "seconds": round(seconds, 6)}


def start_row(start: Start) -> dict[str, object]:
    """The checks before the first step as a row."""
    return {"kind": "start", **_rounded(dataclasses.asdict(start))}


def facts_of(graph: Graph, card: DataCard, recipe: Mapping[str, object], resolved: Mapping[str, object]) -> Facts:
    """What a run knew before its first step, from what ``run.json``, ``data.json`` and ``net.yaml`` say."""
    from striate.graph.layers.dropout import Dropout
    from striate.graph.layers.stochastic_depth import StochasticDepth

    drops = any(isinstance(node.layer, (Dropout, StochasticDepth)) for node in graph.nodes)
    # Augmentation: whatever is neither off nor the value that does nothing.
    names = ("flip", "shift", "rotate", "color", "hue", "cutout", "randaugment", "scale")
    changes = any(recipe.get(name) not in (None, False, 0, 0.0, "none") for name in names)
    changes = changes or recipe.get("crop") not in (None, 1, 1.0) or recipe.get("sizes") not in (None, "full")
    splits = card.splits
    batch, rate, epochs = resolved.get("batch"), resolved.get("learning_rate"), resolved.get("epochs")
    return Facts(
        task=card.task,
        classes=len(card.classes),
        train=splits["train"].count if "train" in splits else 0,
        val=splits["val"].count if "val" in splits else 0,
        batch=batch if isinstance(batch, int) else 1,
        peak_rate=float(rate) if isinstance(rate, int | float) else math.nan,
        random=drops or changes,
        mixed=any(recipe.get(name) for name in ("mixup", "cutmix")),
        epochs=math.ceil(epochs) if isinstance(epochs, int | float) else None,
        early_stopping=recipe.get("early_stopping") is not None,
    )


def story_of(folder: RunFolder, facts: Facts, *, until: int | None = None) -> Story:
    """What a run measured, from ``metrics.jsonl`` and ``monitors.jsonl``.

    Args:
        folder: of the run.
        facts: see :func:`facts_of`.
        until: leave out what lies behind this step.

    Raises:
        RunError: a file is damaged, or a row does not have its form.
    """
    last = math.inf if until is None else until
    story, path = Story(facts), rows_path(folder)
    for number, row in enumerate(monitor_rows(folder), start=1):
        try:
            if row["kind"] == "start":
                story = dataclasses.replace(story, start=_start(row))
            elif row["kind"] == "sample" and _step(row) <= last:
                story = story.with_sample(_sample(row))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _malformed(f"{path}:{number}", error) from None
    if not folder.metrics_jsonl.exists():
        return story
    for number, row in enumerate(folder.metrics().rows, start=1):
        try:
            if row["kind"] == "epoch" and _step(row) <= last:
                story = story.with_epoch(epoch_point(row))
        except (KeyError, TypeError, ValueError) as error:
            raise _malformed(f"{folder.metrics_jsonl}:{number}", error) from None
    return story


def epoch_point(row: Mapping[str, Any]) -> EpochPoint:
    """An epoch from its row in ``metrics.jsonl``."""
    optional = {name: row.get(name) for name in ("train_accuracy", "val_loss", "val_accuracy")}
    return EpochPoint(
        int(row["epoch"]),
        _number(row["train_loss"]),
        **{name: None if value is None else float(value) for name, value in optional.items()},
    )


def _sample(row: Mapping[str, Any]) -> Sample:
    named = ("gradients", "weights", "updates", "dead", "saturation")
    return Sample(
        epoch=int(row["epoch"]),
        step=int(row["step"]),
        rate=_number(row["rate"]),
        loss=None if row["loss"] is None else float(row["loss"]),
        outputs={str(name): (_number(mean), _number(std)) for name, (mean, std) in row["outputs"].items()},
        **{key: {str(name): _number(value) for name, value in row[key].items()} for key in named},
    )


def _start(row: Mapping[str, Any]) -> Start:
    return Start(
        images=int(row["images"]),
        loss=_number(row["loss"]),
        expected=_number(row["expected"]),
        finite=bool(row["finite"]),
        gradients={str(name): _number(value) for name, value in row["gradients"].items()},
        silent=tuple(str(name) for name in row["silent"]),
        dead={str(name): _number(value) for name, value in row["dead"].items()},
        overfit=tuple(_number(value) for value in row["overfit"]),
        overfit_images=int(row["overfit_images"]),
        overfit_finished=bool(row["overfit_finished"]),
    )


def _step(row: Mapping[str, Any]) -> int:
    step = row.get("step", 0)
    return step if isinstance(step, int) else 0


def _number(value: Any) -> float:
    """JSON has no word for a number that is not finite; it stands as null."""
    return math.nan if value is None else float(value)


def _rounded(value: Any) -> Any:
    """Six digits are enough for every rule, and keep the rows short."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    return [_rounded(entry) for entry in value] if isinstance(value, list | tuple) else value


def _malformed(where: str, error: Exception) -> RunError:
    return RunError(
        "this row does not have its form", where=where, got=repr(error)[:120], needs="a row that training wrote"
    )
