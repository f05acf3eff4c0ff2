"""N704: units that all begin the same."""

from __future__ import annotations

from collections.abc import Iterator

from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.tensors import weighted

__all__ = ["symmetric_units"]


@rule("N704", "symmetric-units", "warning", fix="none", uses=("weights",))
def symmetric_units(net: Subject) -> Iterator[Evidence]:
    """All units of a layer have the same weights.

    What: a layer all of whose units (of each group) have equal weights, which are not all one number; depthwise
        filters, which read different channels, may be equal.
    Why: equal units give equal outputs; where what reads them does not tell them apart either, they get equal
        gradients, and the layer stays as good as a single unit.
    Example: A dense layer whose 128 rows were all copied from one.
    Instead: conv 16 3 > relu > globalavgpool > dense 10
    Fix: none: draw the weights anew (he or xavier).
    Source: Goodfellow, Bengio and Courville 2016, "Deep learning", section 8.4 (breaking symmetry).
    """
    for entry in weighted(net):
        units = len(entry.rows) // entry.groups
        blocks = entry.rows.reshape(entry.groups, units, -1)
        if units < 2 or (entry.rows == entry.rows.flat[0]).all():
            continue
        if (blocks == blocks[:, :1]).all():
            inside = "" if entry.groups == 1 else f" of each of {entry.groups} groups"
            yield Evidence(
                entry.node.name,
                f"all {units} units{inside} have the same weights: it computes as much as 1 unit",
                fix="draw the weights anew, for instance he",
            )
