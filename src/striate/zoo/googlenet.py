"""GoogLeNet (Szegedy et al., "Going deeper with convolutions", 2014, table 1 and figure 2b).

The widths are the table's. As in torchvision, whose weights fit under the same names: batch normalisation behind each
convolution instead of local response normalisation, and 3×3 convolutions where the paper's third branch has 5×5. The
two auxiliary classifiers, which serve in training alone, are left out: 6,624,904 parameters, as torchvision counts
without them (13,004,888 with them). Torchvision's trained weights expect images normalised to [-1, 1].
"""

from __future__ import annotations

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import architecture
from striate.zoo.start import start

__all__ = ["googlenet"]

#: Table 1: 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5 and pool projection of the nine inception modules, by stage.
MODULES = (
    {"inception3a": (64, 96, 128, 16, 32, 32), "inception3b": (128, 128, 192, 32, 96, 64)},
    {
        "inception4a": (192, 96, 208, 16, 48, 64),
        "inception4b": (160, 112, 224, 24, 64, 64),
        "inception4c": (128, 128, 256, 24, 64, 64),
        "inception4d": (112, 144, 288, 32, 64, 64),
        "inception4e": (256, 160, 320, 32, 128, 128),
    },
    {"inception5a": (256, 160, 320, 32, 128, 128), "inception5b": (384, 192, 384, 48, 128, 128)},
)


def _conv(x: Chain, name: str, filters: int, kernel: int, *, stride: int = 1) -> Chain:
    x = x.conv(filters, kernel, stride=stride, padding=kernel // 2, bias=False, name=f"{name}.conv")
    return x.batchnorm(epsilon=1e-3, name=f"{name}.bn").relu(name=f"{name}.relu")


def _inception(x: Chain, name: str, widths: tuple[int, ...]) -> Chain:
    """Four branches, concatenated (figure 2b)."""
    one, reduce3, three, reduce5, five, projection = widths
    branch1 = _conv(x, f"{name}.branch1", one, 1)
    branch2 = _conv(_conv(x, f"{name}.branch2.0", reduce3, 1), f"{name}.branch2.1", three, 3)
    branch3 = _conv(_conv(x, f"{name}.branch3.0", reduce5, 1), f"{name}.branch3.1", five, 3)
    pooled = x.maxpool(3, stride=1, padding=1, ceil_mode=True, name=f"{name}.branch4.0")
    branch4 = _conv(pooled, f"{name}.branch4.1", projection, 1)
    return branch1.concat(branch2, branch3, branch4, name=f"{name}.concat")


@architecture(
    "googlenet",
    input=(3, 224, 224),
    classes=1000,
    summary="Szegedy et al. 2014: nine inception modules of four branches each",
    aliases=("inception_v1",),
    published=6_624_904,
    writing={"*.relu": "function"},
    smallest=15,
)
def googlenet(input: Shape, classes: int) -> Graph:
    """Adapts to images of at least 15 pixels along each axis, in one, two or three dimensions."""
    x = start("googlenet", input, classes)
    x = _conv(x, "conv1", 64, 7, stride=2).maxpool(3, stride=2, ceil_mode=True, name="maxpool1")
    x = _conv(_conv(x, "conv2", 64, 1), "conv3", 192, 3).maxpool(3, stride=2, ceil_mode=True, name="maxpool2")
    third, fourth, fifth = MODULES
    for name, widths in third.items():
        x = _inception(x, name, widths)
    x = x.maxpool(3, stride=2, ceil_mode=True, name="maxpool3")
    for name, widths in fourth.items():
        x = _inception(x, name, widths)
    x = x.maxpool(2, stride=2, ceil_mode=True, name="maxpool4")
    for name, widths in fifth.items():
        x = _inception(x, name, widths)
    return x.globalavgpool(name="avgpool").dropout(0.2, name="dropout").dense(classes, name="fc").build()
