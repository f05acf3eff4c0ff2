"""The network of many MNIST introductions: 421,642 parameters at 1×28×28 with 10 classes."""

from __future__ import annotations

from striate.graph import Graph, network
from striate.units import Shape
from striate.zoo.architecture import architecture

__all__ = ["mnist_cnn"]


@architecture(
    "mnist-cnn", input=(1, 28, 28), classes=10, summary="two 3×3 convolutions, dropout and a dense layer; digits"
)
def mnist_cnn(input: Shape, classes: int) -> Graph:
    """Adapts to every input of at least 4 pixels along each axis, in one, two or three dimensions."""
    x = network("mnist-cnn", input, classes)
    x = x.conv(32, 3, padding="same").relu().maxpool(2)
    x = x.conv(64, 3, padding="same").relu().maxpool(2)
    return x.flatten().dense(128).relu().dropout(0.25).dense(classes).build()
