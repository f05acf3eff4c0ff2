"""Everything that is shown on a terminal; loads rich and nothing heavier."""

from __future__ import annotations

from striate.views.console import make_console
from striate.views.derivations import derivation_view
from striate.views.error_text import error_view
from striate.views.evaluations import evaluation_view
from striate.views.inspection import inspect_table
from striate.views.predictions import PredictionLike, predictions_view
from striate.views.zoo_listing import zoo_table

__all__ = [
    "PredictionLike",
    "derivation_view",
    "error_view",
    "evaluation_view",
    "inspect_table",
    "make_console",
    "predictions_view",
    "zoo_table",
]
