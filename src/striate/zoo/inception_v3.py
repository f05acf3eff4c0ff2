"""Inception v3 (Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the inception architecture …", 2015, table 1).

As in the authors' code and in torchvision, whose weights fit under the same names; the modules are those of figures 5
(A), 10 (B and D), 6 (C) and 7 (E). The auxiliary classifier, which serves in training alone, is left out: 23,834,568
parameters, as torchvision counts without it (27,161,264 with it). Torchvision's trained weights expect images
normalised to [-1, 1].
"""

from __future__ import annotations

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import architecture
from striate.zoo.start import start

__all__ = ["inception_v3"]

#: Pixels along each axis.
SMALLEST = 75
#: Half a window of padding keeps the size; a pair is height and width.
Kernel = int | tuple[int, int]


def _conv(x: Chain, name: str, filters: int, kernel: Kernel, *, stride: int = 1, padding: Kernel = 0) -> Chain:
    x = x.conv(filters, kernel, stride=stride, padding=padding, bias=False, name=f"{name}.conv")
    return x.batchnorm(epsilon=1e-3, name=f"{name}.bn").relu(name=f"{name}.relu")


def _module_a(x: Chain, name: str, projection: int) -> Chain:
    """Branches of 1×1, 5×5 and two 3×3 convolutions, and a pooling (figure 5)."""
    one = _conv(x, f"{name}.branch1x1", 64, 1)
    five = _conv(x, f"{name}.branch5x5_1", 48, 1)
    five = _conv(five, f"{name}.branch5x5_2", 64, 5, padding=2)
    double = _conv(x, f"{name}.branch3x3dbl_1", 64, 1)
    double = _conv(double, f"{name}.branch3x3dbl_2", 96, 3, padding=1)
    double = _conv(double, f"{name}.branch3x3dbl_3", 96, 3, padding=1)
    pooled = _pooled(x, name, projection)
    return one.concat(five, double, pooled, name=f"{name}.concat")


def _module_b(x: Chain, name: str) -> Chain:
    """Halves the map (figure 10)."""
    three = _conv(x, f"{name}.branch3x3", 384, 3, stride=2)
    double = _conv(x, f"{name}.branch3x3dbl_1", 64, 1)
    double = _conv(double, f"{name}.branch3x3dbl_2", 96, 3, padding=1)
    double = _conv(double, f"{name}.branch3x3dbl_3", 96, 3, stride=2)
    return three.concat(double, x.maxpool(3, stride=2, name=f"{name}.branch_pool"), name=f"{name}.concat")


def _module_c(x: Chain, name: str, inner: int) -> Chain:
    """7×7 convolutions, each as a 1×7 and a 7×1 one (figure 6)."""
    one = _conv(x, f"{name}.branch1x1", 192, 1)
    seven = _conv(x, f"{name}.branch7x7_1", inner, 1)
    seven = _conv(seven, f"{name}.branch7x7_2", inner, (1, 7), padding=(0, 3))
    seven = _conv(seven, f"{name}.branch7x7_3", 192, (7, 1), padding=(3, 0))
    double = _conv(x, f"{name}.branch7x7dbl_1", inner, 1)
    double = _conv(double, f"{name}.branch7x7dbl_2", inner, (7, 1), padding=(3, 0))
    double = _conv(double, f"{name}.branch7x7dbl_3", inner, (1, 7), padding=(0, 3))
    double = _conv(double, f"{name}.branch7x7dbl_4", inner, (7, 1), padding=(3, 0))
    double = _conv(double, f"{name}.branch7x7dbl_5", 192, (1, 7), padding=(0, 3))
    return one.concat(seven, double, _pooled(x, name, 192), name=f"{name}.concat")


def _module_d(x: Chain, name: str) -> Chain:
    """Halves the map."""
    three = _conv(_conv(x, f"{name}.branch3x3_1", 192, 1), f"{name}.branch3x3_2", 320, 3, stride=2)
    seven = _conv(x, f"{name}.branch7x7x3_1", 192, 1)
    seven = _conv(seven, f"{name}.branch7x7x3_2", 192, (1, 7), padding=(0, 3))
    seven = _conv(seven, f"{name}.branch7x7x3_3", 192, (7, 1), padding=(3, 0))
    seven = _conv(seven, f"{name}.branch7x7x3_4", 192, 3, stride=2)
    return three.concat(seven, x.maxpool(3, stride=2, name=f"{name}.branch_pool"), name=f"{name}.concat")


def _module_e(x: Chain, name: str) -> Chain:
    """1×3 and 3×1 convolutions side by side (figure 7)."""
    one = _conv(x, f"{name}.branch1x1", 320, 1)
    three = _conv(x, f"{name}.branch3x3_1", 384, 1)
    wide = _conv(three, f"{name}.branch3x3_2a", 384, (1, 3), padding=(0, 1))
    tall = _conv(three, f"{name}.branch3x3_2b", 384, (3, 1), padding=(1, 0))
    double = _conv(x, f"{name}.branch3x3dbl_1", 448, 1)
    double = _conv(double, f"{name}.branch3x3dbl_2", 384, 3, padding=1)
    double_wide = _conv(double, f"{name}.branch3x3dbl_3a", 384, (1, 3), padding=(0, 1))
    double_tall = _conv(double, f"{name}.branch3x3dbl_3b", 384, (3, 1), padding=(1, 0))
    return one.concat(wide, tall, double_wide, double_tall, _pooled(x, name, 192), name=f"{name}.concat")


def _pooled(x: Chain, name: str, projection: int) -> Chain:
    pooled = x.avgpool(3, stride=1, padding=1, name=f"{name}.avgpool")
    return _conv(pooled, f"{name}.branch_pool", projection, 1)


@architecture(
    "inception_v3",
    input=(3, 299, 299),
    classes=1000,
    summary="Szegedy et al. 2015: inception modules of factorised convolutions",
    published=23_834_568,
    writing={"*.relu": "function", "*.avgpool": "function", "*.branch_pool": "function"},
    smallest=SMALLEST,
)
def inception_v3(input: Shape, classes: int) -> Graph:
    """Adapts to images of at least 75 pixels along each axis; two dimensions only, since 1×7 windows need two."""
    x = start("inception_v3", input, classes, axes=2, smallest=SMALLEST)
    x = _conv(x, "Conv2d_1a_3x3", 32, 3, stride=2)
    x = _conv(x, "Conv2d_2a_3x3", 32, 3)
    x = _conv(x, "Conv2d_2b_3x3", 64, 3, padding=1).maxpool(3, stride=2, name="maxpool1")
    x = _conv(x, "Conv2d_3b_1x1", 80, 1)
    x = _conv(x, "Conv2d_4a_3x3", 192, 3).maxpool(3, stride=2, name="maxpool2")
    for name, projection in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = _module_a(x, name, projection)
    x = _module_b(x, "Mixed_6a")
    for name, inner in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = _module_c(x, name, inner)
    x = _module_d(x, "Mixed_7a")
    x = _module_e(_module_e(x, "Mixed_7b"), "Mixed_7c")
    return x.globalavgpool(name="avgpool").dropout(0.5, name="dropout").dense(classes, name="fc").build()
