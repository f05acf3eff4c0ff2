"""N306: the maximum over what dropout left is not what it is at inference."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.graph.layers.activation import Activation
from striate.graph.layers.dropout import Dropout
from striate.graph.layers.pooling import MaxPool
from striate.graph.layers.reshape import Identity
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import before
from striate.units import format_share

__all__ = ["dropout_before_maxpool"]


@rule("N306", "dropout-before-maxpool", "info", fix="none")
def dropout_before_maxpool(net: Subject) -> Iterator[Evidence]:
    """Dropout stands before a maximum.

    What: a max pooling that reads what dropout of single numbers left.
    Why: the largest number of a window is dropped with probability p, and the next one takes its place, scaled up:
        in training a random one of the large numbers leaves, at inference always the largest. The scaling by
        1 / (1 - p) keeps the mean of a number, not that of a maximum.
    Example: conv 16 3 > relu > dropout 0.5 > maxpool 2 > globalavgpool > dense 10
    Instead: conv 16 3 > relu > maxpool 2 > dropout 0.5 channels=true > globalavgpool > dense 10
    Fix: none: put dropout behind the pooling, where it drops what counts; the result of training changes.
    Source: Wu and Gu 2015, "Towards dropout training for convolutional neural networks" (max-pooling dropout draws from
        a multinomial distribution in training); Nikanjam et al. 2021 (NeuraLint), rule on dropout before pooling.
    """
    for node in net.graph.nodes:
        if not isinstance(node.layer, MaxPool):
            continue
        first = before(net, node, (Identity, Activation))
        if first is None or not isinstance(first.layer, Dropout):
            continue
        share, whole = first.layer.probability, first.layer.channels
        window = math.prod(entry.kernel for entry in node.layer.windows(len(net.graph.shapes[node.name]) - 1))
        if share == 0 or whole or window == 1:
            continue
        yield Evidence(
            first.name,
            f"it stands before {node.name}: of each window of {window} the largest number is dropped with "
            f"{share:g} and the next one takes its place; all are dropped with "
            f"{format_share(max(1, round(share**window * 10**6)), 10**6)}",
            fix=f"{first.name} behind {node.name}",
        )
