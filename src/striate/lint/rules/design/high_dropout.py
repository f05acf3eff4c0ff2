"""N307: more dropped than kept."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph.layers.dropout import Dropout
from striate.lint.rule import Edit, Evidence, rule
from striate.lint.subject import Subject

__all__ = ["high_dropout"]


@rule("N307", "high-dropout", "info", fix="unsafe")
def high_dropout(net: Subject) -> Iterator[Evidence]:
    """Dropout drops more than half.

    What: dropout with a probability above 0.5.
    Why: a number x becomes 0 or x / (1 - p): noise of variance p / (1 - p) · x². From p = 0.5 on the noise is larger
        than the number. Half is where dropout adds the most different networks; above it layers must be wider to
        compensate.
    Example: conv 16 3 > relu > globalavgpool > dropout 0.7 > dense 10
    Instead: conv 16 3 > relu > globalavgpool > dropout 0.5 > dense 10
    Fix: unsafe: probability 0.5; training changes, inference does not.
    Source: Srivastava et al. 2014, section 7.3 and appendix A (p of 0.5 to 0.8 kept in hidden layers); Schoop, Huang
        and Hartmann 2021 (UMLAUT), on dropout above 0.5.
    """
    for node in net.graph.nodes:
        if isinstance(node.layer, Dropout) and node.layer.probability > 0.5:
            share = node.layer.probability
            yield Evidence(
                node.name,
                f"it drops {100 * share:g} % and multiplies the rest by {1 / (1 - share):.3g}: "
                f"the noise has {share / (1 - share):.3g} times the power of the signal",
                fix="probability: 0.5",
                edits=(Edit(node.name, "probability", 0.5),),
            )
