"""How the receptive field grows from node to node, as SVG."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from striate.graph.layer import axis_names
from striate.views.diagram_svg import STYLE

if TYPE_CHECKING:
    from striate.analysis.report import NodeReport, Report
    from striate.units import Shape

__all__ = ["growth_note", "growth_points", "growth_svg"]

_WIDTH, _HEIGHT = 360, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 14, 30
_COLOURS = ("--train", "--val", "--ink")


def growth_points(report: Report) -> tuple[tuple[tuple[int, int], ...], ...]:
    """For each axis of the image the (place of the node, largest field in pixels so far) of each node, from 0.

    It ends with the last node that does not see the whole image; what is seen through gates (squeeze-and-excitation) is
    left aside, and so are nodes in between that see the whole, which are the gates themselves. So far, because a short
    branch sees less than the long one beside it.
    """
    rank = len(report.input) - 1
    lines: list[list[tuple[int, int]]] = [[] for _ in range(rank)]
    for place, node in enumerate(report.nodes):
        along = zip(node.local, report.input[1:], strict=False)
        if any(axis.kind == "whole" or axis.covers(size) for axis, size in along):
            continue
        for line, axis in zip(lines, node.local, strict=False):
            line.append((place, max(axis.size, line[-1][1] if line else 0)))
    return tuple(tuple(line) for line in lines)


def growth_note(report: Report) -> str:
    """From which node on every unit sees the whole image, or one of them does, in words.

    >>> from striate.analysis import inspect
    >>> from striate.graph import network
    >>> growth_note(inspect(network("n", (1, 5, 5)).conv(1, 3, padding=1).conv(1, 3, padding=1).build()))
    'From conv2 on a unit in the middle sees the whole image, but no layer sees it from every unit.'
    """
    lines = growth_points(report)
    if not lines or not lines[0]:
        return ""
    gates = " Gates, through which every unit sees the whole image, are left aside."
    aside = gates if any(node.ungated for node in report.nodes) else ""
    reached = lines[0][-1][0] + 1
    if reached < len(report.nodes):
        return f"From {report.nodes[reached].name} on every unit sees the whole image.{aside}"
    middle = next((node.name for node in report.nodes if _some_unit_sees_all(node, report.input)), None)
    if middle is None:
        return f"No unit sees the whole image.{aside}"
    return f"From {middle} on a unit in the middle sees the whole image, but no layer sees it from every unit.{aside}"


def _some_unit_sees_all(node: NodeReport, image: Shape) -> bool:
    along = list(zip(node.local, image[1:], node.shape[1:], strict=False))
    return len(along) == len(image) - 1 and all(axis.unit_covers(size, units) for axis, size, units in along)


def growth_svg(report: Report, *, standalone: bool = True) -> str:
    """The growth of the field along the network; a dashed line marks the size of the image.

    Args:
        report: of any network.
        standalone: as for :func:`striate.views.diagram_svg.svg_diagram`.

    Returns:
        An ``svg`` element 360 pixels wide, or an empty text for a network without spatial axes.
    """
    lines = growth_points(report)
    if not any(lines):
        return ""
    names = axis_names(len(lines))
    distinct = {
        points: " = ".join(name for name, other in zip(names, lines, strict=True) if other == points)
        for points in lines
    }
    largest = max(report.input[1:])
    top = max(largest, *(size for points in lines for _, size in points))
    step = _round_step(top / 4)
    highest = step * -(-top // step)
    last = max(len(report.nodes) - 1, 1)

    def at(place: float, size: float) -> str:
        x = _LEFT + (_WIDTH - _LEFT - _RIGHT) * place / last
        return f"{x:.1f} {_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * size / highest:.1f}"

    parts = _scale(at, highest, step, largest)
    for colour, points in zip(_COLOURS, distinct, strict=False):
        drawn = "L".join(at(place, size) for place, size in points)
        style = f'fill="none" stroke="var({colour})" stroke-width="1.8" stroke-linejoin="round"'
        parts.append(f'<path d="M{drawn}" {style}/>')
    spoken = "; ".join(f"{name}: from {p[0][1]} to {p[-1][1]} pixels" for p, name in distinct.items())
    style = f"<style>{STYLE}</style>" if standalone else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="growth-chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="Receptive field, {spoken}" font-size="10">{style}'
        + "".join(parts)
        + "</svg>\n"
    )


def _scale(at: Callable[[float, float], str], highest: int, step: int, image: int) -> list[str]:
    """Lines across with their numbers, that of the image's size, and what stands below."""
    parts, right = [], _WIDTH - _RIGHT
    for value in range(0, highest + 1, step):
        y = float(at(0, value).split()[1])
        parts.append(
            f'<path d="M{_LEFT} {y}H{right}" stroke="var(--rule)" fill="none"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="var(--soft)">{value:,}</text>'
        )
    y = float(at(0, image).split()[1])
    parts.append(
        f'<path d="M{_LEFT} {y}H{right}" stroke="var(--ink)" stroke-dasharray="4 3" fill="none"/>'
        f'<text x="{_LEFT + 4}" y="{y - 4:.1f}" fill="var(--ink)">image {image:,}</text>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 8}" fill="var(--soft)">first layer</text>'
        f'<text x="{right}" y="{_HEIGHT - 8}" text-anchor="end" fill="var(--soft)">last layer</text>'
    )
    return parts


def _round_step(least: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50, …

    >>> _round_step(0.3), _round_step(56), _round_step(361)
    (1, 100, 500)
    """
    size = 1
    while True:
        for factor in (1, 2, 5):
            if factor * size >= least:
                return factor * size
        size *= 10
