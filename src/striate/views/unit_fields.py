"""``striate inspect NET --unit layer:y,x``: what one unit sees of the image."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from striate.graph.layer import axis_names
from striate.units import format_count, format_shape, format_share
from striate.views.safe_text import visible
from striate.views.tables import Facts

if TYPE_CHECKING:
    from striate.analysis.coverage import UnitAxis, UnitView

__all__ = ["unit_view"]

#: More runs of phases than this are not listed one by one.
_MOST_RUNS = 8


def unit_view(view: UnitView) -> RenderableType:
    """The box that a unit reads, how much of it is really read, and what lies outside the image.

    Args:
        view: as :func:`striate.analysis.coverage.view_unit` returns it.

    >>> from striate.analysis.coverage import view_unit
    >>> from striate.graph import network
    >>> from striate.views import make_console
    >>> net = network("holes", (1, 9, 9)).conv(4, 3, dilation=2, padding=2).build()
    >>> make_console().print(unit_view(view_unit(net, "conv1", (0, 4))))
    conv1:0,4 of holes: one unit of 4×9×9 on an image of 1×9×9
    <BLANKLINE>
    height    rows 0 to 2; theory -2 to 2, 2 outside the image in front; every 2nd read (2 of 3)
    width     columns 2 to 6; theory 2 to 6; every 2nd read (3 of 5)
    coverage  6 of 15 pixels of the box are read (40.0 %)
    """
    return _UnitView(view)


class _UnitView:
    def __init__(self, view: UnitView) -> None:
        self.view = view

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        view = self.view
        place = ",".join(map(str, view.position))
        yield Text.assemble(
            (f"{view.node}:{place}" if place else view.node, "bold cyan"),
            f" of {visible(view.network)}: "
            + ("one unit" if place else "all units")
            + f" of {format_shape(view.shape)} on an image of {format_shape(view.input)}",
        )
        yield Text()
        if not view.axes:
            yield Text("it reads no pixel of the image")
            return
        yield Facts(_facts(view))


def _facts(view: UnitView) -> Iterator[tuple[str, str]]:
    names = axis_names(len(view.axes))
    for name, axis in zip(names, view.axes, strict=True):
        yield name, _axis(name, axis)
    bound = "" if view.exact else "at most "
    share = format_share(view.read, view.box)
    yield (
        "coverage",
        f"{bound}{format_count(view.read)} of {format_count(view.box)} pixels of the box are read ({share})",
    )
    for name, axis in zip(names, view.axes, strict=True):
        if axis.phases:
            yield f"phases {name}", _phases(axis)


def _axis(name: str, axis: UnitAxis) -> str:
    pixels = {"height": "rows", "width": "columns"}.get(name, "places")
    parts = [f"{pixels} {axis.first} to {axis.last}"]
    if axis.field.kind == "local":
        theory = f"theory {'at most ' if axis.field.at_most else ''}{axis.low} to {axis.high}"
        outside = [
            f"{count} outside the image {side}"
            for count, side in ((axis.before, "in front"), (axis.after, "behind"))
            if count
        ]
        parts.append(", ".join([theory, *outside]))
    elif axis.field.kind == "whole":
        parts.append("a global layer came before: every unit can see the whole image")
    else:
        parts.append("branches with different strides met: no one interval holds for every unit")
    span = axis.last - axis.first + 1
    if axis.read < span:
        parts.append(_holes(axis.read, span))
    return "; ".join(parts)


def _holes(read: int, span: int) -> str:
    step, rest = divmod(span - 1, read - 1) if read > 1 else (0, 1)
    counted = f"{format_count(read)} of {format_count(span)}"
    if rest or step < 2:
        return f"holes: {counted} read"
    return f"every {step}{'nd' if step == 2 else 'rd' if step == 3 else 'th'} read ({counted})"


def _phases(axis: UnitAxis) -> str:
    """Runs of phases that see the same, from the first unit of the map on."""
    runs = [list(run) for _, run in groupby(axis.phases, key=lambda one: (one.low, one.high))]
    moved = axis.field.jump * len(axis.phases)
    again = f"then again {moved} {'pixel' if moved == 1 else 'pixels'} further"
    if len(runs) > _MOST_RUNS:
        widths = [max(run[0].high - run[0].low + 1, 0) for run in runs]
        least, most = min(widths), max(widths)
        seen = f"{most}" if least == most else f"{least} to {most}"
        return f"{len(axis.phases)} units see {seen} pixels each, at {len(runs)} places; {again}"
    parts = []
    for run in runs:
        units = f"{run[0].phase}" if len(run) == 1 else f"{run[0].phase}–{run[-1].phase}"
        parts.append(f"{units}: {run[0].low} to {run[0].high}" if run[0].low <= run[0].high else f"{units}: nothing")
    return f"{'; '.join(parts)}; {again}"
