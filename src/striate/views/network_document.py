"""A network as one self-contained HTML page: diagram, cost, receptive fields and a table to search in."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from typing import TYPE_CHECKING

from markupsafe import Markup

from striate.units import format_bytes, format_count, format_shape
from striate.views.cost_bars import bars_svg
from striate.views.diagram_boxes import WEIGHTED
from striate.views.diagram_svg import svg_diagram
from striate.views.field_growth import growth_note, growth_points, growth_svg
from striate.views.inspect_rows import Notes, inspect_notes, output_words
from striate.views.number_wording import format_compact
from striate.views.page_environment import network_rows, page_css, page_environment, page_text

if TYPE_CHECKING:
    from striate.analysis.report import Report

__all__ = ["network_page"]


def network_page(report: Report, depth: int | None = None, notes: Notes = ()) -> str:
    """The page as HTML, complete without scripts; the one script in it searches the table.

    It allows itself no network (a Content-Security-Policy in its head says so, and names its script by its hash),
    follows the reader's light or dark setting, fits a phone, and prints. Names are escaped.

    Args:
        report: of any network.
        depth: how many parts of a name the diagram and the bars tell apart; default: as many as are still readable.
        notes: names and values to add below the totals.
    """
    script = page_text("network.js").strip()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    kinds = [node.kind for node in report.nodes]
    context = {
        "network": report,
        "css": page_css("report.css", "network.css"),
        "script": Markup(script),
        "script_hash": f"sha256-{digest}",
        "standfirst": f"{format_shape(report.input)} → {output_words(report)}, {len(kinds):,} layers",
        "facts": _facts(report),
        "diagram": Markup(svg_diagram(report, depth, standalone=False)),
        "bars": Markup(bars_svg(report, depth, standalone=False)) if report.parameters or report.macs else None,
        "growth": Markup(growth_svg(report, standalone=False)),
        "growth_note": growth_note(report),
        "rows": network_rows(report),
        "kinds": kinds,
        "kind_counts": sorted(Counter(kinds).items()),
        "network_caption": "Layer by layer. Field: the pixels of the image that one output can see.",
        "network_notes": [*inspect_notes(report), *notes],
    }
    return page_environment().get_template("network.html.jinja").render(**context) + "\n"


def _facts(report: Report) -> list[tuple[str, str, str]]:
    fields = [max(axis.size for axis in node.field) for node in report.nodes if node.field]
    local = [points[-1][1] for points in growth_points(report) if points]
    facts = [
        ("Parameters", format_count(report.parameters), f"{format_bytes(4 * report.parameters)} as float32"),
        ("MACs per image", format_compact(report.macs), "FLOPs = 2 × MACs"),
    ]
    if fields and local:
        facts.append(("Largest local field", f"{max(local):,} pixels", f"the image has {max(report.input[1:]):,}"))
    deepest, weighted = _depth(report)
    facts.append(("Depth", str(deepest), f"convolutions and dense layers on the longest way; {weighted} in all"))
    return facts


def _depth(report: Report) -> tuple[int, int]:
    """Convolutions and dense layers on the longest way to an output, as papers count them, and in all."""
    reached: dict[str, int] = {}
    for node in report.nodes:
        reached[node.name] = max((reached[name] for name in node.inputs), default=0) + (node.kind in WEIGHTED)
    return max(reached[node.name] for node in report.leaving), sum(node.kind in WEIGHTED for node in report.nodes)
