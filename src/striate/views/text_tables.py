"""The inspect table as Markdown, for people to paste, and as CSV, for programs to read."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from striate.units import format_count, format_shape
from striate.views.inspect_rows import inspect_notes, inspect_rows, output_words
from striate.views.layer_wording import report_words
from striate.views.outline_rows import tree_rows

if TYPE_CHECKING:
    from striate.analysis.report import Report

__all__ = ["csv_table", "markdown_table"]

_TITLES = ("layer", "what", "output", "parameters", "share", "MACs", "share", "field")
_COLUMNS = ("name", "kind", "what", "inputs", "shape", "parameters", "macs", "field", "jump", "field_kind")
#: What Markdown would read as something else.
_ESCAPES = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_|[]<>~#"} | {"\n": " ", "\r": " "})


def markdown_table(report: Report, depth: int | None = None, *, fold: bool = False) -> str:
    """A network as a Markdown table with its totals, ending in a line feed.

    Args:
        report: of any network.
        depth: collapse to so many parts of the names, and fold equal neighbours.
        fold: fold equal neighbours without collapsing.

    >>> from striate import zoo
    >>> from striate.analysis import inspect
    >>> print(markdown_table(inspect(zoo.build("lenet-5"))).splitlines()[5])
    | c1 | conv 6, 5×5 | 6×28×28 | 156 | 0.3 % | 117,600 | 28.2 % | 5×5 |
    """
    rows = tree_rows(report, depth) if fold or depth is not None else inspect_rows(report)
    lines = [
        f"## {report.name.translate(_ESCAPES)}: {format_shape(report.input)} → {output_words(report)}",
        "",
        _line(_TITLES),
        "|:--|:--|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        name, what = row.name.translate(_ESCAPES), row.what.translate(_ESCAPES)
        counts = (row.parameters, row.parameters_share, row.macs, row.macs_share)
        lines.append(_line((name, what, row.shape, *counts, row.field)))
    totals = (f"**{format_count(report.parameters)}**", "", f"**{format_count(report.macs)}**")
    lines += [_line(("**total**", "", "", *totals, "", "")), ""]
    lines += [f"- {name}: {value}".translate(_ESCAPES) for name, value in inspect_notes(report)]
    return "\n".join(lines) + "\n"


def csv_table(report: Report) -> str:
    """A network as CSV (RFC 4180, comma, UTF-8), one line for each node, with exact numbers and a line of titles.

    Sizes along several axes stand in one field, separated by ``x``; inputs by spaces. A text that a spreadsheet would
    take for a formula is preceded by an apostrophe.

    >>> from striate import zoo
    >>> from striate.analysis import inspect
    >>> print(csv_table(inspect(zoo.build("lenet-5"))).splitlines()[2])
    c1,conv,"conv 6, 5×5",input,6x28x28,156,117600,5x5,1x1,local
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
                "x".join(str(axis.size) for axis in node.field),
                "x".join(str(axis.jump) for axis in node.field),
                "mixed" if "mixed" in kinds else "whole" if "whole" in kinds else "local" if kinds else "",
            )
        )
    return stream.getvalue()


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
