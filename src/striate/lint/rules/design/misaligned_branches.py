"""N109: branches that meet without looking at the same place of the image."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from striate.analysis.alignment import Misalignment, misalignments
from striate.analysis.receptive_field import AxisField
from striate.graph.layer import axis_names
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import format_fraction

__all__ = ["misaligned_branches"]


@rule("N109", "misaligned-branches", "warning")
def misaligned_branches(net: Subject) -> Iterator[Evidence]:
    """Branches meet that do not look at the same place of the image.

    What: a merge at which the receptive fields of units with one index have their centres at different places, or
        drift apart from unit to unit. Information where that is less than one unit of the merged map, or where they
        drift by no more than that in all, as after a bilinear upsampling with aligned corners. Silent where the
        fields end at the same pixel, as causal convolutions do on purpose.
    Why: what is added or concatenated belongs to different places: edges are doubled or blurred, and in a detector or a
        segmentation the position of things is off.
    Example: A YAML network that adds a map to its own 2×2 convolution with padding: same (half a pixel apart).
    Instead: A YAML network that adds a map to its own 3×3 convolution with padding: same.
    Fix: none: the same strides and centred padding in every branch, or a crop where one branch has no padding.
    Source: Araujo, Norris and Sim 2019, "Computing receptive fields of convolutional neural networks", Distill, section
        on alignment in networks with several paths.
    """
    rank = len(net.graph.shapes[net.graph.inputs[0].name]) - 1
    apart: dict[str, list[Misalignment]] = {}
    for entry in misalignments(net.graph):
        if entry.drift or not _ends_together(net, entry):
            apart.setdefault(entry.node, []).append(entry)
    for node, entries in apart.items():
        worst = max(entries, key=lambda entry: (entry.drift, entry.centre))
        axes = " and ".join(axis_names(rank)[entry.axis] for entry in entries)
        jump = max(Fraction(branch.jump) for branch in worst.branches)
        if worst.drift:
            whole = Fraction(worst.drift) * (net.graph.shapes[node][1 + worst.axis] - 1)
            told = f"drift apart by {_pixels(worst.drift)} from unit to unit, {_pixels(whole)} over the map,"
            severity = "warning" if whole > jump else "info"
        else:
            units = Fraction(worst.centre) / jump if jump else Fraction(0)
            own = "" if jump in (0, 1) else f", {format_fraction(units)} {'unit' if units <= 1 else 'units'},"
            told = f"are {_pixels(worst.centre)}{own} apart"
            severity = "warning" if units >= 1 else "info"
        yield Evidence(
            node,
            f"the centres of what its branches see of the image {told} along the {axes}",
            fix=f"the same strides and padding before {' and '.join(branch.source for branch in worst.branches)}",
            severity="warning" if severity == "warning" else "info",
        )


def _ends_together(net: Subject, entry: Misalignment) -> bool:
    """Whether the fields of the branches end at the same pixel."""
    fields: list[AxisField] = [net.numbers[branch.source].field[entry.axis] for branch in entry.branches]
    return len({field.high for field in fields}) == 1


def _pixels(amount: int | Fraction) -> str:
    value = Fraction(amount)
    return f"{format_fraction(value)} {'pixel' if value <= 1 else 'pixels'}"
