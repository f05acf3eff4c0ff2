"""The run folder: the only contract between training and everything after it.

Names are imported when they are first used, so that ``import striate.runs`` does not load pydantic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.lazy import lazy_names

if TYPE_CHECKING:
    from striate.runs.folder import create_run, open_run, run_names
    from striate.runs.interval import wilson_interval
    from striate.runs.layout import RunFolder
    from striate.runs.metrics import Metrics, MetricsWriter, read_metrics
    from striate.runs.records import (
        ClassScore,
        DataCard,
        Evaluation,
        Interval,
        Preprocessing,
        RunRecord,
        SplitCard,
        Status,
        Task,
    )

__all__ = [
    "ClassScore",
    "DataCard",
    "Evaluation",
    "Interval",
    "Metrics",
    "MetricsWriter",
    "Preprocessing",
    "RunFolder",
    "RunRecord",
    "SplitCard",
    "Status",
    "Task",
    "create_run",
    "open_run",
    "read_metrics",
    "run_names",
    "wilson_interval",
]

_HOMES = {
    "folder": ("create_run", "open_run", "run_names"),
    "interval": ("wilson_interval",),
    "layout": ("RunFolder",),
    "metrics": ("Metrics", "MetricsWriter", "read_metrics"),
    "records": (
        "ClassScore",
        "DataCard",
        "Evaluation",
        "Interval",
        "Preprocessing",
        "RunRecord",
        "SplitCard",
        "Status",
        "Task",
    ),
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
