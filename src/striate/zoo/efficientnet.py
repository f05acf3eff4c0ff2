"""EfficientNet (Tan and Le, "EfficientNet: Rethinking model scaling for convolutional neural networks", 2019, table 1).

B0 is the table; B1 to B7 multiply its widths and depths (section 3.3; the factors are those of the authors' code).
Torchvision's weights fit under the same names, and the parameter counts are torchvision's, which the paper rounds
(table 2: 5.3, 7.8, 9.2, 12, 19, 30, 43 and 66 million). Images have the size of torchvision's weights; the paper's
differ for B2 (260) alone. As in torchvision, batch norm has epsilon 0.001 and momentum 0.01 in B5 to B7 only (the
authors' code has them in all), and every convolution is padded alike on both sides.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import Architecture
from striate.zoo.mobile_blocks import conv_norm_activation, divisible
from striate.zoo.start import start

__all__ = ["efficientnet", "efficientnets"]

#: Expansion, kernel, stride of the first block, channels, layers: stages 2 to 8 of the table.
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
#: How often the last block is left out while training; it grows from 0 with the depth.
LEFT_OUT = 0.2


def mbconv(
    x: Chain, expansion: int, kernel: int, stride: int, channels: int, name: str, left_out: float, norm: dict[str, Any]
) -> Chain:
    """An inverted bottleneck with a gate, which shrinks to a quarter of the channels that come in."""
    y, inner, part = x, expansion * x.channels, 0
    if expansion > 1:
        y, part = conv_norm_activation(y, inner, 1, f"{name}.block.0", activation="silu", **norm), 1
    y = conv_norm_activation(
        y, inner, kernel, f"{name}.block.{part}", stride=stride, groups=inner, activation="silu", **norm
    )
    y = y.squeezeexcite(max(1, x.channels // 4), activation="silu", name=f"{name}.block.{part + 1}")
    y = conv_norm_activation(y, channels, 1, f"{name}.block.{part + 2}", activation=None, **norm)
    if stride == 1 and channels == x.channels:
        y = y.stochasticdepth(left_out, name=f"{name}.stochastic_depth").add(x, name=f"{name}.add")
    return y


def efficientnet(
    input: Shape, classes: int, *, name: str, width: float, depth: float, dropout: float, norm: dict[str, Any]
) -> Graph:
    """Adapts to images of every size, in one, two or three dimensions; below 32 pixels the last maps are 1×1.

    Args:
        input: the shape of one image.
        classes: the number of classes.
        name: of the network.
        width: factor of the channels.
        depth: factor of the layers of each stage.
        dropout: before the classifier.
        norm: attributes of the batch norms.
    """
    layers = [math.ceil(row[-1] * depth) for row in STAGES]
    x = start(name, input, classes)
    x = conv_norm_activation(x, divisible(32 * width), 3, "features.0", stride=2, activation="silu", **norm)
    done = 0
    for stage, ((expansion, kernel, first, filters, _), repeats) in enumerate(zip(STAGES, layers, strict=True), 1):
        channels = divisible(filters * width)
        for index in range(repeats):
            stride = first if index == 0 else 1
            left_out = LEFT_OUT * done / sum(layers)
            x = mbconv(x, expansion, kernel, stride, channels, f"features.{stage}.{index}", left_out, norm)
            done += 1
    x = conv_norm_activation(x, 4 * x.channels, 1, "features.8", activation="silu", **norm)
    x = x.globalavgpool(name="avgpool").dropout(dropout, name="classifier.0")
    return x.dense(classes, name="classifier.1").build()


def _entry(number: int, width: float, depth: float, size: int, dropout: float, published: int) -> Architecture:
    name = f"efficientnet_b{number}"
    norm = {"epsilon": 1e-3, "momentum": 0.01} if number >= 5 else {}
    return Architecture(
        name=name,
        input=(3, size, size),
        classes=1000,
        summary=f"Tan and Le 2019: {width:g} × the channels and {depth:g} × the layers of B0"
        if number
        else "Tan and Le 2019: inverted bottlenecks with gates, found by search",
        function=partial(efficientnet, name=name, width=width, depth=depth, dropout=dropout, norm=norm),
        published=published,
    )


efficientnets = (
    _entry(0, 1.0, 1.0, 224, 0.2, 5_288_548),
    _entry(1, 1.0, 1.1, 240, 0.2, 7_794_184),
    _entry(2, 1.1, 1.2, 288, 0.3, 9_109_994),
    _entry(3, 1.2, 1.4, 300, 0.3, 12_233_232),
    _entry(4, 1.4, 1.8, 380, 0.4, 19_341_616),
    _entry(5, 1.6, 2.2, 456, 0.4, 30_389_784),
    _entry(6, 1.8, 2.6, 528, 0.5, 43_040_704),
    _entry(7, 2.0, 3.1, 600, 0.5, 66_347_960),
)
