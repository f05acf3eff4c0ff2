"""A network as a Mermaid flowchart, which many wikis and code forges draw."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from striate.views.diagram_boxes import Box, Frame, diagram
from striate.views.safe_text import visible

if TYPE_CHECKING:
    from striate.analysis.report import Report

__all__ = ["mermaid_diagram"]


def mermaid_diagram(report: Report, depth: int | None = None) -> str:
    """The diagram of a network as Mermaid text, with the boxes, frames and arrows of :func:`svg_diagram`.

    Args:
        report: of any network.
        depth: groups with so many parts in their name are one box; default: as deep as is still readable.

    >>> from striate.analysis import inspect
    >>> from striate.graph import network
    >>> print(mermaid_diagram(inspect(network("tiny", (1, 8, 8)).conv(4, 3).relu().build())))
    flowchart TD
      b0["image<br>input · 1×8×8"]
      b1["conv 4, 3×3<br>relu<br>conv1 · 4×6×6"]
      b0 --> b1
    <BLANKLINE>
    """
    drawn = diagram(report, depth)
    numbers = {id(box): number for number, box in enumerate(drawn.boxes)}
    lines = ["flowchart TD", *_lines(drawn.root, numbers, "  ", iter(range(len(report.nodes))))]
    lines += [f"  b{source} --> b{target}" for source, target in drawn.arrows]
    return "\n".join(lines) + "\n"


def _lines(frame: Frame, numbers: dict[int, int], indent: str, frames: Iterator[int]) -> Iterator[str]:
    for part in frame.parts:
        if isinstance(part, Box):
            name = part.name.removeprefix(f"{frame.label}.") if frame.label else part.name
            text = "<br>".join(_text(line) for line in (part.title, part.followers, f"{name} · {part.shape}") if line)
            meeting = part.nodes[0].kind in ("add", "concat", "multiply") and not part.group
            opening, closing = ('(["', '"])') if meeting else ('["', '"]')
            yield f"{indent}b{numbers[id(part)]}{opening}{text}{closing}"
        else:
            label = f"{part.label} ({part.times} ×)" if part.times > 1 else part.label
            yield f'{indent}subgraph f{next(frames)}["{_text(label)}"]'
            yield from _lines(part, numbers, indent + "  ", frames)
            yield f"{indent}end"


def _text(text: str) -> str:
    """Text inside quotation marks; Mermaid takes entities without ampersand."""
    safe = visible(text).replace("#", "#35;")
    for mark, entity in (("&", "#amp;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;")):
        safe = safe.replace(mark, entity)
    return safe
