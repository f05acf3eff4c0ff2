"""ResNet (He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2015, table 1).

As in the paper: the widths, depths and shortcuts (option B: a 1×1 convolution where the shape changes). As in
torchvision, whose weights fit under the same names: the stride of a bottleneck stands in its 3×3 convolution, not in
its first 1×1 (also called ResNet v1.5). The parameter counts are torchvision's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import Architecture
from striate.zoo.start import start

__all__ = ["Shortcut", "basic", "bottleneck", "projection", "resnet", "resnets"]

Block = Callable[[Chain, str, int, int], Chain]
#: From what arrives, the block's name, the channels that leave and the stride.
Shortcut = Callable[[Chain, str, int, int], Chain]

#: The width of the 3×3 convolutions in conv2_x, conv3_x, conv4_x, conv5_x.
WIDTHS = (64, 128, 256, 512)


def projection(x: Chain, name: str, channels: int, stride: int) -> Chain:
    """What arrives, through a 1×1 convolution where the shape changes (option B)."""
    if stride == 1 and x.channels == channels:
        return x
    x = x.conv(channels, 1, stride=stride, bias=False, name=f"{name}.downsample.0")
    return x.batchnorm(name=f"{name}.downsample.1")


def basic(x: Chain, name: str, width: int, stride: int, *, shortcut: Shortcut = projection) -> Chain:
    """Two 3×3 convolutions and the shortcut around them (figure 5, left)."""
    y = x.conv(width, 3, stride=stride, padding=1, bias=False, name=f"{name}.conv1")
    y = y.batchnorm(name=f"{name}.bn1").relu(name=f"{name}.relu1")
    y = y.conv(width, 3, padding=1, bias=False, name=f"{name}.conv2").batchnorm(name=f"{name}.bn2")
    return y.add(shortcut(x, name, y.channels, stride), name=f"{name}.add").relu(name=f"{name}.relu2")


def bottleneck(x: Chain, name: str, width: int, stride: int, *, groups: int = 1, per_group: int = 64) -> Chain:
    """A 1×1, a 3×3 and a 1×1 convolution and the shortcut around them (figure 5, right).

    Args:
        x: the chain so far.
        name: what the names of its nodes begin with.
        width: a quarter of the channels that leave.
        stride: of the 3×3 convolution.
        groups: of the 3×3 convolution (ResNeXt's cardinality).
        per_group: channels in each group where ``width`` is 64, growing with it (ResNeXt's d, Wide ResNet's 64·k).
    """
    inner = width * per_group // 64 * groups
    y = x.conv(inner, 1, bias=False, name=f"{name}.conv1").batchnorm(name=f"{name}.bn1").relu(name=f"{name}.relu1")
    y = y.conv(inner, 3, stride=stride, padding=1, groups=groups, bias=False, name=f"{name}.conv2")
    y = y.batchnorm(name=f"{name}.bn2").relu(name=f"{name}.relu2")
    y = y.conv(4 * width, 1, bias=False, name=f"{name}.conv3").batchnorm(name=f"{name}.bn3")
    return y.add(projection(x, name, y.channels, stride), name=f"{name}.add").relu(name=f"{name}.relu3")


def resnet(input: Shape, classes: int, *, name: str, block: Block, depths: tuple[int, ...]) -> Graph:
    """Adapts to images of every size, in one, two or three dimensions; below 32 pixels the last maps are 1×1.

    Args:
        input: the shape of one image.
        classes: the number of classes.
        name: of the network.
        block: :func:`basic`, :func:`bottleneck` or a variant of it.
        depths: the number of blocks in each of the four stages.
    """
    x = start(name, input, classes)
    x = x.conv(64, 7, stride=2, padding=3, bias=False, name="conv1").batchnorm(name="bn1").relu(name="relu")
    x = x.maxpool(3, stride=2, padding=1, name="maxpool")
    for stage, (width, depth) in enumerate(zip(WIDTHS, depths, strict=True), start=1):
        for index in range(depth):
            x = block(x, f"layer{stage}.{index}", width, 2 if stage > 1 and index == 0 else 1)
    return x.globalavgpool(name="avgpool").dense(classes, name="fc").build()


def _entry(layers: int, block: Block, depths: tuple[int, ...], published: int) -> Architecture:
    name = f"resnet{layers}"
    return Architecture(
        name=name,
        input=(3, 224, 224),
        classes=1000,
        summary=f"He et al. 2015: {layers} layers with shortcuts; {'basic' if block is basic else 'bottleneck'} blocks",
        function=partial(resnet, name=name, block=block, depths=depths),
        published=published,
    )


resnets = (
    _entry(18, basic, (2, 2, 2, 2), 11_689_512),
    _entry(34, basic, (3, 4, 6, 3), 21_797_672),
    _entry(50, bottleneck, (3, 4, 6, 3), 25_557_032),
    _entry(101, bottleneck, (3, 4, 23, 3), 44_549_160),
    _entry(152, bottleneck, (3, 8, 36, 3), 60_192_808),
)
