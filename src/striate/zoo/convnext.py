"""ConvNeXt (Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, "A ConvNet for the 2020s", 2022, section 3 and figure 4).

As in the paper and in torchvision, whose weights fit under the same names and whose parameter counts these are. So the
two 1×1 convolutions of a block are dense layers at each position, and the factors behind them, ``layer_scale``, belong
to the node that bears the block's name.
"""

from __future__ import annotations

from functools import partial

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import Architecture
from striate.zoo.start import start

__all__ = ["convnext", "convnexts"]

EPSILON = 1e-6
SCALE = 1e-6


def block(x: Chain, name: str, left_out: float) -> Chain:
    """A depthwise 7×7 convolution, and two dense layers at each position with four times the channels between them."""
    y = x.conv(x.channels, 7, padding=3, groups=x.channels, name=f"{name}.block.0")
    y = y.layernorm("channels", epsilon=EPSILON, name=f"{name}.block.2")
    y = y.dense(4 * x.channels, pointwise=True, name=f"{name}.block.3").gelu(name=f"{name}.block.4")
    y = y.dense(x.channels, pointwise=True, name=f"{name}.block.5").layerscale(SCALE, "layer_scale", name=name)
    return y.stochasticdepth(left_out, name=f"{name}.stochastic_depth").add(x, name=f"{name}.add")


def convnext(
    input: Shape, classes: int, *, name: str, widths: tuple[int, ...], depths: tuple[int, ...], left_out: float
) -> Graph:
    """Adapts to images of at least 32 pixels along each axis, in one, two or three dimensions.

    Args:
        input: the shape of one image.
        classes: the number of classes.
        name: of the network.
        widths: channels of the four stages.
        depths: blocks of the four stages.
        left_out: how often the last block is left out while training; it grows from 0 with the depth.
    """
    x = start(name, input, classes)
    x = x.conv(widths[0], 4, stride=4, name="features.0.0").layernorm("channels", epsilon=EPSILON, name="features.0.1")
    done = 0
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        if stage > 0:
            x = x.layernorm("channels", epsilon=EPSILON, name=f"features.{2 * stage}.0")
            x = x.conv(width, 2, stride=2, name=f"features.{2 * stage}.1")
        for index in range(depth):
            x = block(x, f"features.{2 * stage + 1}.{index}", left_out * done / (sum(depths) - 1))
            done += 1
    x = x.globalavgpool(keep=True, name="avgpool").layernorm("channels", epsilon=EPSILON, name="classifier.0")
    return x.flatten(name="classifier.1").dense(classes, name="classifier.2").build()


def _entry(size: str, width: int, depths: tuple[int, ...], left_out: float, published: int) -> Architecture:
    name = f"convnext_{size}"
    widths = tuple(width * 2**stage for stage in range(4))
    return Architecture(
        name=name,
        input=(3, 224, 224),
        classes=1000,
        summary=f"Liu et al. 2022: a ResNet modernised, 7×7 depthwise convolutions; {size}",
        function=partial(convnext, name=name, widths=widths, depths=depths, left_out=left_out),
        published=published,
        # Between two permutations, torch's own layer norm; the others are a class derived from it.
        writing={"features.*.block.2": "module"},
        smallest=32,
    )


convnexts = (
    _entry("tiny", 96, (3, 3, 9, 3), 0.1, 28_589_128),
    _entry("small", 96, (3, 3, 27, 3), 0.4, 50_223_688),
    _entry("base", 128, (3, 3, 27, 3), 0.5, 88_591_464),
    _entry("large", 192, (3, 3, 27, 3), 0.5, 197_767_336),
)
