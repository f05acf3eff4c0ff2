"""ShuffleNet v2 (Ma, Zhang, Zheng, Sun, "ShuffleNet V2: Practical guidelines for efficient CNN architecture design").

European Conference on Computer Vision 2018, figure 3 (c, d) and table 5. As in the paper; torchvision's weights fit
under the same names, and the parameter counts are torchvision's, which the paper rounds (table 5 and appendix).
"""

from __future__ import annotations

from functools import partial

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import Architecture
from striate.zoo.start import start

__all__ = ["shufflenet_v2", "shufflenets_v2"]

#: Units in stages 2, 3 and 4.
REPEATS = (4, 8, 4)


def depthwise(x: Chain, stride: int, name: str, first: int) -> Chain:
    """A depthwise 3×3 convolution with batch norm and no activation, the nodes ``first`` and ``first + 1``."""
    x = x.conv(x.channels, 3, stride=stride, padding=1, groups=x.channels, bias=False, name=f"{name}.{first}")
    return x.batchnorm(name=f"{name}.{first + 1}")


def pointwise(x: Chain, channels: int, name: str, first: int) -> Chain:
    """A 1×1 convolution with batch norm and ReLU, the nodes ``first`` to ``first + 2``."""
    x = x.conv(channels, 1, bias=False, name=f"{name}.{first}")
    return x.batchnorm(name=f"{name}.{first + 1}").relu(name=f"{name}.{first + 2}")


def unit(x: Chain, channels: int, stride: int, name: str) -> Chain:
    """Half of the channels pass, half are filtered (figure 3c); at stride 2 both halves see all channels (3d)."""
    half = channels // 2
    if stride == 1:
        left, right = x.slice(stop=half, name=f"{name}.left"), x.slice(start=half, name=f"{name}.right")
    else:
        left, right = pointwise(depthwise(x, stride, f"{name}.branch1", 0), half, f"{name}.branch1", 2), x
    right = pointwise(right, half, f"{name}.branch2", 0)
    right = pointwise(depthwise(right, stride, f"{name}.branch2", 3), half, f"{name}.branch2", 5)
    return left.concat(right, name=f"{name}.concat").channelshuffle(2, name=f"{name}.shuffle")


def shufflenet_v2(input: Shape, classes: int, *, name: str, widths: tuple[int, ...], last: int) -> Graph:
    """Adapts to images of every size, in one, two or three dimensions; below 32 pixels the last maps are 1×1.

    Args:
        input: the shape of one image.
        classes: the number of classes.
        name: of the network.
        widths: channels of stages 2, 3 and 4.
        last: channels of the last convolution.
    """
    x = start(name, input, classes)
    x = x.conv(24, 3, stride=2, padding=1, bias=False, name="conv1.0").batchnorm(name="conv1.1").relu(name="conv1.2")
    x = x.maxpool(3, stride=2, padding=1, name="maxpool")
    for stage, (channels, repeats) in enumerate(zip(widths, REPEATS, strict=True), start=2):
        for index in range(repeats):
            x = unit(x, channels, 2 if index == 0 else 1, f"stage{stage}.{index}")
    x = pointwise(x, last, "conv5", 0)
    return x.globalavgpool(name="avgpool").dense(classes, name="fc").build()


def _entry(scale: str, widths: tuple[int, ...], last: int, published: int) -> Architecture:
    name = f"shufflenet_v2_x{scale.replace('.', '_')}"
    return Architecture(
        name=name,
        input=(3, 224, 224),
        classes=1000,
        summary=f"Ma et al. 2018: channels split and shuffled; {scale} × the width",
        function=partial(shufflenet_v2, name=name, widths=widths, last=last),
        published=published,
        writing={"avgpool": "method"},
    )


shufflenets_v2 = (
    _entry("0.5", (48, 96, 192), 1024, 1_366_792),
    _entry("1.0", (116, 232, 464), 1024, 2_278_604),
    _entry("1.5", (176, 352, 704), 1024, 3_503_624),
    _entry("2.0", (244, 488, 976), 2048, 7_393_996),
)
