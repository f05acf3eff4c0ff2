"""MobileNet v2 (Sandler et al., "MobileNetV2: Inverted residuals and linear bottlenecks", 2018, tables 1 and 2).

As in the paper at width multiplier 1. Torchvision's weights fit under the same names, and the parameter count is
torchvision's; the paper says 3.4 million (table 4).
"""

from __future__ import annotations

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import architecture
from striate.zoo.mobile_blocks import conv_norm_activation
from striate.zoo.start import start

__all__ = ["mobilenet_v2"]

#: Expansion t, output channels c, repeats n, stride s of the first block.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def inverted_residual(x: Chain, expansion: int, channels: int, stride: int, name: str) -> Chain:
    """Expand, filter each channel, project without activation; added to what came in where channels and size stay."""
    y, inner, part = x, expansion * x.channels, 0
    if expansion > 1:
        y, part = conv_norm_activation(y, inner, 1, f"{name}.conv.0", activation="relu6"), 1
    y = conv_norm_activation(y, inner, 3, f"{name}.conv.{part}", stride=stride, groups=inner, activation="relu6")
    y = y.conv(channels, 1, bias=False, name=f"{name}.conv.{part + 1}").batchnorm(name=f"{name}.conv.{part + 2}")
    return x.add(y, name=f"{name}.add") if stride == 1 and channels == x.channels else y


@architecture(
    "mobilenet_v2",
    input=(3, 224, 224),
    classes=1000,
    summary="Sandler et al. 2018: inverted residuals, linear bottlenecks",
    published=3_504_872,
    writing={"avgpool": "function"},
)
def mobilenet_v2(input: Shape, classes: int) -> Graph:
    """Adapts to images of every size, in one, two or three dimensions; below 32 pixels the last maps are 1×1."""
    x = start("mobilenet_v2", input, classes)
    x = conv_norm_activation(x, 32, 3, "features.0", stride=2, activation="relu6")
    number = 1
    for expansion, channels, repeats, first_stride in STAGES:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            x = inverted_residual(x, expansion, channels, stride, f"features.{number}")
            number += 1
    x = conv_norm_activation(x, 1280, 1, f"features.{number}", activation="relu6").globalavgpool(name="avgpool")
    return x.dropout(0.2, name="classifier.0").dense(classes, name="classifier.1").build()
