"""N115: sampling without a filter before it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.graph import Node
from striate.graph.layers.activation import Activation
from striate.graph.layers.convolution import Conv
from striate.graph.layers.normalization import Normalization
from striate.graph.layers.pooling import AvgPool
from striate.graph.windows import Window
from striate.lint.geometry import listed, sliding
from striate.lint.narrowest import narrowest_fields
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject

__all__ = ["aliasing"]


@rule("N115", "aliasing", "info")
def aliasing(net: Subject) -> Iterator[Evidence]:
    """Strided layers sample their map without a low-pass filter before.

    What: convolutions and poolings with a stride above 1, unless they average, or read what an average pooling with
        stride 1 smoothed. A depthwise convolution without bias, activation and normalisation behind it may be a blur
        and is not counted. One finding for all layers; almost every classic network has it.
    Why: a signal sampled without a filter aliases: when the image moves by one pixel, what comes out can change, and
        with it the class. Filtering before sampling makes outputs more stable and, in Zhang's measurements on ImageNet,
        more accurate.
    Example: conv 16 3 padding=1 > relu > maxpool 2 > conv 32 3 padding=1 > relu > globalavgpool > dense 10
    Instead: conv 16 3 padding=1 > relu > avgpool 2 > conv 32 3 padding=1 > relu > globalavgpool > dense 10
    Fix: none: max pooling with stride 1 and then average pooling (or a fixed binomial filter) with the stride; for a
        convolution likewise.
    Source: Zhang 2019, "Making convolutional networks shift-invariant again", ICML; Azulay and Weiss 2019, "Why do deep
        convolutional networks generalize so poorly to small image transformations?", JMLR.
    """
    names = [
        node.name
        for node, shape, windows in sliding(net)
        if any(window.stride > 1 and size > 1 for window, size in zip(windows, shape[1:], strict=True))
        and not _smooth(net, node, windows)
    ]
    if not names:
        return
    # Of networks with several inputs the first is told.
    factor = max(math.floor(jump) for ways in narrowest_fields(net.graph).values() for _, jump in ways)
    layers = "1 layer samples" if len(names) == 1 else f"{len(names)} layers sample"
    yield Evidence(
        None,
        f"{layers} a map without a low-pass filter, the image 1 : {factor} in all: {listed(names)}",
        fix="stride: 1 there and an average pooling with the stride behind",
    )


def _smooth(net: Subject, node: Node, windows: tuple[Window, ...]) -> bool:
    """Whether a strided layer averages, or reads what was averaged."""
    if isinstance(node.layer, AvgPool):
        return True
    source = net.source(node)
    if isinstance(source.layer, AvgPool) and all(w.stride == 1 < w.kernel for w in source.layer.windows(len(windows))):
        return True
    layer = node.layer
    if not isinstance(layer, Conv) or layer.bias or layer.groups == 1:
        return False
    depthwise = layer.groups == layer.filters == net.graph.shapes[node.inputs[0]][0]
    readers = net.readers[node.name]
    return depthwise and not any(isinstance(reader.layer, (Activation, Normalization)) for reader in readers)
