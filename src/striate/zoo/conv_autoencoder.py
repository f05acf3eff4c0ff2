"""Convolutional autoencoder: an image through a narrow code and back.

The idea is Masci, Meier, Ciresan, Schmidhuber, "Stacked convolutional auto-encoders for hierarchical feature
extraction", 2011 (convolutions with max pooling, trained to repeat their input); these layers are the common form of
today, Chollet, "Building autoencoders in Keras", 2016, section "Convolutional autoencoder": three poolings down to a
code of 8 channels, repeated pixels and convolutions back, and a sigmoid, so that pixels lie between 0 and 1. As there,
poolings round up (28 → 14 → 7 → 4), and the last but one convolution has no padding, which takes the 16 pixels that
4 became back to 14. At 1×28×28 it has 4,385 parameters; neither source states a number.
"""

from __future__ import annotations

from striate.errors import ShapeError
from striate.graph import Chain, Graph
from striate.units import Shape, format_shape
from striate.zoo.architecture import architecture
from striate.zoo.start import start

__all__ = ["conv_autoencoder"]

#: Filters of the encoder's convolutions; the last are the channels of the code.
FILTERS = (16, 8, 8)


def _check_size(x: Chain) -> None:
    """Two halvings must leave no rest; a third may, and is put right on the way back."""
    sizes = x.shape[1:]
    if all(size % 4 == 0 for size in sizes):
        return
    nearest = (max(4, (size + 2) // 4 * 4) for size in sizes)
    raise ShapeError(
        "conv_autoencoder cannot give this image back at its own size",
        where="conv_autoencoder",
        got=f"input {format_shape(x.shape)}",
        needs="a multiple of 4 pixels along each axis",
        write=f"input={(x.channels, *nearest)}",
    )


@architecture(
    "conv_autoencoder",
    input=(1, 28, 28),
    classes=0,
    summary="Chollet 2016, after Masci et al. 2011: an image through a narrow code and back",
    aliases=("convolutional_autoencoder", "cae"),
    family="generation",
    smallest=4,
    per_size=True,
)
def conv_autoencoder(input: Shape, classes: int) -> Graph:
    """Adapts to images of a multiple of 4 pixels along each axis, in one, two or three dimensions.

    The output has the shape of the image. It has no classes.
    """
    x = start("conv_autoencoder", input, None)
    _check_size(x)
    channels = x.channels
    # An odd number of quarters is rounded up at the third pooling: on the way back two pixels are too many.
    paddings = tuple(1 if size % 8 == 0 else 0 for size in x.shape[1:])
    for number, filters in enumerate(FILTERS, start=1):
        x = x.conv(filters, 3, padding=1, name=f"encoder.conv{number}").relu(name=f"encoder.relu{number}")
        x = x.maxpool(2, ceil_mode=True, name=f"encoder.pool{number}")
    for number, filters in enumerate(reversed(FILTERS), start=1):
        padding = paddings if number == len(FILTERS) else 1
        x = x.conv(filters, 3, padding=padding, name=f"decoder.conv{number}").relu(name=f"decoder.relu{number}")
        x = x.upsample(2, name=f"decoder.up{number}")
    return x.conv(channels, 3, padding=1, name="decoder.output").sigmoid(name="decoder.sigmoid").build()
