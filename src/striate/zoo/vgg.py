"""VGG (Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", 2014, table 1).

Configurations A, B, D and E; ``_bn`` puts batch normalisation, which came a year later, behind each convolution. As in
the paper, except that other image sizes are pooled to the 7×7 map that the first dense layer expects. Torchvision's
weights fit under the same names, and the parameter counts are torchvision's (the paper's table 2 says 133, 133, 138
and 144 million).
"""

from __future__ import annotations

from functools import partial

from striate.graph import Graph
from striate.units import Shape
from striate.zoo.architecture import Architecture
from striate.zoo.start import start

__all__ = ["vgg", "vggs"]

Stages = tuple[tuple[int, ...], ...]

#: Table 1: the filters of the 3×3 convolutions before each of the five poolings.
A: Stages = ((64,), (128,), (256, 256), (512, 512), (512, 512))
B: Stages = ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512))
D: Stages = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
E: Stages = ((64, 64), (128, 128), (256, 256, 256, 256), (512, 512, 512, 512), (512, 512, 512, 512))


def vgg(input: Shape, classes: int, *, name: str, stages: Stages, normalized: bool) -> Graph:
    """Adapts to images of at least 32 pixels along each axis, in one, two or three dimensions.

    Args:
        input: the shape of one image.
        classes: the number of classes.
        name: of the network.
        stages: the filters of each stage's convolutions.
        normalized: batch normalisation behind each convolution.
    """
    x = start(name, input, classes)
    # Nodes are counted as torchvision counts them, whatever they are: features.0, features.1, …
    numbers = iter(range(100))

    def place() -> str:
        return f"features.{next(numbers)}"

    for stage in stages:
        for filters in stage:
            x = x.conv(filters, 3, padding=1, name=place())
            if normalized:
                x = x.batchnorm(name=place())
            x = x.relu(name=place())
        x = x.maxpool(2, name=place())
    x = x.adaptiveavgpool(7, name="avgpool").flatten(name="flatten")
    x = x.dense(4096, name="classifier.0").relu(name="classifier.1").dropout(0.5, name="classifier.2")
    x = x.dense(4096, name="classifier.3").relu(name="classifier.4").dropout(0.5, name="classifier.5")
    return x.dense(classes, name="classifier.6").build()


def _entry(layers: int, stages: Stages, published: int, *, normalized: bool = False) -> Architecture:
    name = f"vgg{layers}_bn" if normalized else f"vgg{layers}"
    return Architecture(
        name=name,
        input=(3, 224, 224),
        classes=1000,
        summary=f"Simonyan and Zisserman 2014: {layers} layers of 3×3 convolutions"
        + (", normalised" if normalized else ""),
        function=partial(vgg, name=name, stages=stages, normalized=normalized),
        published=published,
        smallest=32,
    )


vggs = (
    _entry(11, A, 132_863_336),
    _entry(13, B, 133_047_848),
    _entry(16, D, 138_357_544),
    _entry(19, E, 143_667_240),
    _entry(11, A, 132_868_840, normalized=True),
    _entry(13, B, 133_053_736, normalized=True),
    _entry(16, D, 138_365_992, normalized=True),
    _entry(19, E, 143_678_248, normalized=True),
)
