"""A small network for handwritten digits with batch normalisation: 171,730 parameters at 1×28×28 with 10 classes.

A design of our own, made for the recipe ``best-digits``: a stem and two stages of two 3×3 convolutions. The stem and
the first convolution of each stage are followed by pooling before the normalisation, as in airbench94, so that most of
the work is done on small maps.
"""

from __future__ import annotations

from striate.graph import Graph
from striate.units import Shape
from striate.zoo.architecture import architecture
from striate.zoo.start import start

__all__ = ["digits_net"]

#: Filters of the stem and of the stages behind it.
STEM, WIDTHS = 24, (48, 96)


@architecture(
    "digits-net",
    input=(1, 28, 28),
    classes=10,
    summary="a stem and two stages with batch normalisation; digits, for the recipe best-digits",
    smallest=2,
)
def digits_net(input: Shape, classes: int) -> Graph:
    """Adapts to every input of at least 2 pixels along each axis, in one, two or three dimensions."""
    x = start("digits-net", input, classes)
    x = x.conv(STEM, 3, padding=1, bias=False, name="stem.conv").maxpool(2, name="stem.pool")
    x = x.batchnorm(name="stem.norm").relu(name="stem.relu")
    for number, width in enumerate(WIDTHS, start=1):
        name = f"stage{number}"
        x = x.conv(width, 3, padding=1, bias=False, name=f"{name}.conv1")
        # 28 pixels are 7 after two poolings: the last row and column count too.
        x = x.maxpool(2, ceil_mode=True, name=f"{name}.pool")
        x = x.batchnorm(name=f"{name}.norm1").relu(name=f"{name}.relu1")
        x = x.conv(width, 3, padding=1, bias=False, name=f"{name}.conv2")
        x = x.batchnorm(name=f"{name}.norm2").relu(name=f"{name}.relu2")
    return x.flatten(name="flatten").dense(classes, name="head").build()
