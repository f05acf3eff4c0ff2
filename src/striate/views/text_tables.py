"""The inspect table as Markdown, for people to paste, and as CSV, for programs to read."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from striate.units import Shape, format_count, format_shape
from striate.views.inspect_rows import Notes, inspect_notes, inspect_rows, output_words
from striate.views.layer_wording import report_words
from striate.views.outline_rows import tree_rows

if TYPE_CHECKING:
    from striate.analysis.receptive_field import AxisField
    from striate.analysis.report import Report

__all__ = ["ESCAPES", "csv_table", "markdown_line", "markdown_table"]

_TITLES = ("layer", "what", "output", "parameters", "share", "MACs", "share", "field")
_COLUMNS = (
    *("name", "kind", "what", "inputs", "shape", "parameters", "macs"),
    *("field", "jump", "field_kind", "at_most", "field_without_gates"),
)
ESCAPES = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_|[]<>~#"} | {"\n": " ", "\r": " "})
"""What Markdown would read as something else, for :meth:`str.translate`."""


def markdown_table(report: Report, depth: int | None = None, notes: Notes = (), *, fold: bool = False) -> str:
    """A network as a Markdown table with its totals, ending in a line feed.

    Args:
        report: of any network.
        depth: collapse to so many parts of the names, and fold equal neighbours.
        notes: names and values to add below the totals.
        fold: fold equal neighbours without collapsing.

    >>> from striate import zoo
    >>> from striate.analysis import inspect
    >>> print(markdown_table(inspect(zoo.build("lenet-5"))).splitlines()[5])
    | c1 | conv 6, 5×5 | 6×28×28 | 156 | 0.3 % | 117,600 | 28.2 % | 5×5 |
    """
    rows = tree_rows(report, depth) if fold or depth is not None else inspect_rows(report)
    lines = [
        f"## {report.name.translate(ESCAPES)}: {format_shape(report.input)} → {output_words(report)}",
        "",
        markdown_line(_TITLES),
        "|:--|:--|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        name, what = row.name.translate(ESCAPES), row.what.translate(ESCAPES)
        counts = (row.parameters, row.parameters_share, row.macs, row.macs_share)
        lines.append(markdown_line((name, what, row.shape, *counts, row.field)))
    totals = (f"**{format_count(report.parameters)}**", "", f"**{format_count(report.macs)}**")
    lines += [markdown_line(("**total**", "", "", *totals, "", "")), ""]
    lines += [f"- {name}: {value}".translate(ESCAPES) for name, value in (*inspect_notes(report), *notes)]
    return "\n".join(lines) + "\n"


def csv_table(report: Report) -> str:
    """A network as CSV (RFC 4180, comma, UTF-8), one line for each node, with exact numbers and a line of titles.

    Sizes along several axes stand in one field, separated by ``x``; inputs by spaces. Where a unit sees the whole image
    ``field`` is the size of that, and ``field_kind`` is ``whole``; ``at_most`` is ``true`` where one unit may see less
    than ``field``; ``field_without_gates`` stands where squeeze-and-excitation makes it the whole image. A text that a
    spreadsheet would take for a formula is preceded by an apostrophe.

    >>> from striate import zoo
    >>> from striate.analysis import inspect
    >>> print(csv_table(inspect(zoo.build("lenet-5"))).splitlines()[2])
    c1,conv,"conv 6, 5×5",input,6x28x28,156,117600,5x5,1x1,local,false,
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for node, what in zip(report.nodes, report_words(report), strict=True):
        kinds = {axis.kind for axis in node.field}
        writer.writerow(
            (
                node.name,
                node.kind,
                f"'{what}" if what[:1] in "=+-@\t\r" else what,
                " ".join(node.inputs),
                "x".join(map(str, node.shape)),
                node.parameters,
                node.macs,
                _sizes(node.field, report.input),
                "x".join(str(axis.jump) for axis in node.field),
                "mixed" if "mixed" in kinds else "whole" if "whole" in kinds else "local" if kinds else "",
                "true" if any(axis.at_most for axis in node.field) else "false" if kinds else "",
                _sizes(node.ungated, report.input),
            )
        )
    return stream.getvalue()


def _sizes(field: Sequence[AxisField], image: Shape) -> str:
    sizes = (size if axis.kind == "whole" else axis.size for axis, size in zip(field, image[1:], strict=False))
    return "x".join(map(str, sizes))


def markdown_line(cells: Sequence[str]) -> str:
    """A row of a Markdown table, its text as it is."""
    return f"| {' | '.join(cells)} |"
