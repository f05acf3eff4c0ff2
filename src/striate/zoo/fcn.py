"""FCN (Long, Shelhamer, Darrell, "Fully convolutional networks for semantic segmentation", 2015, section 4, figure 3).

VGG-16 with its dense layers as convolutions (fc6, fc7), scored at each position and enlarged to the image. As in the
authors' Caffe networks, layer by layer and name by name: the first convolution pads the image by 100 pixels on each
side, so that every image gives fc6 a 7×7 window; poolings round up; what is too much is cropped, by 19 pixels for
FCN-32s and by 5, 9 and 31 for FCN-8s. Long et al. start the transposed convolutions (``upscore``) at bilinear
interpolation and train, in their networks, none of them.

The paper counts 134 million parameters (table 1): the trunk and its scores, 134,346,581 with 21 classes. With the
transposed convolutions, and for FCN-8s the scores of pool3 and pool4, that is 136,152,917 and 134,489,759.
"""

from __future__ import annotations

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import architecture
from striate.zoo.start import start

__all__ = ["fcn8s", "fcn32s"]

#: Filters of the 3×3 convolutions before each pooling, VGG-16.
STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
#: Filters of fc6 and fc7.
HIDDEN = 4096


def trunk(x: Chain) -> list[Chain]:
    """The five poolings of VGG-16; each halves the map, rounded up."""
    pools = []
    for stage, filters in enumerate(STAGES, start=1):
        for number, width in enumerate(filters, start=1):
            padding = 100 if stage == number == 1 else 1
            x = x.conv(width, 3, padding=padding, name=f"conv{stage}_{number}").relu(name=f"relu{stage}_{number}")
        x = x.maxpool(2, ceil_mode=True, name=f"pool{stage}")
        pools.append(x)
    return pools


def scores(x: Chain, classes: int) -> Chain:
    """The dense layers of VGG-16 as convolutions, and one score for each class at each position."""
    x = x.conv(HIDDEN, 7, name="fc6").relu(name="relu6").dropout(0.5, name="drop6")
    x = x.conv(HIDDEN, 1, name="fc7").relu(name="relu7").dropout(0.5, name="drop7")
    return x.conv(classes, 1, name="score_fr")


def enlarge(x: Chain, scale: int, name: str) -> Chain:
    """A map of scores ``scale`` times larger, by a transposed convolution of twice that width."""
    return x.convtranspose(x.channels, 2 * scale, stride=scale, bias=False, name=name)


@architecture(
    "fcn32s",
    input=(3, 500, 500),
    classes=21,
    summary="Long et al. 2015: VGG-16 scored at each position, enlarged 32 times",
    family="segmentation",
)
def fcn32s(input: Shape, classes: int) -> Graph:
    """Adapts to images of every size, in one, two or three dimensions; the scores have the image's size."""
    image = start("fcn32s", input, classes)
    x = scores(trunk(image)[-1], classes)
    return enlarge(x, 32, "upscore").croplike(image, offset=19, name="score").build()


@architecture(
    "fcn8s",
    input=(3, 500, 500),
    classes=21,
    summary="Long et al. 2015: as fcn32s, with the scores of two finer maps added",
    family="segmentation",
)
def fcn8s(input: Shape, classes: int) -> Graph:
    """Adapts to images of every size, in one, two or three dimensions; the scores have the image's size."""
    image = start("fcn8s", input, classes)
    _, _, pool3, pool4, pool5 = trunk(image)
    x = scores(pool5, classes)
    for pool, name, offset, upscore in ((pool4, "pool4", 5, "upscore2"), (pool3, "pool3", 9, "upscore_pool4")):
        x = enlarge(x, 2, upscore)
        finer = pool.conv(classes, 1, name=f"score_{name}").croplike(x, offset=offset, name=f"score_{name}c")
        x = x.add(finer, name=f"fuse_{name}")
    return enlarge(x, 8, "upscore8").croplike(image, offset=31, name="score").build()
