"""N112: windows on maps that are a single pixel already."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.graph.layers.convolution import Conv
from striate.lint.geometry import alone, live_taps, sliding
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import format_count, format_share

__all__ = ["kernel_on_single_pixel"]


@rule("N112", "kernel-on-single-pixel", "warning")
def kernel_on_single_pixel(net: Subject) -> Iterator[Evidence]:
    """A convolution with a window reads a map of one pixel.

    What: a convolution with a kernel above 1 and zero padding whose map has one position: the strides before it have
        used up the image, or it stands behind global pooling.
    Why: it is a dense layer: one tap of its kernel meets the pixel, all others padding. Their parameters and
        multiply-adds have no effect, and nothing spatial is left to see.
    Example: maxpool 32 > conv 64 3 padding=1 > relu > flatten > dense 10
    Instead: maxpool 8 > conv 64 3 padding=1 > relu > flatten > dense 10
    Fix: none: fewer strides before it or a larger image; or kernel: 1 without padding, which computes the same from
        the tap in the middle.
    Source: follows from the arithmetic of the window; He et al. 2016, section 4.2: the network for 32×32 images has a
        stem without stride, and its last map is 8×8.
    """
    for node, shape, windows in sliding(net):
        layer = node.layer
        if not isinstance(layer, Conv) or layer.padding_mode != "zero" or max(shape[1:]) > 1:
            continue
        taps = math.prod(window.kernel for window in windows)
        alive = math.prod(live_taps(window, size) for window, size in zip(windows, shape[1:], strict=True))
        if alive < taps and alone(net, node):
            weights = net.graph.own_parameters(node)[0].count * (taps - alive) // taps
            yield Evidence(
                node.name,
                f"a single pixel arrives: {taps - alive} of {taps} taps only ever see padding, {format_count(weights)} "
                f"parameters ({format_share(taps - alive, taps)}) without effect",
                fix="fewer strides before it or a larger image; or kernel: 1",
            )
