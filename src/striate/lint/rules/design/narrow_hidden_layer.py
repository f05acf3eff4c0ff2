"""N409: fewer numbers than classes before the outputs."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph.layers.activation import Activation
from striate.graph.layers.dense import Dense
from striate.graph.layers.dropout import Dropout
from striate.graph.layers.normalization import Normalization
from striate.graph.layers.reshape import Identity
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import before, last_weighted

__all__ = ["narrow_hidden_layer"]


@rule("N409", "narrow-hidden-layer", "info", fix="none")
def narrow_hidden_layer(net: Subject) -> Iterator[Evidence]:
    """The hidden layer before the outputs has fewer units than there are outputs.

    What: a hidden dense layer, narrower than the dense layer of the outputs that reads it.
    Why: all logits are weighted sums of these few numbers: of every set of images the matrix of logits has at most so
        high a rank, and not every order of the classes can be expressed.
    Example: conv 16 3 > relu > globalavgpool > dense 8 > relu > dense 10
    Instead: conv 16 3 > relu > globalavgpool > dense 16 > relu > dense 10
    Fix: none: at least as many hidden units as outputs, or none: the dense layer alone.
    Source: Yang et al. 2018, "Breaking the softmax bottleneck", section 2.
    """
    for output in dict.fromkeys(net.graph.outputs):
        ending = last_weighted(net, output)
        if ending is None or not isinstance(ending[0].layer, Dense):
            continue
        last, units = ending[0], ending[0].layer.units
        hidden = before(net, last, (Activation, Dropout, Identity, Normalization))
        if hidden is not None and isinstance(hidden.layer, Dense) and hidden.layer.units < units:
            width = hidden.layer.units
            yield Evidence(
                hidden.name,
                f"the {units} outputs of {last.name} are told apart by its {width} numbers: "
                f"logits of rank at most {width + last.layer.bias if isinstance(last.layer, Dense) else width}",
                fix=f"units: {units} or more, or {last.name} alone",
            )
