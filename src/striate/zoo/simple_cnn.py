"""The two-convolution network that introductions to CNNs draw: 268,650 parameters at 3×32×32 with 10 classes."""

from __future__ import annotations

from striate.graph import Graph, network
from striate.units import Shape
from striate.zoo.architecture import architecture

__all__ = ["simple_cnn"]


@architecture(
    "simple-cnn", input=(3, 32, 32), classes=10, summary="two 3×3 convolutions and a dense layer; small images"
)
def simple_cnn(input: Shape, classes: int) -> Graph:
    """Adapts to every input of at least 4 pixels along each axis, in one, two or three dimensions."""
    x = network("simple-cnn", input, classes)
    x = x.conv(16, 3, padding="same").relu().maxpool(2)
    x = x.conv(32, 3, padding="same").relu().maxpool(2)
    return x.flatten().dense(128).relu().dense(classes).build()
