"""N314: normalised outputs."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph.layers.activation import Softmax
from striate.graph.layers.normalization import BatchNorm, Normalization
from striate.graph.layers.reshape import Flatten, Identity
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import before

__all__ = ["normalization_at_output"]


@rule("N314", "normalization-at-output", "warning", fix="none")
def normalization_at_output(net: Subject) -> Iterator[Evidence]:
    """The outputs for the classes are normalised.

    What: batch, layer, group or instance normalisation as the last layer of a network with classes. Silent for
        networks without classes, whose output may be a feature that is meant to be normalised.
    Why: the scale of the logits is how sure the network is, and normalisation fixes it: only its learned scale can
        change it, for all images alike. Behind batch normalisation a logit also depends on the other images of the
        batch.
    Example: conv 16 3 > relu > globalavgpool > dense classes > batchnorm
    Instead: conv 16 3 > relu > globalavgpool > dense classes
    Fix: none: the last dense layer gives the outputs.
    Source: Goodfellow, Bengio and Courville 2016, "Deep learning", section 6.2.2.3 (softmax units take unnormalised
        log probabilities from a linear layer).
    """
    if net.graph.classes is None:
        return
    for output in dict.fromkeys(net.graph.outputs):
        node = net.graph[output]
        if isinstance(node.layer, Softmax | Identity | Flatten):
            found = before(net, node, (Softmax, Identity, Flatten))
            if found is None:
                continue
            node = found
        if isinstance(node.layer, Normalization) and net.graph.shapes[node.name][0] == net.graph.classes:
            over = "the batch" if isinstance(node.layer, BatchNorm) else "each image"
            yield Evidence(
                node.name,
                f"the outputs for {net.graph.classes} classes are normalised over {over}: "
                "their scale no longer says how sure the network is",
                fix=f"leave {node.name} out",
            )
