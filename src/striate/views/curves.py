"""Training curves as inline SVG that takes the page's font and colours, light and dark."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from striate.views.metric_series import MetricSeries, Series, thinned
from striate.views.number_wording import format_measure, format_percent

__all__ = ["Curve", "draw_curves"]

_TEXT = "#010203"
#: Colours stand in the drawing as themselves and are replaced by the page's, which know light and dark.
_COLOURS = {
    "train": "#010205",
    "val": "#010207",
    "rate": "#010209",
}
_WIDTH, _HEIGHT = 340 / 72, 205 / 72
_MOST_POINTS = 300
_LOGARITHMIC_FROM = 50.0
"""A loss whose largest value is so many times its smallest is drawn on a logarithmic axis."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One figure.

    Args:
        title: what is drawn, with its unit.
        svg: the drawing, ready to stand in a page.
        spoken: what it shows, for those who cannot see it.
        legend: (colour class, name, last value) of each line.
    """

    title: str
    svg: str
    spoken: str
    legend: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class _Line:
    colour: str
    name: str
    series: Series
    faint: bool = False


def draw_curves(series: MetricSeries, best_epoch: int | None = None) -> tuple[Curve, ...]:
    """Loss, accuracy and learning rate over training; a figure without numbers is left out.

    Args:
        series: of the run.
        best_epoch: marked by a vertical line.
    """
    best = best_epoch if series.unit == "epoch" else None
    step_loss = thinned(series.step_loss, _MOST_POINTS)
    loss = [
        _Line("train", "single batches", step_loss, faint=bool(series.train_loss)),
        _Line("train", "training", series.train_loss),
        _Line("val", "validation", series.val_loss),
    ]
    accuracy = [
        _Line("train", "training", series.train_accuracy),
        _Line("val", "validation", series.val_accuracy),
    ]
    rate = [_Line("rate", "at the end", thinned(series.learning_rate, _MOST_POINTS))]
    drawn = (
        _curve("loss", "Loss", loss, series.unit, best),
        _curve("accuracy", "Accuracy", accuracy, series.unit, best),
        _curve("rate", "Learning rate", rate, series.unit, None),
    )
    return tuple(curve for curve in drawn if curve is not None)


def _curve(kind: str, title: str, lines: Sequence[_Line], unit: str, best: int | None) -> Curve | None:
    lines = [line for line in lines if line.series]
    if not lines:
        return None
    values = [value for line in lines for value in line.series.y]
    logarithmic = kind == "loss" and min(values) > 0 and max(values) / min(values) >= _LOGARITHMIC_FROM

    def said(value: float) -> str:
        return f"{format_percent(value)} %" if kind == "accuracy" else format_measure(value)

    # Configuration is the one thing that matplotlib keeps globally; it is put back when the block is left.
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
        axes = figure.add_subplot()
        for line in lines:
            _draw(axes, line)
        _dress(axes, kind, unit, logarithmic)
        if best is not None:
            axes.axvline(best, color=_TEXT, alpha=0.45, linewidth=0.8, dashes=(3, 3))
        svg = _inline(figure, kind)
    main = [line for line in lines if not line.faint]
    return Curve(
        title=f"{title} (logarithmic scale)" if logarithmic else title,
        svg=svg,
        spoken=f"{title} by {unit}. " + " ".join(_spoken(line, said) for line in main),
        legend=tuple(
            (
                f"{line.colour} faint" if line.faint else line.colour,
                line.name,
                "" if line.faint else said(line.series.last),
            )
            for line in lines
        ),
    )


#: Any, because the names that matplotlib knows differ between its versions.
_STYLE: Any = {
    "svg.fonttype": "none",  # letters stay letters: the page's font, and text that can be searched and read aloud
    "svg.hashsalt": "striate",
    "font.size": 10,
    "text.color": _TEXT,
    "axes.edgecolor": _TEXT,
    "axes.labelcolor": _TEXT,
    "xtick.color": _TEXT,
    "ytick.color": _TEXT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "axes.linewidth": 0.8,
    "path.simplify": True,
}


def _draw(axes: Axes, line: _Line) -> None:
    few = len(line.series.x) <= 30 and not line.faint and line.colour != "rate"
    axes.plot(
        line.series.x,
        line.series.y,
        color=_COLOURS[line.colour],
        alpha=0.3 if line.faint else 1.0,
        linewidth=1.0 if line.faint else 1.8,
        marker="o" if few or len(line.series.x) == 1 else None,
        markersize=2.8,
        solid_capstyle="round",
    )


def _dress(axes: Axes, kind: str, unit: str, logarithmic: bool) -> None:
    axes.set_xlabel(unit)
    axes.grid(axis="y", color=_TEXT, alpha=0.14, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1, steps=(1, 2, 5, 10)))
    if logarithmic:
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if math.log10(high / low) < 3 else (1,), numticks=12))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.tick_params(which="minor", size=0)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=(1, 2, 2.5, 5, 10)))
        low, high = axes.get_ylim()
        axes.set_ylim(
            max(low, 0.0) if kind != "loss" or low < 0.25 * high else low,
            min(high, 1.0) if kind == "accuracy" else high,
        )
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{100 * value:g} %" if kind == "accuracy" else f"{value:g}")
    )


def _inline(figure: Figure, prefix: str) -> str:
    """The figure as an ``svg`` element without size, metadata, style sheet, fonts, and with ids of its own."""
    stream = io.StringIO()
    figure.savefig(
        stream, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
    )
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :]
    for pattern, replacement in _CLEANING:
        svg = re.sub(pattern, replacement, svg, flags=re.DOTALL)
    used = set(re.findall(r"(?:href=\"|url\()#([^\")]+)", svg))
    svg = re.sub(r'\sid="([^"]*)"', lambda found: f' id="{prefix}-{found[1]}"' if found[1] in used else "", svg)
    svg = re.sub(r'(href="|url\()#', rf"\g<1>#{prefix}-", svg)
    svg = svg.replace(_TEXT, "currentColor")
    for name, colour in _COLOURS.items():
        svg = svg.replace(colour, f"var(--{name})")
    return svg.strip()


_CLEANING = (
    (r"<!--.*?-->\s*", ""),
    (r"<metadata>.*?</metadata>\s*", ""),
    (r"<defs>\s*<style.*?</style>\s*</defs>\s*", ""),  # it would apply to the whole page
    (r'(?<=<svg)[^>]*?(\sviewBox="[^"]*")[^>]*', r"\1"),
    (r"xlink:href", "href"),
    (r"\s*font-family: [^;\"]*;", ""),
    (r"\s*\n\s*", " "),
)


def _spoken(line: _Line, said: Callable[[float], str]) -> str:
    y = line.series.y
    if len(y) == 1:
        return f"{line.name}: {said(y[0])}."
    course = f"from {said(y[0])} to {said(y[-1])}, between {said(min(y))} and {said(max(y))}"
    return f"{line.name}: {course}."
