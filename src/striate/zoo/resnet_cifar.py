"""ResNet for CIFAR (He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2015, section 4.2).

6n + 2 layers: a 3×3 convolution and three stages of n basic blocks with 16, 32 and 64 filters. Two shortcuts meet maps
of another shape, and two kinds of them are common:

- ``resnet20_a`` and ``resnet56_a`` are the paper's: every second pixel of what arrives, with channels of zeros behind
  it (option A, no parameters). 269,722 and 853,018 parameters, which the paper rounds to 0.27 and 0.85 million (table
  6). Where the zeros stand the paper leaves open; here as in the authors' later code for Torch, behind.
- ``resnet20`` and ``resnet56`` have a 1×1 convolution with batch norm there (option B, which the paper has for
  ImageNet): 272,474 and 855,770 parameters, as the library pytorchcv counts too.

Nodes are named as in torchvision's larger ResNets.
"""

from __future__ import annotations

from functools import partial

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import Architecture
from striate.zoo.resnet import Shortcut, basic, projection
from striate.zoo.start import start

__all__ = ["padded", "resnet_cifar", "resnets_cifar"]

#: Filters in the stages with maps of 32×32, 16×16 and 8×8.
WIDTHS = (16, 32, 64)


def padded(x: Chain, name: str, channels: int, stride: int) -> Chain:
    """What arrives; where the shape changes, every ``stride``-th pixel of it and channels of zeros (option A)."""
    added = channels - x.channels
    if stride > 1:
        for axis in range(1, len(x.shape)):
            x = x.slice(axis, step=stride, name=f"{name}.downsample.{axis - 1}")
    return x.channelpad(added, name=f"{name}.downsample.zeros") if added else x


def resnet_cifar(input: Shape, classes: int, *, name: str, layers: int, shortcut: Shortcut) -> Graph:
    """Adapts to images of every size, in one, two or three dimensions.

    Args:
        input: the shape of one image.
        classes: the number of classes.
        name: of the network.
        layers: 6n + 2.
        shortcut: around a block whose shape changes.
    """
    x = start(name, input, classes)
    x = x.conv(16, 3, padding=1, bias=False, name="conv1").batchnorm(name="bn1").relu(name="relu")
    for stage, width in enumerate(WIDTHS, start=1):
        for index in range((layers - 2) // 6):
            stride = 2 if stage > 1 and index == 0 else 1
            x = basic(x, f"layer{stage}.{index}", width, stride, shortcut=shortcut)
    return x.globalavgpool(name="avgpool").dense(classes, name="fc").build()


def _entry(layers: int, published: int, *, option: str) -> Architecture:
    name = f"resnet{layers}" + ("_a" if option == "A" else "")
    shortcut, words = (padded, "without parameters") if option == "A" else (projection, "of 1×1 convolutions")
    return Architecture(
        name=name,
        input=(3, 32, 32),
        classes=10,
        summary=f"He et al. 2015: {layers} layers, small images; shortcuts {words} (option {option})",
        function=partial(resnet_cifar, name=name, layers=layers, shortcut=shortcut),
        aliases=(f"resnet{layers}_cifar" + ("_a" if option == "A" else ""),),
        published=published,
    )


resnets_cifar = (
    _entry(20, 272_474, option="B"),
    _entry(56, 855_770, option="B"),
    _entry(20, 269_722, option="A"),
    _entry(56, 853_018, option="A"),
)
