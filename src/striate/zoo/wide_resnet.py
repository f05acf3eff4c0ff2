"""Wide ResNet (Zagoruyko and Komodakis, "Wide residual networks", 2016).

``wide_resnet50_2`` (the paper's WRN-50-2-bottleneck) and ``wide_resnet101_2`` are ResNet with twice the channels inside
each bottleneck; torchvision's weights fit under the same names, and the parameter counts are torchvision's (the paper
says 68.9 million for the first).

``wrn_28_10`` is the CIFAR network of table 1: 28 layers, ten times as wide as the CIFAR ResNet, batch normalisation and
ReLU before each convolution. The shortcut of a block whose width changes is a 1×1 convolution that starts behind the
block's first ReLU, as in the authors' code. Without the dropout that the paper tries too (section 2.4). The paper says
36.5 million parameters; the exact number for 10 classes, which the library pytorchcv gives too, is 36,479,194.
"""

from __future__ import annotations

from functools import partial

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import Architecture, architecture
from striate.zoo.resnet import bottleneck, resnet
from striate.zoo.start import start

__all__ = ["wide_resnets", "wrn_28_10"]

#: Table 1 for depth 28 and widening factor 10: conv2, conv3 and conv4 of N = (28 - 4) / 6 = 4 blocks each.
WIDTHS = (160, 320, 640)
BLOCKS = 4


def _block(x: Chain, name: str, width: int, stride: int) -> Chain:
    active = x.batchnorm(name=f"{name}.bn1").relu(name=f"{name}.relu1")
    y = active.conv(width, 3, stride=stride, padding=1, bias=False, name=f"{name}.conv1")
    y = y.batchnorm(name=f"{name}.bn2").relu(name=f"{name}.relu2")
    y = y.conv(width, 3, padding=1, bias=False, name=f"{name}.conv2")
    if x.channels != width:
        x = active.conv(width, 1, stride=stride, bias=False, name=f"{name}.shortcut")
    return y.add(x, name=f"{name}.add")


@architecture(
    "wrn_28_10",
    input=(3, 32, 32),
    classes=10,
    summary="Zagoruyko and Komodakis 2016: 28 layers, ten times as wide; small images",
    aliases=("wide_resnet28_10",),
    published=36_479_194,
)
def wrn_28_10(input: Shape, classes: int) -> Graph:
    """Adapts to images of every size, in one, two or three dimensions."""
    x = start("wrn_28_10", input, classes).conv(16, 3, padding=1, bias=False, name="conv1")
    for stage, width in enumerate(WIDTHS, start=2):
        for index in range(BLOCKS):
            x = _block(x, f"conv{stage}.{index}", width, 2 if stage > 2 and index == 0 else 1)
    return x.batchnorm(name="bn").relu(name="relu").globalavgpool(name="avgpool").dense(classes, name="fc").build()


def _entry(layers: int, depths: tuple[int, ...], published: int) -> Architecture:
    name = f"wide_resnet{layers}_2"
    return Architecture(
        name=name,
        input=(3, 224, 224),
        classes=1000,
        summary=f"Zagoruyko and Komodakis 2016: ResNet-{layers} with twice the channels inside its blocks",
        function=partial(resnet, name=name, block=partial(bottleneck, per_group=128), depths=depths),
        aliases=(f"wrn_{layers}_2",),
        published=published,
    )


wide_resnets = (
    _entry(50, (3, 4, 6, 3), 68_883_240),
    _entry(101, (3, 4, 23, 3), 126_886_696),
)
