"""DeepLab v3 and v3+: windows widened by dilation, several rates side by side (atrous spatial pyramid pooling, ASPP).

v3: Chen, Papandreou, Schroff, Adam, "Rethinking atrous convolution for semantic image segmentation", 2017, figure 5, at
output stride 8. Torchvision's weights fit under the same names (``backbone``, ``classifier``), without the auxiliary
head, which serves training alone: 39,638,869 parameters for ResNet-50 and 58,630,997 for ResNet-101 with 21 classes
(with the head torchvision states 42,004,074 and 60,996,202). As in torchvision, one more 3×3 convolution stands behind
the pyramid.

v3+: Chen, Zhu, Papandreou, Schroff, Adam, "Encoder-decoder with atrous separable convolution for semantic image
segmentation", 2018, figure 2 and section 4.1, at output stride 16: the pyramid, four times enlarged, meets the first
stage's map, reduced to 48 channels, and two 3×3 convolutions with 256 filters refine both. With the paper's ResNet-101
trunk, and with ResNet-50; its Xception trunk and separable convolutions are left out. Names as for v3, and for the
decoder as in the common PyTorch version (``classifier.project``, ``.aspp``, ``.classifier``).
"""

from __future__ import annotations

from functools import partial

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import Architecture
from striate.zoo.dilated_resnet import dilated_resnet
from striate.zoo.start import start

__all__ = ["deeplab", "deeplabs"]

RESNET50, RESNET101 = (3, 4, 6, 3), (3, 4, 23, 3)
FILTERS = 256


def conv(x: Chain, filters: int, kernel: int, name: str, first: int = 0, dilation: int = 1) -> Chain:
    """A convolution that keeps the size, batch norm and ReLU, the nodes ``first`` to ``first + 2``."""
    padding = dilation * (kernel // 2)
    x = x.conv(filters, kernel, padding=padding, dilation=dilation, bias=False, name=f"{name}.{first}")
    return x.batchnorm(name=f"{name}.{first + 1}").relu(name=f"{name}.{first + 2}")


def pyramid(x: Chain, rates: tuple[int, ...], dropout: float, name: str) -> Chain:
    """One position, three rates and the whole map side by side, projected to 256 channels (v3, section 3.3)."""
    branches = [conv(x, FILTERS, 1, f"{name}.convs.0")]
    for number, rate in enumerate(rates, start=1):
        branches.append(conv(x, FILTERS, 3, f"{name}.convs.{number}", dilation=rate))
    last = f"{name}.convs.{len(rates) + 1}"
    whole = conv(x.globalavgpool(keep=True, name=f"{last}.0"), FILTERS, 1, last, first=1)
    branches.append(whole.resizelike(x, mode="linear", name=f"{last}.resize"))
    x = conv(branches[0].concat(*branches[1:], name=f"{name}.concat"), FILTERS, 1, f"{name}.project")
    return x.dropout(dropout, name=f"{name}.project.3")


def plain_head(maps: tuple[Chain, ...], classes: int) -> Chain:
    """The scores of v3: the pyramid on the last map, and one convolution (figure 5)."""
    x = conv(pyramid(maps[-1], (12, 24, 36), 0.5, "classifier.0"), FILTERS, 3, "classifier", first=1)
    return x.conv(classes, 1, name="classifier.4")


def refining_head(maps: tuple[Chain, ...], classes: int) -> Chain:
    """The scores of v3+: the pyramid, enlarged, beside the first stage's map (figure 2)."""
    fine, coarse = conv(maps[0], 48, 1, "classifier.project"), maps[-1]
    x = pyramid(coarse, (6, 12, 18), 0.1, "classifier.aspp")
    x = fine.concat(x.resizelike(fine, mode="linear", name="classifier.resize"), name="classifier.concat")
    x = conv(x, FILTERS, 3, "classifier.classifier")
    x = conv(x, FILTERS, 3, "classifier.classifier", first=3)
    return x.conv(classes, 1, name="classifier.classifier.6")


def deeplab(input: Shape, classes: int, *, name: str, depths: tuple[int, ...], plus: bool) -> Graph:
    """Adapts to images of every size, in one, two or three dimensions; the scores have the image's size.

    Args:
        input: the shape of one image.
        classes: the number of classes, the background included.
        name: of the network.
        depths: blocks of the trunk's stages.
        plus: v3+ instead of v3.
    """
    image = start(name, input, classes)
    maps = dilated_resnet(image, depths, 16 if plus else 8, "backbone")
    x = refining_head(maps, classes) if plus else plain_head(maps, classes)
    return x.resizelike(image, mode="linear", name="out").build()


def _entry(name: str, depths: tuple[int, ...], published: int | None, *aliases: str) -> Architecture:
    plus = "plus" in name
    trunk = f"ResNet-{3 * sum(depths) + 2}"
    return Architecture(
        name=name,
        input=(3, 513, 513),
        classes=21,
        summary=f"Chen et al. 2018: DeepLab v3 with a decoder; {trunk}"
        if plus
        else f"Chen et al. 2017: dilated windows at several rates; {trunk}",
        function=partial(deeplab, name=name, depths=depths, plus=plus),
        aliases=aliases,
        published=published,
        family="segmentation",
    )


deeplabs = (
    _entry("deeplab_v3", RESNET50, 39_638_869, "deeplab_v3_resnet50"),
    _entry("deeplab_v3_resnet101", RESNET101, 58_630_997),
    _entry("deeplab_v3_plus", RESNET101, None, "deeplab_v3_plus_resnet101"),
    _entry("deeplab_v3_plus_resnet50", RESNET50, None),
)
