"""The lines of the inspect table as plain text; the terminal and the page draw the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from striate.units import Shape, format_bytes, format_count, format_shape, format_share
from striate.views.layer_wording import report_words

if TYPE_CHECKING:
    from striate.analysis.alignment import Misalignment
    from striate.analysis.receptive_field import AxisField
    from striate.analysis.report import NodeReport, Report

__all__ = [
    "InspectRow",
    "Notes",
    "alignment_notes",
    "field_words",
    "inspect_notes",
    "inspect_rows",
    "node_field_words",
    "output_words",
]

Notes = Sequence[tuple[str, str]]
"""Names and values that stand below a table."""

FLOAT32 = 4
"""Bytes of one number."""
_NAMED = 6
"""So many nodes are named in a note."""


@dataclass(frozen=True, slots=True)
class InspectRow:
    """One node, ready to print; ``–`` stands for none.

    Args:
        name: the node.
        what: its layer in a few words.
        shape: what leaves it, ``16×32×32``.
        parameters: with thousands separated.
        parameters_share: of the network's, in percent.
        macs: with thousands separated.
        macs_share: of the network's, in percent.
        field: its receptive field.
    """

    name: str
    what: str
    shape: str
    parameters: str
    parameters_share: str
    macs: str
    macs_share: str
    field: str


def node_field_words(node: NodeReport, image: Shape) -> str:
    """A node's receptive field; where gates make it the whole image, in brackets without them: ``whole (7×7)``.

    Args:
        node: its numbers.
        image: the shape of one image.
    """
    words, without = field_words(node.field, image), field_words(node.local, image)
    return words if words == without else f"{words} ({without})"


def field_words(field: tuple[AxisField, ...], image: Shape) -> str:
    """A receptive field: ``5×5``, ``whole`` where every unit sees the whole image, ``–`` where there is none.

    ``≤`` stands before a field that lies around what several units see, of which one may see less: behind branches with
    different strides, and behind an upsampling whose phases are too many to follow. Where they are followed, the field
    is that of the unit that sees most.

    Args:
        field: along each axis of the image.
        image: the shape of one image.

    >>> from striate.analysis import AxisField
    >>> field_words((AxisField(-2, 2, 1), AxisField(-3, 3, 1)), (3, 32, 32))
    '5×7'
    >>> field_words((AxisField(0, 31, 0, "whole"),) * 2, (3, 32, 32)), field_words((), (3, 32, 32))
    ('whole', '–')
    >>> field_words((AxisField(-8, 8, 1, at_most=True),) * 2, (3, 32, 32))
    '≤17×17'
    """
    if not field:
        return "–"
    mixed = any(axis.kind == "mixed" for axis in field)
    if not mixed and all(axis.covers(size) for axis, size in zip(field, image[1:], strict=True)):
        return "whole"
    bound = mixed or any(axis.at_most for axis in field)
    return ("≤" if bound else "") + "×".join(str(axis.size) for axis in field)


def output_words(report: Report) -> str:
    """The shape of every output: ``255×13×13 and 255×26×26``."""
    shapes = [format_shape(node.shape) for node in report.leaving] if report.outputs else [format_shape(report.output)]
    return shapes[0] if len(shapes) == 1 else f"{', '.join(shapes[:-1])} and {shapes[-1]}"


def inspect_rows(report: Report) -> tuple[InspectRow, ...]:
    """Every node of a report, in order."""
    parameters, macs = report.parameters, report.macs
    return tuple(
        InspectRow(
            name=node.name,
            what=what,
            shape=format_shape(node.shape),
            parameters=_count(node.parameters),
            parameters_share=format_share(node.parameters, parameters) if node.parameters else "–",
            macs=_count(node.macs),
            macs_share=format_share(node.macs, macs) if node.macs else "–",
            field=node_field_words(node, report.input),
        )
        for node, what in zip(report.nodes, report_words(report), strict=True)
    )


def inspect_notes(report: Report) -> tuple[tuple[str, str], ...]:
    """What stands below the table: names and values of the totals."""
    parameters = format_count(report.parameters)
    notes = [
        ("parameters", f"{parameters} = {format_bytes(FLOAT32 * report.parameters)} of weights as float32"),
        ("MACs", f"{format_count(report.macs)} per image (FLOPs = 2 × MACs)"),
        ("receptive field", _output_field(report)),
    ]
    if any(axis.kind == "mixed" for node in report.nodes for axis in node.field):
        notes.append(("≤", "branches with different strides meet there: the hull over all units"))
    elif any(field_words(node.field, report.input).startswith("≤") for node in report.nodes):
        notes.append(("≤", "at most: behind an upsampling whose phases are not followed; --unit shows one unit"))
    if any(node.ungated for node in report.nodes):
        notes.append(
            ("whole (…)", "every unit sees the whole image through a gate; in brackets its field without gates")
        )
    if report.uncounted:
        names = ", ".join(report.uncounted)
        notes.append(("uncounted", f"{names}: no layer describes them, so the totals are lower bounds"))
    return tuple(notes)


def alignment_notes(misaligned: Sequence[Misalignment]) -> Notes:
    """That branches look at different places of the image where they meet; nothing where none do.

    Branches that only begin at different places, as causal convolutions make them, are meant to and not told.
    """
    names = list(dict.fromkeys(entry.node for entry in misaligned if not entry.causal))
    if not names:
        return ()
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    where = ", ".join(names[:_NAMED]) + more
    return (("misaligned", f"the branches that meet at {where} look at different places of the image; see --advice"),)


def _output_field(report: Report) -> str:
    words = [field_words(node.field, report.input) for node in report.leaving]
    if len(words) > 1:
        return ", ".join(f"{word} at {node.name}" for word, node in zip(words, report.leaving, strict=True))
    if words[0] == "whole":
        return "every output sees the whole image"
    if words[0] == "–":
        return "the output does not depend on the image"
    return f"{words[0].replace('≤', 'at most ')} pixels at the output"


def _count(count: int) -> str:
    return format_count(count) if count else "–"
