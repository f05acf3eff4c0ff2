"""N403: probabilities where binary cross-entropy takes logits."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph.layers.activation import Sigmoid
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject

__all__ = ["sigmoid_before_bce"]


@rule("N403", "sigmoid-before-bce", "warning", fix="none", uses=("loss",))
def sigmoid_before_bce(net: Subject) -> Iterator[Evidence]:
    """The network ends in sigmoid, and binary cross-entropy takes logits.

    What: sigmoid as the last layer where the loss is known to be binary cross-entropy with logits, as Striate's is.
        Striate's own training leaves a sigmoid at the end out where the images have tags.
    Why: the loss applies the sigmoid itself. To a number between 0 and 1 it gives a probability between 0.5 and 0.731:
        no tag can be denied, and the loss of one that is absent cannot fall below ln 2.
    Example: conv 16 3 > relu > globalavgpool > dense 10 > sigmoid with loss=bce
    Instead: conv 16 3 > relu > globalavgpool > dense 10 with loss=bce
    Fix: none: leave the sigmoid out where the network is trained with another tool, and apply it to its outputs.
    Source: PyTorch, torch.nn.BCEWithLogitsLoss (it combines a sigmoid and the loss); Nikanjam et al. 2021 (NeuraLint),
        rules on the last activation and the loss.
    """
    if net.loss not in ("bce", "binary-cross-entropy"):
        return
    for output in dict.fromkeys(net.graph.outputs):
        if isinstance(net.graph[output].layer, Sigmoid):
            yield Evidence(
                output,
                "binary cross-entropy takes logits, and sigmoid gives numbers between 0 and 1: "
                "the loss of an absent tag cannot fall below 0.693, that of a present one below 0.313",
                fix=f"leave {output} out where another tool than Striate trains it, or where the labels are classes",
            )
