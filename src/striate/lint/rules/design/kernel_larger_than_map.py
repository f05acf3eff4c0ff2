"""N101: weights that meet nothing but padding, because the kernel is larger than its map."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.graph import Node
from striate.graph.layers.convolution import Conv
from striate.graph.layers.transposed_convolution import ConvTranspose
from striate.lint.geometry import alone, live_taps, meets, sliding, spatial, spreading
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import format_count, format_share

__all__ = ["kernel_larger_than_map"]


@rule("N101", "kernel-larger-than-map", "warning")
def kernel_larger_than_map(net: Subject) -> Iterator[Evidence]:
    """A kernel is so much larger than its map that some weights never meet a pixel.

    What: a convolution some of whose weights lie in the zero padding wherever the window stands, or a transposed
        convolution some of whose weights write only what its padding cuts off. Dilated ones are N108, maps of one pixel
        N112.
    Why: these weights have no effect on any output and get no gradient; their parameters and multiply-adds are spent.
    Example: maxpool 16 > conv 16 7 padding=3 > relu > globalavgpool > dense 10
    Instead: maxpool 16 > conv 16 3 padding=1 > relu > globalavgpool > dense 10
    Fix: none: a smaller kernel, fewer strides before it, or a larger image.
    Source: follows from the arithmetic of the window (Dumoulin and Visin 2016, chapter 2): of the places y·s - p + t
        of a tap t none lies inside the map.
    """
    for node, shape, windows in sliding(net):
        layer = node.layer
        if not isinstance(layer, Conv) or layer.padding_mode != "zero":
            continue
        if max(shape[1:]) > 1 and all(window.dilation == 1 for window in windows):
            alive = [live_taps(window, size) for window, size in zip(windows, shape[1:], strict=True)]
            taps = math.prod(window.kernel for window in windows)
            if math.prod(alive) < taps and alone(net, node):
                yield Evidence(
                    node.name,
                    f"its kernel is too large for the {spatial(shape)} map: "
                    f"{_wasted(net, node, taps, alive, 'only ever see padding')}",
                    fix="kernel: " + "×".join(str(count) for count in alive),
                )
    yield from _cut_off(net)


def _wasted(net: Subject, node: Node, taps: int, alive: list[int], why: str) -> str:
    """How many weights have no effect."""
    dead = taps - math.prod(alive)
    weights = net.graph.own_parameters(node)[0].count * dead // taps
    return (
        f"{dead} of {taps} taps {why}, {format_count(weights)} parameters ({format_share(dead, taps)}) without effect"
    )


def _cut_off(net: Subject) -> Iterator[Evidence]:
    for node in net.graph.nodes:
        if not isinstance(node.layer, ConvTranspose):
            continue
        shape, output = net.graph.shapes[node.inputs[0]], net.graph.shapes[node.name]
        windows = spreading(node.layer, len(shape) - 1)
        alive = [
            sum(meets(tap * w.dilation - w.before, w.stride, size, out) for tap in range(w.kernel))
            for w, size, out in zip(windows, shape[1:], output[1:], strict=True)
        ]
        taps = math.prod(window.kernel for window in windows)
        if math.prod(alive) < taps and alone(net, node):
            yield Evidence(
                node.name,
                f"its kernel is too large for the {spatial(output)} map that leaves: "
                f"{_wasted(net, node, taps, alive, 'only write what the padding cuts off')}",
                fix="a smaller kernel with less padding, or a larger map before it",
            )
