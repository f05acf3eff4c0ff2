"""N502: grouped convolutions that move many numbers for few multiply-adds."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.graph import Node
from striate.graph.layers.convolution import Conv
from striate.lint.geometry import listed
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import format_share

__all__ = ["narrow_groups"]

#: Groups of fewer channels than a tensor core takes at once are narrow.
_NARROW = 8
_PERCENT = 1


@rule("N502", "narrow-groups", "info")
def narrow_groups(net: Subject) -> Iterator[Evidence]:
    """Grouped convolutions have few channels in each group.

    What: convolutions with several groups of 2 to 7 channels, where they have at least 1 % of the multiply-adds; one
        finding for all. Depthwise convolutions (one channel in each group) have kernels of their own everywhere and are
        not counted.
    Why: for the same multiply-adds a convolution with groups reads and writes more numbers, and memory, not arithmetic,
        then sets the speed: Ma et al. measure it on GPU and ARM. The number told is h·w·(c₁ + c₂) + weights, against
        that of a convolution without groups with as many multiply-adds.
    Example: conv 64 3 padding=1 > relu > conv 64 3 padding=1 groups=16 > relu > globalavgpool > dense 10
    Instead: conv 64 3 padding=1 > relu > conv 64 3 padding=1 groups=8 > relu > globalavgpool > dense 10
    Fix: none: fewer and wider groups; other parameters and another function.
    Source: Ma et al. 2018, "ShuffleNet V2: practical guidelines for efficient CNN architecture design", section 2,
        guideline 2 and equation 2.
    """
    found = []
    for node in net.graph.nodes:
        if isinstance(node.layer, Conv) and node.layer.groups > 1:
            width = net.graph.shapes[node.inputs[0]][0] // node.layer.groups
            if 1 < width < _NARROW:
                found.append((width, node))
    macs = sum(net.numbers[node.name].macs for _, node in found)
    if not found or 100 * macs < _PERCENT * net.report.macs:
        return
    ratios = [_moved(net, node) / _moved(net, node, as_one=True) for _, node in found]
    widths = sorted({width for width, _ in found})
    move = "moves" if len(found) == 1 else "move"
    layers = "1 grouped convolution has" if len(found) == 1 else f"{len(found)} grouped convolutions have"
    times = (
        f"{min(ratios):.1f}"
        if f"{min(ratios):.1f}" == f"{max(ratios):.1f}"
        else f"{min(ratios):.1f} to {max(ratios):.1f}"
    )
    yield Evidence(
        None,
        f"{layers} {' or '.join(str(width) for width in widths)} channels in each group, with "
        f"{format_share(macs, net.report.macs)} of the MACs, and {move} {times} times the numbers that one group with "
        f"as many MACs would: {listed([node.name for _, node in found])}",
        fix=f"fewer groups, of at least {_NARROW} channels",
    )


def _moved(net: Subject, node: Node, as_one: bool = False) -> float:
    """Numbers read and written; with ``as_one`` for a convolution without groups, narrower, with as many MACs."""
    before, after = math.prod(net.graph.shapes[node.inputs[0]]), math.prod(net.graph.shapes[node.name])
    groups = getattr(node.layer, "groups", 1)
    weights = node.layer.parameters(net.graph.input_shapes(node))[0].count
    return (before + after) / (math.sqrt(groups) if as_one else 1) + weights
