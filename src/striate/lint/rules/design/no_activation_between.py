"""N303: two weighted layers with no activation between them are one."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.graph import Node
from striate.graph.attributes import per_axis
from striate.graph.layers.convolution import Conv
from striate.graph.layers.dense import Dense
from striate.graph.layers.dropout import Dropout
from striate.graph.layers.global_pooling import GlobalAvgPool
from striate.graph.layers.normalization import BatchNorm
from striate.graph.layers.pooling import AvgPool
from striate.graph.layers.reshape import Flatten, Identity
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import before
from striate.units import format_count, format_shape

__all__ = ["no_activation_between"]

_THROUGH = (Identity, Dropout, Flatten, AvgPool, GlobalAvgPool, BatchNorm)


@rule("N303", "no-activation-between", "warning", fix="none")
def no_activation_between(net: Subject) -> Iterator[Evidence]:
    """Two layers with weights follow each other without an activation.

    What: a convolution or dense layer that reads another one, with nothing between that bends: no activation, no
        maximum. Batch normalisation, means, dropout and flatten do not bend. Silent where the two are a factorisation
        that saves weights on purpose: depthwise and pointwise or otherwise grouped, 1×3 and 3×1, or a narrow layer
        between two wide ones (a linear bottleneck); and where either layer's map is read by others too.
    Why: a weighted sum of weighted sums is a weighted sum: the second layer adds no function that one layer could not
        compute (at the border, the padding of the second makes a small difference).
    Example: conv 32 3 > conv 32 3 > relu > globalavgpool > dense 10
    Instead: conv 32 3 > relu > conv 32 3 > relu > globalavgpool > dense 10
    Fix: none: whether an activation is missing or a layer is too many is for the author to say.
    Source: Goodfellow, Bengio and Courville 2016, "Deep learning", section 6.1 (a linear first layer leaves the whole
        network linear); Nikanjam et al. 2021 (NeuraLint), missing activation; Sandler et al. 2018, "MobileNetV2",
        section 3.2 (linear bottlenecks, which are meant).
    """
    for node in net.graph.nodes:
        if not isinstance(node.layer, Conv | Dense):
            continue
        first = before(net, node, _THROUGH)
        if first is None or not isinstance(first.layer, Conv | Dense) or not _alone(net, first, node):
            continue
        if not _factorises(net, first, node):
            yield Evidence(
                node.name,
                f"no activation stands between {first.name} and {node.name}: {_merged(net, first, node)}",
                fix=f"an activation after {first.name}, or one layer instead of the two",
            )


def _alone(net: Subject, first: Node, second: Node) -> bool:
    """Whether only one way leads from the first to the second."""
    node = second
    while node is not first:
        node = net.source(node)
        if net.only_reader(node) is None:
            return False
    return True


def _factorises(net: Subject, first: Node, second: Node) -> bool:
    """Whether the two are written apart in order to save weights."""
    if _restricted(first, second) or _restricted(second, first):
        return True
    channels, middle = net.graph.shapes[first.inputs[0]][0], net.graph.shapes[first.name][0]
    outputs = net.graph.shapes[second.name][0]
    if isinstance(second.layer, Dense) and isinstance(first.layer, Conv):
        # The classifier behind the last map: fewer channels than before, or a vector shorter than the outputs.
        return middle < channels or net.graph.shapes[second.inputs[0]][0] < outputs
    return middle < min(channels, outputs)


def _restricted(layer: Node, other: Node) -> bool:
    """Whether a convolution sees channels in groups, or only one of several axes."""
    if not isinstance(layer.layer, Conv):
        return False
    kernel = layer.layer.kernel
    long = not isinstance(kernel, int) and len(kernel) > 1 and min(kernel) == 1 < max(kernel)
    return layer.layer.groups > 1 or (long and isinstance(other.layer, Conv))


def _merged(net: Subject, first: Node, second: Node) -> str:
    """The one layer that computes what the two do, and what it would cost."""
    graph, direct = net.graph, before(net, second, (Identity, Dropout, BatchNorm)) is first
    now = sum(net.numbers[node.name].parameters for node in (first, second))
    if isinstance(first.layer, Dense) and isinstance(second.layer, Dense):
        inputs, units = graph.shapes[first.inputs[0]][0], second.layer.units
        return _cost(f"dense {units}", (inputs + 1) * units, now)
    if not (direct and isinstance(first.layer, Conv) and isinstance(second.layer, Conv)):
        return f"together they are one weighted sum of what {first.inputs[0]} gives"
    rank = len(graph.shapes[second.name]) - 1
    strides = per_axis("conv", "stride", first.layer.stride, rank)
    spans = zip(first.layer.windows(rank), strides, second.layer.windows(rank), strict=True)
    kernel = tuple(one.span + stride * (two.span - 1) for one, stride, two in spans)
    channels = graph.shapes[first.inputs[0]][0]
    parameters = (channels * math.prod(kernel) + 1) * second.layer.filters
    return _cost(f"{format_shape(kernel)} conv with {second.layer.filters} filters", parameters, now)


def _cost(what: str, parameters: int, now: int) -> str:
    return (
        f"together they are one {what}, which has {format_count(parameters)} parameters "
        f"where the two have {format_count(now)}"
    )
