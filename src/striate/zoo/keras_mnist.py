"""The MNIST network in the style of the Keras examples: 896,906 parameters at 1×28×28 with 10 classes."""

from __future__ import annotations

from striate.graph import Graph, network
from striate.units import Shape
from striate.zoo.architecture import architecture

__all__ = ["keras_mnist"]


@architecture(
    "keras-mnist", input=(1, 28, 28), classes=10, summary="three 3×3 convolutions with dropout; digits, Keras style"
)
def keras_mnist(input: Shape, classes: int) -> Graph:
    """Adapts to every input of at least 4 pixels along each axis, in one, two or three dimensions."""
    x = network("keras-mnist", input, classes)
    x = x.conv(32, 3, padding="same").relu()
    x = x.conv(64, 3, padding="same").relu().maxpool(2).dropout(0.25)
    x = x.conv(128, 3, padding="same").relu().maxpool(2)
    return x.flatten().dense(128).relu().dropout(0.5).dense(classes).build()
