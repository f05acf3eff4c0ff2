"""DCGAN (Radford, Metz, Chintala, "Unsupervised representation learning with deep convolutional generative adversarial
networks", 2016, section 3 and figure 1).

Convolutions with stride 2 in place of pooling, batch norm but at the generator's output and the discriminator's input,
ReLU and tanh in the one, LeakyReLU 0.2 in the other. Widths (64 to 512, half of figure 1), 4×4 windows (figure 1: 5×5),
convolutions without bias and names (``main.0``, …) are those of the PyTorch tutorial, whose weights fit; there the
generator has 3,576,704 parameters and the discriminator 2,765,568, counted, as neither source states them. The noise
enters as 100 channels of one pixel, so that the paper's first dense layer is a transposed convolution.
"""

from __future__ import annotations

from striate.graph import Graph
from striate.units import Shape
from striate.zoo.architecture import architecture
from striate.zoo.start import start

__all__ = ["dcgan_discriminator", "dcgan_generator"]

#: Channels after each of the generator's layers but the last; backwards those of the discriminator.
WIDTHS = (512, 256, 128, 64)
#: Channels of a generated image.
COLOURS = 3


@architecture(
    "dcgan_generator",
    input=(100, 1, 1),
    classes=0,
    summary="Radford et al. 2016: 100 random numbers become an image of 64×64",
    family="generation",
)
def dcgan_generator(input: Shape, classes: int) -> Graph:
    """Adapts to any number of random numbers (channels) and to 1, 2 or 3 axes; it has no classes.

    Images have 3 channels, and values from -1 to 1. n random pixels along an axis become 16·(n + 3): 64 for one.
    """
    x = start("dcgan_generator", input, None)
    for number, width in enumerate(WIDTHS):
        stride, padding = (1, 0) if number == 0 else (2, 1)
        x = x.convtranspose(width, 4, stride=stride, padding=padding, bias=False, name=f"main.{3 * number}")
        x = x.batchnorm(name=f"main.{3 * number + 1}").relu(name=f"main.{3 * number + 2}")
    x = x.convtranspose(COLOURS, 4, stride=2, padding=1, bias=False, name="main.12")
    return x.tanh(name="main.13").build()


@architecture(
    "dcgan_discriminator",
    input=(3, 64, 64),
    classes=0,
    summary="Radford et al. 2016: how likely an image is a real one",
    family="generation",
    smallest=64,
)
def dcgan_discriminator(input: Shape, classes: int) -> Graph:
    """Adapts to images of at least 64 pixels along each axis, in one, two or three dimensions; it has no classes.

    One probability, as a map of 1×1; every 16 pixels more along an axis give one more, for another window.
    """
    x = start("dcgan_discriminator", input, None)
    x = x.conv(WIDTHS[-1], 4, stride=2, padding=1, bias=False, name="main.0").leakyrelu(0.2, name="main.1")
    for number, width in enumerate(reversed(WIDTHS[:-1])):
        first = 2 + 3 * number
        x = x.conv(width, 4, stride=2, padding=1, bias=False, name=f"main.{first}")
        x = x.batchnorm(name=f"main.{first + 1}").leakyrelu(0.2, name=f"main.{first + 2}")
    return x.conv(1, 4, bias=False, name="main.11").sigmoid(name="main.12").build()
