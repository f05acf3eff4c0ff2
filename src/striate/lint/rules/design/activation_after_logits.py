"""N401: logits bent by an activation."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.graph import Layer, Node
from striate.graph.layers.activation import Activation, Sigmoid, Softmax
from striate.graph.layers.clipped import Hardsigmoid
from striate.graph.layers.dense import Dense
from striate.lint.bounds import Bounds, bounds
from striate.lint.rule import Edit, Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import last_weighted
from striate.units import format_share

__all__ = ["activation_after_logits"]


@rule("N401", "activation-after-logits", "warning", fix="unsafe", uses=("loss",))
def activation_after_logits(net: Subject) -> Iterator[Evidence]:
    """An activation stands behind the layer that gives the logits.

    What: the last dense layer of a network with classes, one output for each, with an activation behind it other than
        softmax; sigmoid only where the loss is known to be cross-entropy, as networks for tags end in it.
    Why: softmax and cross-entropy take logits of any size and sign. Behind relu a logit below 0 gets no gradient, and
        all of them look alike; behind a bounded activation no class can be more than so sure.
    Example: conv 16 3 > relu > globalavgpool > dense classes > relu
    Instead: conv 16 3 > relu > globalavgpool > dense classes
    Fix: unsafe: the activation is left out; the outputs change.
    Source: Schoop, Huang and Hartmann 2021 (UMLAUT), on activations of the last layer; Goodfellow, Bengio and Courville
        2016, "Deep learning", section 6.2.2.3.
    """
    if net.graph.classes is None and net.loss != "cross-entropy":
        return
    within = bounds(net.graph)
    for output in dict.fromkeys(net.graph.outputs):
        ending = last_weighted(net, output)
        if ending is None or not isinstance(ending[0].layer, Dense):
            continue
        logits, rest = ending
        units = logits.layer.units if isinstance(logits.layer, Dense) else 0
        if units < 2 or net.graph.classes not in (None, units):
            continue
        for node in rest:
            if isinstance(node.layer, Activation) and _wrong(net, node.layer):
                yield Evidence(
                    node.name,
                    f"{node.layer.kind} stands behind the logits of {logits.name}: "
                    f"{_harm(node, within[node.name], units)}",
                    fix=f"leave {node.name} out",
                    edits=(Edit(node.name),),
                )


def _wrong(net: Subject, layer: Layer) -> bool:
    if isinstance(layer, Softmax):
        return False
    known = net.loss == "cross-entropy"
    return known or (net.loss is None and not isinstance(layer, Sigmoid | Hardsigmoid))


def _harm(node: Node, known: Bounds, units: int) -> str:
    if math.isfinite(known.low) and math.isfinite(known.high):
        best = 1 / (1 + (units - 1) * math.exp(known.low - known.high))
        share = format_share(round(best * 1000), 1000)
        return f"no class of {units} can get more than {share} from softmax"
    if known.low >= 0:
        return "all logits below 0 become the same and get no gradient"
    return "large negative logits are lost"
