"""N503: an activation computed on numbers of which max pooling throws most away."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.graph import Layer
from striate.graph.layers.activation import LeakyReLU, ReLU, Sigmoid, Tanh
from striate.graph.layers.clipped import Hardsigmoid, ReLU6
from striate.graph.layers.pooling import MaxPool
from striate.graph.layers.smooth import Softplus
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import format_count, format_share

__all__ = ["pool_before_activation"]

#: Functions that never fall: the largest of their values is their value of the largest.
_RISING: tuple[type[Layer], ...] = (ReLU, ReLU6, LeakyReLU, Sigmoid, Tanh, Hardsigmoid, Softplus)


@rule("N503", "pool-before-activation", "info")
def pool_before_activation(net: Subject) -> Iterator[Evidence]:
    """An activation stands before max pooling, where it would give the same behind it.

    What: a max pooling that makes a map smaller and is the only reader of an activation that never falls (ReLU, ReLU6,
        leaky ReLU with a slope of at least 0, sigmoid, tanh, hard sigmoid, softplus).
    Why: for a function that never falls, max(f(x)) = f(max(x)): pooled first, the function is computed on the
        numbers that are left. The saving is one of memory traffic more than of arithmetic.
    Example: conv 16 3 padding=1 > relu > maxpool 2 > globalavgpool > dense 10
    Instead: conv 16 3 padding=1 > maxpool 2 > relu > globalavgpool > dense 10
    Fix: none: the two layers in the other order; the output stays the same.
    Source: the identity above, which the tests check on random maps.
    """
    for node in net.graph.nodes:
        if not isinstance(node.layer, MaxPool):
            continue
        source = net.source(node)
        if not isinstance(source.layer, _RISING) or net.only_reader(source) is not node:
            continue
        if isinstance(source.layer, LeakyReLU) and source.layer.slope < 0:
            continue
        before, after = math.prod(net.graph.shapes[source.name]), math.prod(net.graph.shapes[node.name])
        if after < before:
            yield Evidence(
                source.name,
                f"it stands before {node.name}, and behind it would give the same: {format_count(before - after)} of "
                f"its {format_count(before)} evaluations ({format_share(before - after, before)}) would be saved",
                fix=f"{source.name} behind {node.name}",
            )
