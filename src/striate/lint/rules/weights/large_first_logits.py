"""N802: a network that is sure before it has seen an image."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.graph.layers.dense import Dense
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.tensors import is_fresh
from striate.lint.traits import last_weighted

__all__ = ["large_first_logits"]

#: Logits of a larger deviation than this make one class nearly sure.
_DEVIATION = 5.0


@rule("N802", "large-first-logits", "warning", fix="none", uses=("weights",))
def large_first_logits(net: Subject) -> Iterator[Evidence]:
    """The first weights make logits so large that one class is nearly sure.

    What: weights that look freshly drawn, and logits for the classes with a deviation above 5, followed from the image
        as poor-initialization does.
    Why: cross-entropy starts at ln C for C even chances. Large logits are a sure guess, wrong for most images: the loss
        starts far above, and the first steps only take the guess back.
    Example: A last dense layer drawn with deviation 1 instead of 1/√inputs.
    Instead: conv 16 3 > relu > globalavgpool > dense classes
    Fix: none: smaller weights in the last layer, xavier or deviation 0.01.
    Source: Karpathy 2019, "A recipe for training neural networks" (verify the loss at the beginning); Ben Braiek and
        Khomh 2023 (TheDeepChecker), on the initial loss.
    """
    if net.weights is None or net.graph.classes is None or not is_fresh(net):
        return
    from striate.lint.signal import signal

    powers = signal(net)
    for output in dict.fromkeys(net.graph.outputs):
        ending = last_weighted(net, output)
        if ending is None or not isinstance(ending[0].layer, Dense) or ending[0].layer.units != net.graph.classes:
            continue
        power, classes = powers[ending[0].name], net.graph.classes
        if power is None or classes < 2 or not _DEVIATION**2 < power < 1e6:
            continue
        yield Evidence(
            ending[0].name,
            f"its logits start with a deviation of about {math.sqrt(power):.2g}: the first loss is about "
            f"{_first_loss(math.sqrt(power), classes):.2g} in place of ln {classes} = {math.log(classes):.2f}",
            fix="smaller first weights in the last layer (xavier, or deviation 0.01)",
        )


def _first_loss(deviation: float, classes: int) -> float:
    """The mean cross-entropy of normal logits: log Σ exp, less a logit of mean 0."""
    import numpy as np

    drawn = np.random.default_rng(0).standard_normal((1024, min(classes, 1000))) * deviation
    top = drawn.max(axis=1)
    return float((top + np.log(np.exp(drawn - top[:, None]).sum(axis=1))).mean())
