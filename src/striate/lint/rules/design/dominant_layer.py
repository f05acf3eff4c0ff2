"""N504: one layer that costs more than all others together."""

from __future__ import annotations

from collections.abc import Iterator

from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import format_count, format_share

__all__ = ["dominant_layer"]

#: In a network of fewer layers with multiply-adds than this one of them has most as a matter of course.
_FEW = 5


@rule("N504", "dominant-layer", "info")
def dominant_layer(net: Subject) -> Iterator[Evidence]:
    """One layer has more multiply-adds than all others together.

    What: a layer with more than half of the network's multiply-adds, where at least 5 layers have some. Silent where
        operations are in it that no rule counts.
    Why: whoever wants the network faster begins there; no change elsewhere can make it twice as fast.
    Example: conv 64 3 > conv 64 7 > maxpool 4 > conv 32 3 > conv 32 3 > flatten > dense 10
    Instead: conv 16 3 same > conv 16 3 same > conv 16 3 same > conv 16 3 same > globalavgpool > dense 10
    Fix: none: fewer channels, a smaller kernel, a stride before it, or two thinner layers in its place.
    Source: Amdahl 1967, "Validity of the single processor approach to achieving large scale computing capabilities".
    """
    costly = [entry for entry in net.report.nodes if entry.macs]
    if len(costly) < _FEW or net.report.uncounted:
        return
    most = max(costly, key=lambda entry: entry.macs)
    if 2 * most.macs > net.report.macs:
        yield Evidence(
            most.name,
            f"it has {format_share(most.macs, net.report.macs)} of the MACs: {format_count(most.macs)} of "
            f"{format_count(net.report.macs)}, {len(costly)} layers in all",
            fix="fewer channels, a smaller kernel, or a stride before it",
        )
