"""N313: the mean of what was made to have the mean 0."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph import Node
from striate.graph.layers.dropout import Dropout
from striate.graph.layers.global_pooling import AdaptiveAvgPool, GlobalAvgPool
from striate.graph.layers.normalization import GroupNorm, InstanceNorm
from striate.graph.layers.reshape import Identity
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import before, is_map
from striate.units import format_count

__all__ = ["constant_after_normalization"]


@rule("N313", "constant-after-normalization", "error", fix="none")
def constant_after_normalization(net: Subject) -> Iterator[Evidence]:
    """The mean of each channel is taken right after it was made constant.

    What: a global average of what instance normalisation (or group normalisation with one channel in each group) left.
    Why: each channel of each image has the mean 0 then, or its learned shift: the average is the same for every image,
        and nothing of the image reaches what reads it.
    Example: conv 16 3 > relu > instancenorm > globalavgpool > dense 10
    Instead: conv 16 3 > instancenorm > relu > globalavgpool > dense 10
    Fix: none: an activation between the two, another normalisation, or a maximum in place of the average.
    Source: Ulyanov et al. 2016, "Instance normalization", equation 3: the mean of what leaves is 0.
    """
    for node in net.graph.nodes:
        if not isinstance(node.layer, GlobalAvgPool | AdaptiveAvgPool) or is_map(net.graph, node.name):
            continue
        first = before(net, node, (Identity, Dropout))
        if first is None or not is_map(net.graph, first.name) or not _by_channel(net, first):
            continue
        count = format_count(net.graph.shapes[node.name][0])
        yield Evidence(
            node.name,
            f"{first.layer.kind} {first.name} gives each channel of each image the same mean: "
            f"all {count} averages are the same for every image",
            fix=f"an activation between {first.name} and {node.name}",
        )


def _by_channel(net: Subject, node: Node) -> bool:
    groups = node.layer.groups if isinstance(node.layer, GroupNorm) else None
    return isinstance(node.layer, InstanceNorm) or groups == net.graph.shapes[node.name][0]
