"""``striate bench``: how fast a network is trained in each setting, on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from striate.units import format_count, format_shape
from striate.views.safe_text import visible
from striate.views.tables import Column, Facts, Grid, GridRow

if TYPE_CHECKING:
    from striate.analysis.bench_report import BenchReport, BenchRow

__all__ = ["bench_view"]

_TITLES = ("ms a step", "range", "images/s", "GFLOP/s", "of peak", "differ")


def bench_view(report: BenchReport) -> RenderableType:
    """A line for each setting, and below what the numbers are of.

    Args:
        report: as :func:`striate.bench` returns it.
    """
    columns = [Column("setting", flexible=True), *(Column(title, right=True) for title in _TITLES)]
    fastest = min((row.median for row in report.rows if row.median), default=None)
    rows = [_row(row, fastest is not None and row.median == fastest) for row in report.rows]
    where = _threads(report.threads) if report.device == "cpu" else visible(report.device)
    head = f": {format_shape(report.input)}, {format_count(report.batch)} images a step, {where}"
    return Group(
        Text.assemble((visible(report.network), "bold"), head),
        Text(),
        Grid(columns, rows),
        Text(),
        Facts(_facts(report)),
    )


def _row(row: BenchRow, best: bool) -> GridRow:
    name = Text(row.name, "bold" if best else "cyan")
    if row.median is None:
        return GridRow((name, *(Text("–", "dim") for _ in _TITLES)), below=Text(f"  {visible(row.reason)}", "dim"))
    speed, share = row.flops_per_second or 0.0, row.share_of_peak or 0.0
    cells = (
        f"{1e3 * row.median:.1f}",
        f"{1e3 * min(row.seconds):.1f}-{1e3 * max(row.seconds):.1f}",
        f"{row.images_per_second:,.0f}",
        f"{speed / 1e9:.1f}",
        f"{100 * share:.0f} %",
        _difference(row),
    )
    return GridRow((name, *(Text(cell) for cell in cells)))


def _difference(row: BenchRow) -> str:
    if row.difference is None:
        return "–"
    return "equal" if row.difference == 0 else f"{row.difference:.1e}"


def _facts(report: BenchReport) -> Iterator[tuple[str, str]]:
    yield "step", "forward and backward, no update; the steps of all settings are taken in turn"
    lower = f"; not counted: {', '.join(report.uncounted[:6])}, so GFLOP/s are lower bounds" if report.uncounted else ""
    yield "work", f"{format_count(report.macs)} MACs per image, forward and backward; FLOPs = 2 × MACs{lower}"
    peaks = ", ".join(f"{name} {value / 1e9:,.1f} GFLOP/s" for name, value in report.peaks.items())
    yield "peak", f"of a product of two square matrices: {peaks}"
    yield "differ", "relative, from the outputs of the first setting; more than 5 % apart a setting is not used"
    spread = max((max(row.seconds) / min(row.seconds) for row in report.rows if row.seconds), default=1.0)
    if spread > 1.5:
        yield "busy", f"steps of one setting differ up to {spread:.1f} times: something else is at work on this machine"
    yield "machine", visible(report.machine)


def _threads(number: int) -> str:
    return "1 thread" if number == 1 else f"{number} threads"
