"""N701: filters whose weights are all nearly zero."""

from __future__ import annotations

from collections.abc import Iterator

from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.tensors import weighted
from striate.units import format_count

__all__ = ["dead_filters"]

#: A filter is dead from this share of the layer's median norm down.
_SHARE = 1e-4


@rule("N701", "dead-filters", "warning", fix="none", uses=("weights",))
def dead_filters(net: Subject) -> Iterator[Evidence]:
    """Some filters of a layer have no weight to speak of.

    What: filters or units whose weights have a norm of at most 1/10,000 of the layer's median; a layer that is zero as
        a whole is constant-weights' matter.
    Why: they give the same number for every image, or noise: their parameters, and those that read them, do nothing.
        Weight decay drives filters there that get no gradient.
    Example: A trained conv with 64 filters, 5 of which have only zeros.
    Instead: conv 16 3 > relu > globalavgpool > dense 10
    Fix: none: a smaller layer without them computes the same; or find out why they died (learning rate, dead relus).
    Source: Li et al. 2017, "Pruning filters for efficient ConvNets", section 3.1 (the norm of a filter).
    """
    if net.weights is None:
        return
    import numpy as np

    for entry in weighted(net):
        norms = np.sqrt(np.einsum("ij,ij->i", entry.rows, entry.rows, dtype=np.float64))
        if len(norms) < 2 or not norms.any():
            continue
        limit = _SHARE * float(np.median(norms[norms > 0]))
        dead = np.flatnonzero(norms <= limit)
        if len(dead):
            shown = ", ".join(str(index) for index in dead[:5]) + (", …" if len(dead) > 5 else "")
            yield Evidence(
                entry.node.name,
                f"{len(dead)} of its {len(norms)} filters ({shown}) have no weight above 1/10,000 of the usual: "
                f"{format_count(len(dead) * entry.each)} parameters without effect",
                fix=f"{len(norms) - len(dead)} filters",
            )
