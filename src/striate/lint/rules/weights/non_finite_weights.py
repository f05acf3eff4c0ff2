"""N705: weights that are no numbers."""

from __future__ import annotations

from collections.abc import Iterator

from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.tensors import tensors
from striate.units import format_count

__all__ = ["non_finite_weights"]


@rule("N705", "non-finite-weights", "error", fix="none", uses=("weights",))
def non_finite_weights(net: Subject) -> Iterator[Evidence]:
    """Some weights are not finite.

    What: a tensor, statistics included, with NaN or infinity in it.
    Why: every output that depends on it is no number.
    Example: Weights of a training that diverged.
    Instead: conv 16 3 > relu > globalavgpool > dense 10
    Fix: none: load weights from before; train with a smaller learning rate or clipped gradients.
    Source: IEEE 754: what is computed from a NaN is a NaN.
    """
    if net.weights is None:
        return
    import numpy as np

    for node, entry, array in tensors(net):
        finite = np.isfinite(array)
        if finite.all():
            continue
        wrong, nans = int(array.size - finite.sum()), int(np.isnan(array).sum())
        verb = "is" if wrong == 1 else "are"
        place = [int(index) for index in np.unravel_index(int(np.argmin(finite)), array.shape)]
        yield Evidence(
            node.name,
            f"{format_count(wrong)} of the {format_count(array.size)} numbers of its {entry.name} {verb} not finite "
            f"({format_count(nans)} NaN, {format_count(wrong - nans)} infinite), the first at {place}",
            fix="load weights from before they diverged",
        )
