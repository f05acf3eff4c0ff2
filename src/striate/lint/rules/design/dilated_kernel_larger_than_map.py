"""N108: a dilated kernel that spans more than its map, so that its outer weights meet padding."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from striate.graph import Node
from striate.graph.layers.convolution import Conv
from striate.graph.windows import Window
from striate.lint.geometry import alone, live_taps, sliding, spatial
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import Shape, format_count, format_share

__all__ = ["dilated_kernel_larger_than_map"]


@rule("N108", "dilated-kernel-larger-than-map", "warning")
def dilated_kernel_larger_than_map(net: Subject) -> Iterator[Evidence]:
    """A dilated kernel spans more than its map.

    What: a dilated convolution with zero padding whose window spans more lines than its map has; a warning where some
        weights never meet a pixel, information where all do, but the outer ones at a part of the positions only.
    Why: as the rate grows, fewer weights fall on the map and more on its padding; a 3×3 kernel with a rate of about the
        size of the map is a 1×1 convolution with eight weights too many.
    Example: maxpool 4 > conv 16 3 padding=8 dilation=8 > relu > globalavgpool > dense 10
    Instead: maxpool 4 > conv 16 3 padding=2 dilation=2 > relu > globalavgpool > dense 10
    Fix: none: a smaller dilation, or one branch of global average pooling for what the whole image says, as DeepLabv3
        has it.
    Source: Chen et al. 2017, "Rethinking atrous convolution for semantic image segmentation", section 3.3.
    """
    for node, shape, windows in sliding(net):
        layer = node.layer
        if not isinstance(layer, Conv) or layer.padding_mode != "zero" or max(shape[1:]) == 1:
            continue
        large = any(w.dilation > 1 and w.span > size for w, size in zip(windows, shape[1:], strict=True))
        if large and alone(net, node):
            yield _evidence(net, node, shape, windows)


def _evidence(net: Subject, node: Node, shape: Shape, windows: tuple[Window, ...]) -> Evidence:
    span = "×".join(str(window.span) for window in windows)
    dilations = [
        max((size - 1) // max(window.kernel - 1, 1), 1) for window, size in zip(windows, shape[1:], strict=True)
    ]
    fix = f"dilation: {min(dilations)} or less"
    alive = math.prod(live_taps(window, size) for window, size in zip(windows, shape[1:], strict=True))
    taps = math.prod(window.kernel for window in windows)
    told = f"its window spans {span} on the {spatial(shape)} map: "
    if alive < taps:
        weights = net.graph.own_parameters(node)[0].count * (taps - alive) // taps
        told += (
            f"{taps - alive} of {taps} taps only ever see padding, {format_count(weights)} parameters without effect"
        )
        return Evidence(node.name, told, fix)
    inside = math.prod((_inside(w, size) for w, size in zip(windows, shape[1:], strict=True)), start=Fraction(1))
    share = format_share(inside.denominator - inside.numerator, inside.denominator)
    return Evidence(node.name, told + f"{share} of what its weights meet is padding", fix, severity="info")


def _inside(window: Window, size: int) -> Fraction:
    """The share of taps at all places that meet a pixel."""
    count = window.outputs(size)
    met = 0
    for tap in range(window.kernel):
        start = tap * window.dilation - window.before
        first = max(-(start // window.stride), 0)
        behind = max(-(-(size - start) // window.stride), 0)
        met += max(min(behind, count) - first, 0)
    return Fraction(met, count * window.kernel)
