"""SqueezeNet (Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer, "SqueezeNet: AlexNet-level accuracy …", 2016, table 1).

``squeezenet1_0`` is the paper's, ``squeezenet1_1`` the authors' later one, which pools earlier and costs 2.4 times
less. As in the authors' code and in torchvision, whose weights fit under the same names and whose parameter counts
these are (the paper's table 1 says 1,248,424 too). There is no dense layer: the last convolution has a map for each
class.
"""

from __future__ import annotations

from functools import partial

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import Architecture
from striate.zoo.start import start

__all__ = ["squeezenet", "squeezenets"]

#: Table 1, fire2 to fire9: channels of the squeeze convolution, and of each of the two expand convolutions.
FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))


def _fire(x: Chain, name: str, squeeze: int, expand: int) -> Chain:
    """A 1×1 convolution that squeezes the channels, and a 1×1 and a 3×3 one side by side (figure 1)."""
    x = x.conv(squeeze, 1, name=f"{name}.squeeze").relu(name=f"{name}.squeeze_activation")
    one = x.conv(expand, 1, name=f"{name}.expand1x1").relu(name=f"{name}.expand1x1_activation")
    three = x.conv(expand, 3, padding=1, name=f"{name}.expand3x3").relu(name=f"{name}.expand3x3_activation")
    return one.concat(three, name=f"{name}.concat")


def squeezenet(input: Shape, classes: int, *, name: str, stem: tuple[int, int], pooled: tuple[int, ...]) -> Graph:
    """Adapts to images of at least 21 (1.0) or 17 (1.1) pixels along each axis, in one, two or three dimensions.

    Args:
        input: the shape of one image.
        classes: the number of classes.
        name: of the network.
        stem: filters and kernel of the first convolution.
        pooled: how many fire modules stand before each further pooling.
    """
    filters, kernel = stem
    x = start(name, input, classes)
    x = x.conv(filters, kernel, stride=2, name="features.0").relu(name="features.1")
    x = x.maxpool(3, stride=2, ceil_mode=True, name="features.2")
    place = 3
    for count, (squeeze, expand) in enumerate(FIRES, start=1):
        x = _fire(x, f"features.{place}", squeeze, expand)
        place += 1
        if count in pooled:
            x = x.maxpool(3, stride=2, ceil_mode=True, name=f"features.{place}")
            place += 1
    x = x.dropout(0.5, name="classifier.0").conv(classes, 1, name="classifier.1").relu(name="classifier.2")
    return x.globalavgpool(name="classifier.3").build()


squeezenets = (
    Architecture(
        name="squeezenet1_0",
        input=(3, 224, 224),
        classes=1000,
        summary="Iandola et al. 2016: fire modules, few parameters",
        function=partial(squeezenet, name="squeezenet1_0", stem=(96, 7), pooled=(3, 7)),
        published=1_248_424,
        smallest=21,
    ),
    Architecture(
        name="squeezenet1_1",
        input=(3, 224, 224),
        classes=1000,
        summary="Iandola et al. 2016: fire modules, few parameters, pooled earlier",
        function=partial(squeezenet, name="squeezenet1_1", stem=(64, 3), pooled=(2, 4)),
        aliases=("squeezenet",),
        published=1_235_496,
        smallest=17,
    ),
)
