"""MobileNet v3 (Howard et al., "Searching for MobileNetV3", 2019, tables 1 and 2).

As in the paper at width multiplier 1. Torchvision's weights fit under the same names, and the parameter counts are
torchvision's; the paper says 5.4 and 2.5 million (table 3). As in torchvision, the gates shrink to a quarter of the
expanded channels, rounded to a multiple of 8, and batch norm has epsilon 0.001 and momentum 0.01.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import Architecture
from striate.zoo.mobile_blocks import conv_norm_activation, divisible
from striate.zoo.start import start

__all__ = ["mobilenet_v3", "mobilenets_v3"]

NORM: dict[str, Any] = {"epsilon": 1e-3, "momentum": 0.01}
RE, HS = "relu", "hardswish"
Row = tuple[int, int, int, bool, str, int]

#: Kernel, expanded channels, output channels, gate (SE), nonlinearity (NL), stride.
LARGE: tuple[Row, ...] = (
    (3, 16, 16, False, RE, 1),
    (3, 64, 24, False, RE, 2),
    (3, 72, 24, False, RE, 1),
    (5, 72, 40, True, RE, 2),
    (5, 120, 40, True, RE, 1),
    (5, 120, 40, True, RE, 1),
    (3, 240, 80, False, HS, 2),
    (3, 200, 80, False, HS, 1),
    (3, 184, 80, False, HS, 1),
    (3, 184, 80, False, HS, 1),
    (3, 480, 112, True, HS, 1),
    (3, 672, 112, True, HS, 1),
    (5, 672, 160, True, HS, 2),
    (5, 960, 160, True, HS, 1),
    (5, 960, 160, True, HS, 1),
)
SMALL: tuple[Row, ...] = (
    (3, 16, 16, True, RE, 2),
    (3, 72, 24, False, RE, 2),
    (3, 88, 24, False, RE, 1),
    (5, 96, 40, True, HS, 2),
    (5, 240, 40, True, HS, 1),
    (5, 240, 40, True, HS, 1),
    (5, 120, 48, True, HS, 1),
    (5, 144, 48, True, HS, 1),
    (5, 288, 96, True, HS, 2),
    (5, 576, 96, True, HS, 1),
    (5, 576, 96, True, HS, 1),
)


def bottleneck(x: Chain, row: Row, name: str) -> Chain:
    """MobileNet v2's block with a gate after the depthwise convolution (figure 4)."""
    kernel, inner, channels, gated, activation, stride = row
    y, part = x, 0
    if inner != x.channels:
        y = conv_norm_activation(y, inner, 1, f"{name}.block.{part}", activation=activation, **NORM)
        part += 1
    y = conv_norm_activation(
        y, inner, kernel, f"{name}.block.{part}", stride=stride, groups=inner, activation=activation, **NORM
    )
    part += 1
    if gated:
        y = y.squeezeexcite(divisible(inner / 4), gate="hardsigmoid", name=f"{name}.block.{part}")
        part += 1
    y = conv_norm_activation(y, channels, 1, f"{name}.block.{part}", activation=None, **NORM)
    return y.add(x, name=f"{name}.add") if stride == 1 and channels == x.channels else y


def mobilenet_v3(input: Shape, classes: int, *, name: str, rows: tuple[Row, ...], last: int) -> Graph:
    """Adapts to images of every size, in one, two or three dimensions; below 32 pixels the last maps are 1×1.

    Args:
        input: the shape of one image.
        classes: the number of classes.
        name: of the network.
        rows: of the table, the bottlenecks.
        last: channels of the dense layer before the classifier.
    """
    x = start(name, input, classes)
    x = conv_norm_activation(x, 16, 3, "features.0", stride=2, activation=HS, **NORM)
    for number, row in enumerate(rows, start=1):
        x = bottleneck(x, row, f"features.{number}")
    x = conv_norm_activation(x, 6 * x.channels, 1, f"features.{len(rows) + 1}", activation=HS, **NORM)
    x = x.globalavgpool(name="avgpool").dense(last, name="classifier.0").hardswish(name="classifier.1")
    return x.dropout(0.2, name="classifier.2").dense(classes, name="classifier.3").build()


def _entry(size: str, rows: tuple[Row, ...], last: int, published: int) -> Architecture:
    name = f"mobilenet_v3_{size}"
    return Architecture(
        name=name,
        input=(3, 224, 224),
        classes=1000,
        summary=f"Howard et al. 2019: found by search, with gates and hard swish; {size}",
        function=partial(mobilenet_v3, name=name, rows=rows, last=last),
        published=published,
    )


mobilenets_v3 = (
    _entry("large", LARGE, 1280, 5_483_032),
    _entry("small", SMALL, 1024, 2_542_856),
)
