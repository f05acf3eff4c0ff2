"""N402: probabilities where a loss takes logits."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.graph.layers.activation import Softmax
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject

__all__ = ["softmax_before_cross_entropy"]


@rule("N402", "softmax-before-cross-entropy", "warning", fix="none", uses=("loss",))
def softmax_before_cross_entropy(net: Subject) -> Iterator[Evidence]:
    """The network ends in softmax, and cross-entropy takes logits.

    What: softmax as the last layer where the loss is known to be cross-entropy; an info for an imported Python module
        whose loss is not known. Striate's own training leaves a softmax at the end out and applies it again in
        prediction; PyTorch's CrossEntropyLoss does not.
    Why: cross-entropy applies softmax itself. To numbers between 0 and 1 it gives nearly equal probabilities: the loss
        cannot fall below ln(e + C - 1) - 1 for C classes, and the gradient shrinks from both ends.
    Example: conv 16 3 > relu > globalavgpool > dense 10 > softmax with loss=cross-entropy
    Instead: conv 16 3 > relu > globalavgpool > dense 10 with loss=cross-entropy
    Fix: none: leave the softmax out where the network is trained with another tool, and apply it to its outputs.
    Source: PyTorch, torch.nn.CrossEntropyLoss ("the input is expected to contain the unnormalized logits"); Humbatova
        et al. 2020, "Taxonomy of real faults in deep learning systems" (wrong or redundant last activation).
    """
    imported = any(node.origin is not None and ".py:" in node.origin for node in net.graph.nodes)
    if net.loss != "cross-entropy" and not (net.loss is None and imported):
        return
    for output in dict.fromkeys(net.graph.outputs):
        node = net.graph[output]
        count = net.graph.shapes[output][0]
        if isinstance(node.layer, Softmax) and count > 1:
            floor = math.log(math.e + count - 1) - 1
            best = math.e / (math.e + count - 1)
            yield Evidence(
                output,
                f"cross-entropy takes logits, and softmax gives {count} numbers between 0 and 1: "
                f"the loss cannot fall below {floor:.3f}, and no class gets more than {100 * best:.1f} %",
                fix=f"leave {output} out where another tool than Striate trains it",
                severity=None if net.loss == "cross-entropy" else "info",
            )
