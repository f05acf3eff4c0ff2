"""Trainings with a fault planted into them, and a look at what was said about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from striate.backend import build_module
from striate.findings import Finding
from striate.lint.diagnosis import diagnose
from striate.training import TrainedRun, running
from striate.training.events import Event, Note, Started, StepDone
from striate.training.monitors import watch
from training.samples import make_dataset, quick_run

__all__ = ["Catch", "catching", "closely", "planted", "said"]

Catch = list[torch.nn.Module]


def catching(monkeypatch: pytest.MonkeyPatch) -> Catch:
    """The modules that trainings build from now on."""
    caught: Catch = []

    def catch(*arguments: Any, **options: Any) -> torch.nn.Module:
        caught.append(build_module(*arguments, **options))
        return caught[-1]

    monkeypatch.setattr(running, "build_module", catch)
    return caught


def closely(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at every step: tests are too short for a share of the time."""
    monkeypatch.setattr(watch, "SHARE", 1e9)
    monkeypatch.setattr(watch, "FIRST_SAMPLES", 1000)


def planted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    net: str,
    plant: Callable[[torch.nn.Module], None] = lambda module: None,
    *,
    at: tuple[tuple[int, int], ...] = (),
    data: Any = None,
    **options: Any,
) -> tuple[TrainedRun, dict[str, list[Finding]], list[str]]:
    """Train with a fault; what ``findings.json`` holds, by code, and the lines that were told.

    Args:
        tmp_path, monkeypatch: of the test.
        net: inline.
        plant: changes the module.
        at: epochs with steps after which it is planted; none: before training.
        data: default: 48 images of noise with a bright row.
        **options: of the recipe.
    """
    closely(monkeypatch)
    caught, lines = catching(monkeypatch), []

    def listen(event: Event) -> None:
        begins = isinstance(event, Started) and not at
        step = isinstance(event, StepDone) and (event.epoch, event.step) in at
        if begins or step:
            with torch.no_grad():
                # The one that is trained; those before it were built to be measured.
                plant(caught[-1])
        if isinstance(event, Note):
            lines.append(event.text)

    given = {"epochs": 4, "batch": 16, "probe": "off", "rewrites": "off", **options}
    run = quick_run(tmp_path, data or make_dataset(), net, listen=listen, **given)
    by_code: dict[str, list[Finding]] = {}
    for finding in run.folder.findings():
        by_code.setdefault(finding.code, []).append(finding)
    return run, by_code, lines


def said(run: TrainedRun) -> Iterator[tuple[str, str | None]]:
    """Codes and places that ``striate diagnose`` tells from the files."""
    for finding in diagnose(run.folder.path).findings:
        yield finding.code, finding.where
