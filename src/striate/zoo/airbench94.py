"""The network of airbench94 (Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024, section 3.1).

A 2×2 convolution without padding whose filters are meant to be set by whitening (``whiten: true`` in a recipe): two
for each direction of a patch, one for each sign. Then three blocks of two 3×3 convolutions, maximum pooling behind the
first, batch normalisation without a scale, GELU; a global maximum pooling, a dense layer without bias, and logits
divided by 9. The running averages move by 0.4 a batch, which averaging the weights needs (section 3.4).

The paper says 1.97 million parameters; without the scales, which stay 1 in the author's code, it is 1,971,640. The
author's last pooling has a window of 3, the whole map at 32×32; here it is global at any size.
"""

from __future__ import annotations

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import architecture
from striate.zoo.start import start

__all__ = ["airbench94"]

#: Section 3.1: the filters of the three blocks.
WIDTHS = (64, 256, 256)
#: The author's code: batch normalisation, and the divisor of the logits.
EPSILON, MOMENTUM, DIVISOR = 1e-12, 0.4, 9


def _block(x: Chain, name: str, width: int) -> Chain:
    x = x.conv(width, 3, padding=1, bias=False, name=f"{name}.conv1").maxpool(2, name=f"{name}.pool")
    x = x.batchnorm(EPSILON, MOMENTUM, scale=False, name=f"{name}.norm1").gelu(name=f"{name}.gelu1")
    x = x.conv(width, 3, padding=1, bias=False, name=f"{name}.conv2")
    return x.batchnorm(EPSILON, MOMENTUM, scale=False, name=f"{name}.norm2").gelu(name=f"{name}.gelu2")


@architecture(
    "airbench94",
    input=(3, 32, 32),
    classes=10,
    summary="Jordan 2024: trains in few epochs with the recipe fast-cifar; small photographs",
    aliases=("airbench",),
    published=1_971_640,
    smallest=9,
)
def airbench94(input: Shape, classes: int) -> Graph:
    """Adapts to every input of at least 9 pixels along each axis, in one, two or three dimensions."""
    x = start("airbench94", input, classes)
    directions = x.channels * 2 ** (len(x.shape) - 1)
    x = x.conv(2 * directions, 2, name="whiten").gelu(name="gelu")
    for number, width in enumerate(WIDTHS, start=1):
        x = _block(x, f"block{number}", width)
    x = x.globalmaxpool(name="pool").dense(classes, bias=False, name="head")
    return x.rescale(1 / DIVISOR, name="scale").build()
