"""Results → terminal, JSON, HTML.

Names are imported when they are first used, so that ``import striate.views`` loads neither rich nor matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from striate.views.as_json import json_text
    from striate.views.console import make_console
    from striate.views.derivations import derivation_view
    from striate.views.error_text import error_view
    from striate.views.evaluations import evaluation_view
    from striate.views.inspection import inspect_table
    from striate.views.predictions import PredictionLike, predictions_view
    from striate.views.report_page import render_report
    from striate.views.report_parts import FeatureMaps, Mistake, Picture, ReportPage
    from striate.views.zoo_listing import zoo_table

__all__ = [
    "FeatureMaps",
    "Mistake",
    "Picture",
    "PredictionLike",
    "ReportPage",
    "derivation_view",
    "error_view",
    "evaluation_view",
    "inspect_table",
    "json_text",
    "make_console",
    "predictions_view",
    "render_report",
    "zoo_table",
]

_HOMES = {
    "as_json": ("json_text",),
    "console": ("make_console",),
    "derivations": ("derivation_view",),
    "error_text": ("error_view",),
    "evaluations": ("evaluation_view",),
    "inspection": ("inspect_table",),
    "predictions": ("PredictionLike", "predictions_view"),
    "report_page": ("render_report",),
    "report_parts": ("FeatureMaps", "Mistake", "Picture", "ReportPage"),
    "zoo_listing": ("zoo_table",),
}


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
