"""N703: weights that are all one number."""

from __future__ import annotations

from collections.abc import Iterator

from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.tensors import ends_residual, tensors
from striate.units import format_count

__all__ = ["constant_weights"]


@rule("N703", "constant-weights", "warning", fix="none", uses=("weights",))
def constant_weights(net: Subject) -> Iterator[Evidence]:
    """All weights of a layer are one number.

    What: a weight tensor (not a bias, scale or shift) in which all numbers are equal; zeros at the end of a residual
        branch are left out, where they are a way to begin.
    Why: all units compute the same and get the same gradient, so that they stay the same; with zeros nothing of the
        image passes, and no gradient reaches what comes before.
    Example: A conv whose weights were set to zero.
    Instead: conv 16 3 > relu > globalavgpool > dense 10
    Fix: none: draw the weights anew (he or xavier), or load those that were meant.
    Source: Goodfellow, Bengio and Courville 2016, "Deep learning", section 8.4 (breaking symmetry); zeros in residual
        branches: Goyal et al. 2017, "Accurate, large minibatch SGD", section 5.1.
    """
    for node, entry, array in tensors(net):
        if entry.role != "weight" or array.size < 2:
            continue
        first = float(array.flat[0])
        if not (array == array.flat[0]).all() or (first == 0 and ends_residual(net, node)):
            continue
        harm = "nothing of the image passes" if first == 0 else "all its units compute the same"
        yield Evidence(
            node.name,
            f"all {format_count(array.size)} numbers of its {entry.name} are {first:.4g}: {harm}",
            fix="draw the weights anew, or load those that were meant",
        )
