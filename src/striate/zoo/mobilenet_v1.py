"""MobileNet (Howard et al., "MobileNets: Efficient convolutional neural networks for mobile vision applications").

2017, table 1, at width multiplier 1 and resolution 224. The table prints stride 2 for the last depthwise convolution,
whose map yet stays 7×7; it is 1 here, as in the authors' code. torchvision has no MobileNet v1, so the names are those
of the common PyTorch port (``model.1.0.weight`` to ``fc.bias``): in each block 0 is the depthwise and 3 the pointwise
convolution. That makes 4,231,976 parameters, which the paper rounds to 4.2 million (table 4).
"""

from __future__ import annotations

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import architecture
from striate.zoo.start import start

__all__ = ["mobilenet_v1"]

#: Output channels and stride of the 13 depthwise separable blocks.
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))


def separable(x: Chain, channels: int, stride: int, name: str) -> Chain:
    """A depthwise 3×3 and a pointwise convolution, each with batch norm and ReLU (figure 3, right)."""
    x = x.conv(x.channels, 3, stride=stride, padding=1, groups=x.channels, bias=False, name=f"{name}.0")
    x = x.batchnorm(name=f"{name}.1").relu(name=f"{name}.2")
    x = x.conv(channels, 1, bias=False, name=f"{name}.3")
    return x.batchnorm(name=f"{name}.4").relu(name=f"{name}.5")


@architecture(
    "mobilenet_v1",
    input=(3, 224, 224),
    classes=1000,
    summary="Howard et al. 2017: depthwise separable convolutions",
    aliases=("mobilenet",),
    published=4_231_976,
)
def mobilenet_v1(input: Shape, classes: int) -> Graph:
    """Adapts to images of every size, in one, two or three dimensions; below 32 pixels the last maps are 1×1."""
    x = start("mobilenet_v1", input, classes)
    x = x.conv(32, 3, stride=2, padding=1, bias=False, name="model.0.0")
    x = x.batchnorm(name="model.0.1").relu(name="model.0.2")
    for number, (channels, stride) in enumerate(BLOCKS, start=1):
        x = separable(x, channels, stride, f"model.{number}")
    return x.globalavgpool(name="model.14").dense(classes, name="fc").build()
