"""Where parameters and MACs go: bars for the parts of a network, on a terminal and as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from rich.text import Text

from striate.units import format_share
from striate.views.diagram_layout import text_width
from striate.views.diagram_svg import STYLE
from striate.views.number_wording import format_compact
from striate.views.outline_rows import OutlineRow, outline_rows
from striate.views.safe_text import visible
from striate.views.tables import Column, Grid, GridRow

if TYPE_CHECKING:
    from striate.analysis.report import Report

__all__ = ["CostBar", "bar_chart", "bars_svg", "cost_bars"]

MOST_BARS, _FEWEST_BARS = 24, 5
_CELLS = 24
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class CostBar:
    """A part of a network and what it costs.

    Args:
        name: of the part.
        parameters: trained numbers.
        macs: multiply-adds.
    """

    name: str
    parameters: int
    macs: int


def cost_bars(report: Report, depth: int | None = None) -> tuple[CostBar, ...]:
    """The parts that cost anything, in order; together they are the whole network.

    Args:
        report: of any network.
        depth: how many parts of a name are told apart; default: as many as give at most 24 bars. Where even one part
            gives more, the smallest are summed up.

    >>> from striate import zoo
    >>> from striate.analysis import inspect
    >>> [bar.name for bar in cost_bars(inspect(zoo.build("resnet18")), 1)]
    ['conv1', 'bn1', 'layer1', 'layer2', 'layer3', 'layer4', 'fc']
    """
    deepest = max(node.name.count(".") for node in report.nodes) + 1
    rows: list[OutlineRow] = []
    for level in range(1, deepest + 1) if depth is None else (depth,):
        finer = [row for row in outline_rows(report, level) if row.parameters or row.macs]
        if len(rows) >= _FEWEST_BARS and len(finer) > MOST_BARS:
            break
        rows = finer
    bars = [CostBar(row.name, row.parameters, row.macs) for row in rows]
    if depth is not None or len(bars) <= MOST_BARS:
        return tuple(bars)
    largest = sorted(bars, key=lambda bar: _weight(bar, report), reverse=True)[: MOST_BARS - 1]
    rest = [bar for bar in bars if bar not in largest]
    others = CostBar(f"{len(rest)} others", sum(bar.parameters for bar in rest), sum(bar.macs for bar in rest))
    return (*(bar for bar in bars if bar in largest), others)


def bar_chart(report: Report, depth: int | None = None) -> Grid:
    """The bars on a terminal; a full bar is the whole network."""
    titles = ("part", "parameters", "share", "", "MACs", "share", "")
    columns = [Column(title, right=place in (1, 2, 4, 5)) for place, title in enumerate(titles)]
    rows = []
    for bar in cost_bars(report, depth):
        cells = [Text(visible(bar.name), "cyan")]
        for part, whole, style in ((bar.parameters, report.parameters, "blue"), (bar.macs, report.macs, "yellow")):
            cells += [Text(format_compact(part)), Text(format_share(part, whole), "dim")]
            cells.append(Text(_bar(part, whole), style))
        rows.append(GridRow(tuple(cells)))
    total = ("total", format_compact(report.parameters), "", "", format_compact(report.macs), "", "")
    return Grid(columns, rows, total)


def bars_svg(report: Report, depth: int | None = None, *, standalone: bool = True) -> str:
    """The bars as an ``svg`` element 360 pixels wide; parameters above, MACs below.

    Args:
        report: of any network.
        depth: as for :func:`cost_bars`.
        standalone: as for :func:`striate.views.diagram_svg.svg_diagram`.
    """
    bars = cost_bars(report, depth)
    names = [_fitting(visible(bar.name)) for bar in bars]
    left = max((text_width(name, 11) for name in names), default=0.0) + 8
    width, room = 360, 360 - left - 52
    most = max((share for bar in bars for share in _shares(bar, report)), default=1.0) or 1.0
    parts = []
    for number, (bar, name) in enumerate(zip(bars, names, strict=True)):
        y = 6 + 28 * number
        parts.append(f'<text x="{left - 8:.1f}" y="{y + 14}" text-anchor="end" fill="var(--ink)">{escape(name)}</text>')
        values = ((bar.parameters, report.parameters, "--train"), (bar.macs, report.macs, "--val"))
        for offset, (part, whole, colour), share in zip((0, 11), values, _shares(bar, report), strict=True):
            length = room * share / most
            parts.append(
                f'<rect x="{left:.1f}" y="{y + offset}" width="{length:.2f}" height="9" fill="var({colour})"/>'
                f'<text x="{left + length + 4:.1f}" y="{y + offset + 8}" font-size="9" fill="var(--soft)">'
                f"{format_share(part, whole)}</text>"
            )
    height = 28 * len(bars) + 8
    style = f"<style>{STYLE}</style>" if standalone else ""
    spoken = "; ".join(
        f"{visible(bar.name)}: {format_share(bar.parameters, report.parameters)} of the parameters, "
        f"{format_share(bar.macs, report.macs)} of the MACs"
        for bar in bars
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="bars-chart" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(spoken, quote=True)}" font-size="11">{style}'
        + "".join(parts)
        + "</svg>\n"
    )


def _shares(bar: CostBar, report: Report) -> tuple[float, float]:
    return bar.parameters / max(report.parameters, 1), bar.macs / max(report.macs, 1)


def _weight(bar: CostBar, report: Report) -> float:
    return max(_shares(bar, report))


def _fitting(name: str, most: int = 24) -> str:
    """A long name without its middle."""
    return name if len(name) <= most else f"{name[: most // 2 - 1]}…{name[-most // 2 :]}"


def _bar(part: int, whole: int) -> str:
    eighths = round(8 * _CELLS * part / whole) if whole else 0
    eighths = max(eighths, 1) if part else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
