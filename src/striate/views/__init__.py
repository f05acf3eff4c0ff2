"""Results → terminal, JSON, HTML, SVG, Markdown, CSV, Mermaid.

Names are imported when they are first used, so that ``import striate.views`` loads neither rich nor matplotlib.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.lazy import lazy_names

if TYPE_CHECKING:
    from striate.views.as_json import json_text
    from striate.views.console import make_console
    from striate.views.cost_bars import bar_chart, bars_svg
    from striate.views.derivations import derivation_view
    from striate.views.diagram_mermaid import mermaid_diagram
    from striate.views.diagram_svg import svg_diagram
    from striate.views.error_text import error_view
    from striate.views.evaluations import evaluation_view
    from striate.views.field_growth import growth_svg
    from striate.views.inspection import inspect_table, inspect_tree
    from striate.views.network_document import network_page
    from striate.views.predictions import PredictionLike, predictions_view
    from striate.views.report_page import render_report
    from striate.views.report_parts import FeatureMaps, Mistake, Picture, ReportPage
    from striate.views.text_tables import csv_table, markdown_table
    from striate.views.zoo_listing import zoo_table

__all__ = [
    "FeatureMaps",
    "Mistake",
    "Picture",
    "PredictionLike",
    "ReportPage",
    "bar_chart",
    "bars_svg",
    "csv_table",
    "derivation_view",
    "error_view",
    "evaluation_view",
    "growth_svg",
    "inspect_table",
    "inspect_tree",
    "json_text",
    "make_console",
    "markdown_table",
    "mermaid_diagram",
    "network_page",
    "predictions_view",
    "render_report",
    "svg_diagram",
    "zoo_table",
]

_HOMES = {
    "as_json": ("json_text",),
    "console": ("make_console",),
    "cost_bars": ("bar_chart", "bars_svg"),
    "derivations": ("derivation_view",),
    "diagram_mermaid": ("mermaid_diagram",),
    "diagram_svg": ("svg_diagram",),
    "error_text": ("error_view",),
    "evaluations": ("evaluation_view",),
    "field_growth": ("growth_svg",),
    "inspection": ("inspect_table", "inspect_tree"),
    "network_document": ("network_page",),
    "predictions": ("PredictionLike", "predictions_view"),
    "report_page": ("render_report",),
    "report_parts": ("FeatureMaps", "Mistake", "Picture", "ReportPage"),
    "text_tables": ("csv_table", "markdown_table"),
    "zoo_listing": ("zoo_table",),
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
