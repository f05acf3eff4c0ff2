"""N702: filters that are copies of each other."""

from __future__ import annotations

from collections.abc import Iterator

from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.tensors import Weighted, weighted
from striate.units import format_count

__all__ = ["duplicated_filters"]

#: Two filters are equal when they differ by at most this share of their norm.
_CLOSE = 1e-5
#: How many neighbours in the order of one projection are compared.
_NEAR = 8


@rule("N702", "duplicated-filters", "warning", fix="none", uses=("weights",))
def duplicated_filters(net: Subject) -> Iterator[Evidence]:
    """Some filters of a layer are equal.

    What: filters of one layer (and one group) with equal weights and bias, exactly or to 1/100,000 of their norm.
        Silent where all filters are equal (symmetric-units) or zero, and for filters that are each other's negative:
        behind a relu they say different things.
    Why: equal filters get equal inputs and, unless what reads them differs, equal gradients: they stay equal, and one
        of them would do.
    Example: A conv with 64 filters of which two were copied.
    Instead: conv 16 3 > relu > globalavgpool > dense 10
    Fix: none: a smaller layer whose readers have the sum of the weights computes the same.
    Source: RoyChowdhury et al. 2017, "Reducing duplicate filters in deep neural networks"; on negatives Shang et al.
        2016, "Understanding and improving convolutional neural networks via concatenated rectified linear units".
    """
    if net.weights is None:
        return
    import numpy as np

    for entry in weighted(net):
        with np.errstate(over="ignore", invalid="ignore"):
            pairs = _pairs(entry)
        units = len(entry.rows)
        if pairs and len(pairs) < units - entry.groups:
            shown = ", ".join(f"{one} and {other}" for one, other in pairs[:3]) + (", …" if len(pairs) > 3 else "")
            count = len({other for _, other in pairs})
            yield Evidence(
                entry.node.name,
                f"{count} of its {units} filters {'is a copy' if count == 1 else 'are copies'} of another ({shown}): "
                f"{format_count(count * entry.each)} parameters without effect",
                fix=f"{units - count} filters",
            )


def _pairs(entry: Weighted) -> list[tuple[int, int]]:
    """For each copy an earlier filter that it equals; filters that are zero are left out."""
    import numpy as np

    rows, each = entry.rows, len(entry.rows) // entry.groups
    if each < 2:
        return []
    bias = np.zeros(len(rows), rows.dtype) if entry.bias is None else entry.bias
    # Equal filters have equal projections, so that only neighbours in their order have to be compared.
    direction = np.random.default_rng(0).standard_normal((rows.shape[1],)).astype(rows.dtype)
    projected = rows @ direction + bias
    norms = np.sqrt(np.einsum("ij,ij->i", entry.rows, entry.rows, dtype=np.float64))
    found: dict[int, int] = {}
    for group in range(entry.groups):
        order = group * each + np.argsort(projected[group * each : (group + 1) * each], kind="stable")
        for distance in range(1, min(_NEAR, each - 1) + 1):
            one, other = order[:-distance], order[distance:]
            reach = _CLOSE * np.maximum(norms[one], norms[other])
            near = np.abs(projected[one] - projected[other]) <= reach * 10 * np.sqrt(rows.shape[1])
            for a, b in zip(one[near & (reach > 0)], other[near & (reach > 0)], strict=True):
                difference = rows[a] - rows[b]
                if difference @ difference + (bias[a] - bias[b]) ** 2 <= (_CLOSE * norms[a]) ** 2:
                    first, copy = sorted((int(a), int(b)))
                    found[copy] = min(found.get(copy, first), first)
    return sorted((first, copy) for copy, first in found.items())
