"""``striate inspect NET --unit layer:y,x --effective``: how much each pixel moves one unit."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from striate.graph.layer import axis_names
from striate.units import format_count, format_shape, format_share
from striate.views.diagram_svg import STYLE
from striate.views.safe_text import visible
from striate.views.tables import Facts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from striate.analysis.effective_field import EffectiveAxis, EffectiveField

__all__ = ["effective_svg", "effective_view"]

#: From how large a share of the largest each sign stands.
_SIGNS = ((1 / 2, "█"), (1 / 4, "▓"), (1 / 8, "▒"), (1 / 16, "░"), (0.0, "·"))
_LEGEND = "█ at least 1/2 of the largest, ▓ 1/4, ▒ 1/8, ░ 1/16, · less, blank nothing"
_MOST_ROWS = 32
_MOST_CELLS = 64


def effective_view(field: EffectiveField) -> RenderableType:
    """A map of the gradient inside the theoretical field, and both fields in numbers.

    Args:
        field: as :func:`striate.analysis.effective_field.effective_field_of` returns it.

    >>> import numpy as np
    >>> from striate.analysis.effective_field import effective_field_of
    >>> from striate.graph import network
    >>> from striate.views import make_console
    >>> net = network("n", (1, 9)).conv(1, 3, padding=1).conv(1, 3, padding=1).build()
    >>> gradient = np.convolve([1.0, 1, 1, 0, 0, 0, 0], [1, 1, 1])
    >>> found = effective_field_of(net, "conv2", (2,), gradient, weights="all 1", images="any image")
    >>> make_console().print(effective_view(found))
    conv2:2 of n: effective field on an image of 1×9 (all 1; any image)
    <BLANKLINE>
      ▓███▓
    <BLANKLINE>
      █ at least 1/2 of the largest, ▓ 1/4, ▒ 1/8, ░ 1/16, · less, blank nothing
    <BLANKLINE>
    length       effective 0 to 4, 5 of the 5 theoretical (100 %); centre 2.0, deviation 1.15
    area         5 of the 5 pixels of the theoretical field hold 95.45 % of the gradient (100 %)
    theoretical  no gradient lies outside it, as it must be (checked)
    """
    return _EffectiveView(field)


class _EffectiveView:
    def __init__(self, field: EffectiveField) -> None:
        self.field = field

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        field = self.field
        place = ",".join(map(str, field.position))
        yield Text.assemble(
            (f"{field.node}:{place}" if place else field.node, "bold cyan"),
            f" of {visible(field.network)}: effective field on an image of {format_shape(field.input)}"
            f" ({visible(field.weights)}; {visible(field.images)})",
        )
        yield Text()
        if not field.axes:
            yield Text(_nothing(field))
            return
        cells, step = _cells(field, min(_MOST_CELLS, max((options.max_width - 2) // 2, 8)), _MOST_ROWS)
        for row in cells:
            line = Text("  " + "".join(_sign(value) * (2 if len(cells) > 1 else 1) for value in row), "yellow")
            line.rstrip()
            yield line
        yield Text()
        yield Text("  " + _LEGEND + (f"; one sign for {_square(field, step)}" if step > 1 else ""), "dim")
        yield Text()
        yield Facts(_facts(field))


def effective_svg(field: EffectiveField, *, standalone: bool = True) -> str:
    """The map as an ``svg`` element 360 pixels wide: the theoretical field, darker where the gradient is larger, and a
    frame around the effective intervals.

    Args:
        field: as for :func:`effective_view`.
        standalone: as for :func:`striate.views.diagram_svg.svg_diagram`.

    Returns:
        The element, or an empty text where no gradient arrives.
    """
    if not field.axes:
        return ""
    cells, step = _cells(field, _MOST_CELLS, _MOST_CELLS)
    size = 360 / max(len(cells[0]), 1)
    height = size * len(cells)
    parts = [f'<rect width="360" height="{height:.1f}" fill="none" stroke="var(--rule)"/>']
    # One path for each shade, in steps of a twentieth.
    shades: dict[int, list[str]] = {}
    for y, row in enumerate(cells):
        for x, value in enumerate(row):
            if value > 0:
                square = f"M{x * size:.1f} {y * size:.1f}h{size:.2f}v{size:.2f}h-{size:.2f}z"
                shades.setdefault(max(round(20 * value**0.5), 1), []).append(square)
    for shade, squares in sorted(shades.items()):
        parts.append(f'<path d="{"".join(squares)}" fill="var(--train)" fill-opacity="{shade / 20:.2f}"/>')
    shown = field.axes[-2:]
    ends = [
        ((axis.effective[0] - axis.theory[0]) / step * size, (axis.effective[1] + 1 - axis.theory[0]) / step * size)
        for axis in shown
    ]
    (top, bottom), (left, right) = ends if len(ends) == 2 else [(0.0, height), *ends]
    parts.append(
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" fill="none"'
        ' stroke="var(--ink)" stroke-dasharray="4 3"/>'
    )
    style = f"<style>{STYLE}</style>" if standalone else ""
    spoken = "; ".join(f"{name}: {value}" for name, value in _facts(field))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="effective-field" viewBox="0 0 360 {height:.1f}" width="360"'
        f' height="{height:.1f}" role="img" aria-label="{escape(spoken, quote=True)}">{style}'
        + "".join(parts)
        + "</svg>\n"
    )


def _nothing(field: EffectiveField) -> str:
    if not field.theory:
        return "in theory it reads no pixel of the image"
    pixels = format_count(field.theory)
    return f"no gradient arrives at any of the {pixels} pixels of its theoretical field: nothing moves this unit"


def _facts(field: EffectiveField) -> Iterator[tuple[str, str]]:
    for name, axis in zip(axis_names(len(field.axes)), field.axes, strict=True):
        yield name, _axis(axis)
    share = format_share(field.area, field.theory)
    yield (
        "area",
        f"{format_count(field.area)} of the {format_count(field.theory)} pixels of the theoretical field hold"
        f" 95.45 % of the gradient ({share})",
    )
    if field.outside:
        told = f"{format_count(field.outside)} pixels outside of it have a gradient: a rule of Striate is wrong here"
    else:
        told = "no gradient lies outside it, as it must be (checked)"
    yield "theoretical", told


def _axis(axis: EffectiveAxis) -> str:
    first, last = axis.effective
    theory = axis.theory[1] - axis.theory[0] + 1
    share = format_share(last - first + 1, theory)
    return (
        f"effective {first} to {last}, {last - first + 1} of the {theory} theoretical ({share});"
        f" centre {axis.centre:.1f}, deviation {axis.deviation:.2f}"
    )


def _cells(field: EffectiveField, columns: int, rows: int) -> tuple[list[list[float]], int]:
    """The theoretical field as rows of shares of the largest, and how many pixels a cell is wide; volumes summed up."""
    gradient: NDArray[np.float64] = field.gradient[
        tuple(slice(axis.theory[0], axis.theory[1] + 1) for axis in field.axes)
    ]
    while gradient.ndim > 2:
        gradient = gradient.sum(axis=0)
    gradient = np.atleast_2d(gradient)
    flat = len(field.axes) == 1
    step = max(-(-gradient.shape[1] // columns), 1 if flat else -(-gradient.shape[0] // rows))
    for axis in (1,) if flat else (0, 1):
        starts = np.arange(0, gradient.shape[axis], step)
        lengths = np.diff(starts, append=gradient.shape[axis])
        # The mean of each block: the last may be smaller.
        gradient = np.add.reduceat(gradient, starts, axis=axis) / (lengths if axis == 1 else lengths[:, None])
    largest = float(gradient.max())
    shares = gradient / largest if largest > 0 else gradient
    return shares.tolist(), step


def _sign(value: float) -> str:
    return next(sign for least, sign in _SIGNS if value >= least) if value > 0 else " "


def _square(field: EffectiveField, step: int) -> str:
    return f"{step} pixels" if len(field.axes) == 1 else f"{step}×{step} pixels"
