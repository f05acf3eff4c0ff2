"""Darknet-53 (Redmon, Farhadi, "YOLOv3: An incremental improvement", 2018, section 2.4, table 1).

Residual blocks of a 1×1 and a 3×3 convolution; convolutions with stride 2 in place of poolings; batch norm and
LeakyReLU 0.1 behind every convolution. It counts 52 convolutions and one dense layer, 41,609,928 parameters for 1000
classes (41.6 million in the library timm). Batch norm's epsilon is PyTorch's, 1e-5, as in the common ports.
"""

from __future__ import annotations

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import architecture
from striate.zoo.start import start

__all__ = ["darknet53", "trunk", "unit"]

#: Channels of the first convolution and of each stage.
WIDTHS = (32, 64, 128, 256, 512, 1024)
#: Residual blocks of each stage.
BLOCKS = (1, 2, 8, 8, 4)


def unit(x: Chain, filters: int, kernel: int, name: str, stride: int = 1) -> Chain:
    """A convolution with batch norm and LeakyReLU 0.1."""
    x = x.conv(filters, kernel, stride=stride, padding=kernel // 2, bias=False, name=f"{name}.conv")
    return x.batchnorm(name=f"{name}.bn").leakyrelu(0.1, name=f"{name}.leaky")


def trunk(x: Chain, prefix: str = "") -> list[Chain]:
    """The last map of each stage; each halves the size, rounded up."""
    x = unit(x, WIDTHS[0], 3, f"{prefix}stem")
    found = []
    for stage, (width, blocks) in enumerate(zip(WIDTHS[1:], BLOCKS, strict=True), start=1):
        x = unit(x, width, 3, f"{prefix}stage{stage}.down", stride=2)
        for number in range(blocks):
            name = f"{prefix}stage{stage}.{number}"
            narrow = unit(x, width // 2, 1, f"{name}.unit1")
            x = x.add(unit(narrow, width, 3, f"{name}.unit2"), name=f"{name}.add")
        found.append(x)
    return found


@architecture(
    "darknet53",
    input=(3, 256, 256),
    classes=1000,
    summary="Redmon, Farhadi 2018: residual blocks of 1×1 and 3×3, the trunk of YOLOv3",
    published=41_609_928,
)
def darknet53(input: Shape, classes: int) -> Graph:
    """Adapts to images of every size, in one, two or three dimensions."""
    x = trunk(start("darknet53", input, classes))[-1]
    return x.globalavgpool(name="pool").dense(classes, name="fc").build()
