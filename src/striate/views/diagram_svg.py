"""A network as a drawing: SVG that takes the colours of the page around it, light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from striate.units import format_shape
from striate.views.diagram_boxes import WEIGHTED, diagram
from striate.views.diagram_layout import LINE, PAD, PlacedBox, PlacedFrame, place_diagram
from striate.views.safe_text import visible

if TYPE_CHECKING:
    from striate.analysis.report import Report
    from striate.views.layered_layout import Point

__all__ = ["STYLE", "svg_diagram"]

STYLE = (
    "svg{--paper:#fdfdfb;--panel:#f5f5f1;--ink:#1c2127;--soft:#565f69;--rule:#c4c8c4;--tint:#dbe9f3;--accent:#0a58a6;"
    "--train:#0072b2;--val:#d55e00;background:var(--paper);font-family:system-ui,'Segoe UI',Roboto,'Noto Sans',"
    "'Liberation Sans',sans-serif}"
    "@media(prefers-color-scheme:dark){svg{--paper:#14171b;--panel:#1c2126;--ink:#e6e8ea;--soft:#a3abb5;--rule:#454d56;"
    "--tint:#22384a;--accent:#82baf2;--train:#56b4e9;--val:#f0a03c}}"
)
"""The colours of a drawing that stands alone; those of the page have the same names."""

#: Kinds whose boxes stand out, because paths meet there.
_MEETING = ("add", "concat", "multiply")


def svg_diagram(report: Report, depth: int | None = None, *, standalone: bool = True) -> str:
    """The diagram of a network from top to bottom, equal neighbours drawn once.

    Args:
        report: of any network.
        depth: groups with so many parts in their name are one box; default: as deep as is still readable.
        standalone: a file of its own, which follows the light or dark setting of who sees it; else a part of a page
            that defines the colours ``--panel``, ``--ink``, ``--soft``, ``--rule``, ``--tint``, ``--accent``.

    Returns:
        An ``svg`` element. Each box is a group with ``data-nodes`` (the nodes of the first unit) and ``data-times``.

    >>> from striate import zoo
    >>> from striate.analysis import inspect
    >>> svg_diagram(inspect(zoo.build("resnet152"))).count("35 ×")
    1
    """
    placed = place_diagram(diagram(report, depth))
    width, height = round(placed.width), round(placed.height)
    spoken = f"Diagram of {report.name}, {format_shape(report.input)} to {format_shape(report.output)}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{_text(spoken)}" font-size="11">'
    ]
    if standalone:
        parts.append(f"<title>{_text(spoken)}</title><style>{STYLE}</style>")
    parts += [_frame(frame) for frame in placed.frames]
    parts.append('<g fill="none" stroke="var(--soft)" stroke-width="1.3">')
    parts += [f'<path d="{_curve(points)}"/>' for points, _ in placed.lines]
    parts.append('</g><g fill="var(--soft)">')
    parts += sorted({_arrow(points[-1]) for points, at_box in placed.lines if at_box})
    parts.append("</g>")
    parts += [_label(frame) for frame in placed.frames]
    parts += [_box(box) for box in placed.boxes]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _text(text: str) -> str:
    return escape(visible(text), quote=True)


def _frame(placed: PlacedFrame) -> str:
    return (
        f'<rect class="frame" x="{placed.x:.1f}" y="{placed.y:.1f}" width="{placed.width:.1f}" '
        f'height="{placed.height:.1f}" rx="7" fill="var(--panel)" '
        f'stroke="var({"--accent" if placed.frame.times > 1 else "--rule"})"/>'
    )


def _label(placed: PlacedFrame) -> str:
    """The name of a frame, drawn over the lines, which pass behind it."""
    y, right = placed.y + 14, placed.x + placed.width - PAD
    halo = 'stroke="var(--panel)" stroke-width="4" stroke-linejoin="round" paint-order="stroke"'
    label = f'<text x="{placed.x + PAD:.1f}" y="{y:.1f}" fill="var(--soft)" {halo}>{_text(placed.label)}</text>'
    if placed.frame.times == 1:
        return label
    style = f'text-anchor="end" font-weight="700" fill="var(--accent)" {halo}'
    return f'{label}<text x="{right:.1f}" y="{y:.1f}" {style}>{placed.frame.times} ×</text>'


def _box(placed: PlacedBox) -> str:
    box = placed.box
    kind = box.nodes[0].kind
    one = box.nodes[: len(box.nodes) // box.times]
    fill = "--tint" if any(node.kind in WEIGHTED for node in box.nodes) else "--paper"
    corner = placed.height / 2 if kind in _MEETING and not box.group else 4
    lines = []
    middle, y = placed.x + placed.width / 2, placed.y + LINE + 2
    for number, line in enumerate(placed.lines):
        style = 'font-size="12.5" font-weight="600" fill="var(--ink)"' if number == 0 else 'fill="var(--soft)"'
        place = f'x="{middle:.1f}" y="{y + number * LINE:.1f}" text-anchor="middle"'
        lines.append(f"<text {place} {style}>{_text(line)}</text>")
    return (
        f'<g class="box" data-nodes="{_text(" ".join(node.name for node in one))}" data-times="{box.times}">'
        f"<title>{_text(box.details)}</title>"
        f'<rect x="{placed.x:.1f}" y="{placed.y:.1f}" width="{placed.width:.1f}" height="{placed.height:.1f}" '
        f'rx="{corner:.0f}" fill="var({fill})" stroke="var(--soft)"/>{"".join(lines)}</g>'
    )


def _curve(points: Sequence[Point]) -> str:
    """Straight down where two points stand above each other, else in a smooth S."""
    x, y = points[0]
    drawn = [f"M{x:.1f} {y:.1f}"]
    for across, down in points[1:]:
        if abs(across - x) < 0.05:
            if down > y:
                drawn.append(f"V{down:.1f}")
        else:
            half = (y + down) / 2
            drawn.append(f"C{x:.1f} {half:.1f} {across:.1f} {half:.1f} {across:.1f} {down:.1f}")
        x, y = across, down
    return "".join(drawn)


def _arrow(tip: Point) -> str:
    x, y = tip
    return f'<path d="M{x:.1f} {y:.1f}l-3.5 -6h7z"/>'
