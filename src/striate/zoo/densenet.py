"""DenseNet (Huang, Liu, van der Maaten, Weinberger, "Densely connected convolutional networks", 2016, table 1).

DenseNet-BC for ImageNet: growth rate 32, bottlenecks of 4·32 channels, transitions that halve the channels. As in the
paper and in torchvision, whose weights fit under the same names and whose parameter count this is. Each layer's
32 maps are appended to one growing map, which every later layer of the block reads: the same as concatenating all.
"""

from __future__ import annotations

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import architecture
from striate.zoo.start import start

__all__ = ["densenet121"]

GROWTH = 32
#: Table 1, DenseNet-121: layers in each of the four dense blocks.
BLOCKS = (6, 12, 24, 16)


def _layer(x: Chain, name: str) -> Chain:
    """Batch norm, ReLU and convolution, 1×1 and then 3×3; the map that comes in goes on beside the new one."""
    y = x.batchnorm(name=f"{name}.norm1").relu(name=f"{name}.relu1")
    y = y.conv(4 * GROWTH, 1, bias=False, name=f"{name}.conv1")
    y = y.batchnorm(name=f"{name}.norm2").relu(name=f"{name}.relu2")
    return x.concat(y.conv(GROWTH, 3, padding=1, bias=False, name=f"{name}.conv2"), name=f"{name}.concat")


def _transition(x: Chain, name: str) -> Chain:
    """Half the channels and half the size."""
    x = x.batchnorm(name=f"{name}.norm").relu(name=f"{name}.relu")
    return x.conv(x.channels // 2, 1, bias=False, name=f"{name}.conv").avgpool(2, name=f"{name}.pool")


@architecture(
    "densenet121",
    input=(3, 224, 224),
    classes=1000,
    summary="Huang et al. 2016: every layer reads the maps of all before it",
    published=7_978_856,
    writing={"relu": "function", "avgpool": "function"},
    smallest=29,
)
def densenet121(input: Shape, classes: int) -> Graph:
    """Adapts to images of at least 29 pixels along each axis, in one, two or three dimensions."""
    x = start("densenet121", input, classes)
    x = x.conv(2 * GROWTH, 7, stride=2, padding=3, bias=False, name="features.conv0")
    x = x.batchnorm(name="features.norm0").relu(name="features.relu0")
    x = x.maxpool(3, stride=2, padding=1, name="features.pool0")
    for block, layers in enumerate(BLOCKS, start=1):
        for layer in range(1, layers + 1):
            x = _layer(x, f"features.denseblock{block}.denselayer{layer}")
        if block < len(BLOCKS):
            x = _transition(x, f"features.transition{block}")
    x = x.batchnorm(name="features.norm5").relu(name="relu").globalavgpool(name="avgpool")
    return x.dense(classes, name="classifier").build()
