"""ESPCN (Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel convolutional
neural network", 2016, section 3).

Three convolutions on the small image (5×5 with 64 filters, 3×3 with 32, 3×3 with r² for each channel),
whose last channels become the pixels of an image r times as large. ``espcn`` enlarges 3 times, as the paper's training
does, ``espcn_x2`` and ``espcn_x4`` 2 and 4 times. Tanh, which the authors found better than ReLU, and the
training patches of 17×17 are the paper's; zeros around the maps, so that no pixel is lost, are the common ports'. The
paper states no number of parameters; with one channel there are 22,729 for r = 3.
"""

from __future__ import annotations

from striate.graph import Graph
from striate.units import Shape
from striate.zoo.architecture import Architecture
from striate.zoo.start import start

__all__ = ["ARCHITECTURES"]

#: How many times larger.
SCALES = {"espcn_x2": 2, "espcn": 3, "espcn_x4": 4}
#: (filters, kernel) of the convolutions before the last.
LAYERS = ((64, 5), (32, 3))


def espcn(name: str, input: Shape) -> Graph:
    """Adapts to images of every size and number of channels, in one, two or three dimensions; it has no classes."""
    x, scale = start(name, input, None), SCALES[name]
    channels, axes = x.channels, len(x.shape) - 1
    for number, (filters, kernel) in enumerate(LAYERS, start=1):
        x = x.conv(filters, kernel, padding=kernel // 2, name=f"conv{number}").tanh(name=f"tanh{number}")
    x = x.conv(channels * scale**axes, 3, padding=1, name="conv3")
    return x.pixelshuffle(scale, name="shuffle").build()


def _architecture(name: str, scale: int) -> Architecture:
    return Architecture(
        name,
        (1, 17, 17),
        0,
        f"Shi et al. 2016: an image {scale} times larger, by channels that become pixels",
        lambda input, classes: espcn(name, input),
        aliases=("espcn_x3",) if scale == 3 else (),
        family="super-resolution",
    )


ARCHITECTURES = tuple(_architecture(name, scale) for name, scale in SCALES.items())
