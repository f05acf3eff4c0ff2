"""N408: logits set to 0 at random."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph.layers.dense import Dense
from striate.graph.layers.dropout import Dropout
from striate.lint.rule import Edit, Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import last_weighted

__all__ = ["dropout_at_logits"]


@rule("N408", "dropout-at-logits", "warning", fix="unsafe")
def dropout_at_logits(net: Subject) -> Iterator[Evidence]:
    """Dropout stands behind the layer that gives the outputs.

    What: dropout between the last dense layer and the output.
    Why: in training logits become 0 at random, that of the right class too, which says nothing about the image and no
        weight can learn to avoid; the rest are scaled up, so that the network is trained surer than it is asked to be.
    Example: conv 16 3 > relu > globalavgpool > dense 10 > dropout 0.5
    Instead: conv 16 3 > relu > globalavgpool > dropout 0.5 > dense 10
    Fix: unsafe: the dropout is left out; training changes, inference does not.
    Source: Srivastava et al. 2014, section 4 (dropout is applied to inputs and hidden units).
    """
    for output in dict.fromkeys(net.graph.outputs):
        ending = last_weighted(net, output)
        if ending is None or not isinstance(ending[0].layer, Dense):
            continue
        for node in ending[1]:
            if isinstance(node.layer, Dropout) and node.layer.probability > 0:
                share = node.layer.probability
                yield Evidence(
                    node.name,
                    f"it stands behind the {ending[0].layer.units} outputs of {ending[0].name}: in training each of "
                    f"them is 0 for {100 * share:g} % of the images, and else {1 / (1 - share):.3g} times as large",
                    fix=f"{node.name} before {ending[0].name}",
                    edits=(Edit(node.name),),
                )
