"""SRCNN (Dong, Loy, He, Tang, "Image super-resolution using deep convolutional networks", 2014/2016, section 3).

An image that was enlarged before (bicubic) is sharpened by three convolutions: patches, a mapping, reconstruction.
``srcnn`` is the paper's 9-1-5 network, ``srcnn_955`` the better and slower 9-5-5, both with 64 and 32 filters. The
paper counts weights without biases, 8,032 and 57,184 for one channel; with biases that is 8,129 and 57,281. It trains
without padding on patches of 33×33; here the size stays, as in the common ports, with zeros around.
"""

from __future__ import annotations

from striate.graph import Graph
from striate.units import Shape
from striate.zoo.architecture import Architecture
from striate.zoo.start import start

__all__ = ["ARCHITECTURES"]

#: Window sizes of the three convolutions.
DESIGNS = {"srcnn": (9, 1, 5), "srcnn_955": (9, 5, 5)}
#: Filters of the first two.
FILTERS = (64, 32)


def srcnn(name: str, input: Shape) -> Graph:
    """Adapts to images of every size and number of channels, in one, two or three dimensions; it has no classes."""
    x = start(name, input, None)
    channels, (first, second, third) = x.channels, DESIGNS[name]
    x = x.conv(FILTERS[0], first, padding=first // 2, name="conv1").relu(name="relu1")
    x = x.conv(FILTERS[1], second, padding=second // 2, name="conv2").relu(name="relu2")
    return x.conv(channels, third, padding=third // 2, name="conv3").build()


def _architecture(name: str) -> Architecture:
    return Architecture(
        name,
        (1, 33, 33),
        0,
        f"Dong et al. 2014: an enlarged image, sharpened by convolutions {'-'.join(map(str, DESIGNS[name]))}",
        lambda input, classes: srcnn(name, input),
        aliases=("srcnn_915",) if name == "srcnn" else (),
        family="super-resolution",
    )


ARCHITECTURES = tuple(_architecture(name) for name in DESIGNS)
