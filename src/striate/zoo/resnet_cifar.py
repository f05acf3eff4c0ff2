"""ResNet for CIFAR (He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2015, section 4.2).

6n + 2 layers: a 3×3 convolution and three stages of n basic blocks with 16, 32 and 64 filters. As in the paper but for
the two shortcuts whose shape changes: a 1×1 convolution with batch norm (the paper's option B) where it pads with
channels of zeros (option A). That makes 272,474 parameters for 20 layers and 855,770 for 56, as the library pytorchcv
counts too; the 2,752 of the two shortcuts aside, 269,722 and 853,018, which the paper rounds to 0.27 and 0.85 million
(table 6). Nodes are named as in torchvision's larger ResNets.
"""

from __future__ import annotations

from functools import partial

from striate.graph import Graph
from striate.units import Shape
from striate.zoo.architecture import Architecture
from striate.zoo.resnet import basic
from striate.zoo.start import start

__all__ = ["resnet_cifar", "resnets_cifar"]

#: Filters in the stages with maps of 32×32, 16×16 and 8×8.
WIDTHS = (16, 32, 64)


def resnet_cifar(input: Shape, classes: int, *, layers: int) -> Graph:
    """Adapts to images of every size, in one, two or three dimensions.

    Args:
        input: the shape of one image.
        classes: the number of classes.
        layers: 6n + 2.
    """
    x = start(f"resnet{layers}", input, classes)
    x = x.conv(16, 3, padding=1, bias=False, name="conv1").batchnorm(name="bn1").relu(name="relu")
    for stage, width in enumerate(WIDTHS, start=1):
        for index in range((layers - 2) // 6):
            x = basic(x, f"layer{stage}.{index}", width, 2 if stage > 1 and index == 0 else 1)
    return x.globalavgpool(name="avgpool").dense(classes, name="fc").build()


def _entry(layers: int, published: int) -> Architecture:
    return Architecture(
        name=f"resnet{layers}",
        input=(3, 32, 32),
        classes=10,
        summary=f"He et al. 2015: {layers} layers with shortcuts; small images",
        function=partial(resnet_cifar, layers=layers),
        aliases=(f"resnet{layers}_cifar",),
        published=published,
    )


resnets_cifar = (_entry(20, 272_474), _entry(56, 855_770))
