"""report.html: gather everything a page shows, and write it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from striate.analysis import inspect
from striate.errors import DataError, RunError
from striate.findings import Finding
from striate.insight.activations import feature_maps
from striate.insight.filters import first_filters
from striate.insight.mistakes import as_picture, worst_mistakes
from striate.training.measuring import run_split
from striate.views import FeatureMaps, Mistake, Picture, ReportPage, render_report

if TYPE_CHECKING:
    from striate.data import Dataset, Split
    from striate.training import TrainedRun

__all__ = ["write_report"]


def write_report(run: TrainedRun, dataset: Dataset | None = None) -> Path:
    """Write ``report.html`` of a run.

    Args:
        run: trained.
        dataset: the images it was trained on, where they are at hand; else they are read again. When they are gone,
            the page says so and shows everything else.

    Returns:
        Where the page is.

    Raises:
        RunError: when the run is damaged.
        StorageError: when the page cannot be written.
    """
    if dataset is not None:
        run = replace(run, dataset=dataset)
    findings = list(run.folder.findings())
    metrics = _metrics(run, findings)
    node, filters = first_filters(run)
    split = _images(run, findings)
    mistakes: tuple[Mistake, ...] = ()
    image: Picture | None = None
    maps: tuple[FeatureMaps, ...] = ()
    if split is not None:
        image = as_picture(split.images[0], split.ids[0])
        maps = feature_maps(run, split.images[0])
        if run.card.task == "classes":
            mistakes = worst_mistakes(run.outputs(split.images), split, run.card.classes)
    page = ReportPage(
        record=run.record,
        card=run.card,
        network=inspect(run.graph),
        metrics=metrics,
        evaluations=tuple(run.folder.evaluation(one) for one in run.folder.evaluated_splits()),
        mistakes=mistakes,
        filters=filters,
        filters_node=node,
        image=image,
        feature_maps=maps,
        findings=tuple(findings),
    )
    run.folder.write_report(render_report(page))
    return run.folder.report_html


def _images(run: TrainedRun, findings: list[Finding]) -> Split | None:
    """The images that pictures are made of: those of the test, else of the validation, else of the training."""
    name = next(name for name in ("test", "val", "train") if name in run.card.splits)
    try:
        return run_split(run, name)
    except DataError as error:
        findings.append(Finding("D090", "info", f"pictures are left out: {error.problem}", where=error.where))
        return None


def _metrics(run: TrainedRun, findings: list[Finding]) -> tuple[dict[str, object], ...]:
    """The rows of ``metrics.jsonl``, as far as they can be read."""
    try:
        metrics = run.folder.metrics()
    except RunError as error:
        findings.append(Finding("T090", "warning", f"curves are left out: {error.problem}", where=error.where))
        return ()
    if metrics.note is not None:
        findings.append(Finding("T091", "info", metrics.note))
    return tuple(metrics.rows)
