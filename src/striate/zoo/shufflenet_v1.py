"""ShuffleNet (Zhang, Zhou, Lin, Sun, "ShuffleNet: An extremely efficient convolutional neural network for mobile
devices", 2017, table 1 with 3 groups at scale 1, and figure 2 b and c).

As in the paper, in the form of the authors' PyTorch release, whose weights fit under the same names: the channels are
shuffled behind the depthwise convolution instead of before it (which looks at each channel by itself, so only their
numbers differ), the shuffle deals out the other way round, and the classifier has no bias. That makes 1,864,728
parameters with those of the batch norms; a bias would add one for each class. The paper states multiply-adds alone,
137 million (table 1).
"""

from __future__ import annotations

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import architecture
from striate.zoo.start import start

__all__ = ["shufflenet_v1"]

GROUPS = 3
#: Output channels and units of stages 2, 3 and 4.
STAGES = ((240, 4), (480, 8), (960, 4))


def unit(x: Chain, channels: int, stride: int, name: str, *, first: bool) -> Chain:
    """A grouped bottleneck, added to what came in (figure 2b) or at stride 2 put behind its average (2c).

    The very first 1×1 convolution is not grouped: it has few channels to read (section 3.2).
    """
    inner, added = channels // 4, channels if stride == 1 else channels - x.channels
    y = x.conv(inner, 1, groups=1 if first else GROUPS, bias=False, name=f"{name}.branch_main_1.0")
    y = y.batchnorm(name=f"{name}.branch_main_1.1").relu(name=f"{name}.branch_main_1.2")
    y = y.conv(inner, 3, stride=stride, padding=1, groups=inner, bias=False, name=f"{name}.branch_main_1.3")
    y = y.batchnorm(name=f"{name}.branch_main_1.4").channelshuffle(inner // GROUPS, name=f"{name}.shuffle")
    y = y.conv(added, 1, groups=GROUPS, bias=False, name=f"{name}.branch_main_2.0")
    y = y.batchnorm(name=f"{name}.branch_main_2.1")
    if stride == 1:
        return y.add(x, name=f"{name}.add").relu(name=f"{name}.relu")
    pooled = x.avgpool(3, stride=2, padding=1, name=f"{name}.branch_proj")
    return pooled.concat(y.relu(name=f"{name}.relu"), name=f"{name}.concat")


@architecture(
    "shufflenet_v1",
    input=(3, 224, 224),
    classes=1000,
    summary="Zhang et al. 2017: grouped 1×1 convolutions, channels shuffled; 3 groups",
    aliases=("shufflenet", "shufflenet_v1_x1_0"),
)
def shufflenet_v1(input: Shape, classes: int) -> Graph:
    """Adapts to images of every size, in one, two or three dimensions; below 32 pixels the last maps are 1×1."""
    x = start("shufflenet_v1", input, classes)
    x = x.conv(24, 3, stride=2, padding=1, bias=False, name="first_conv.0")
    x = x.batchnorm(name="first_conv.1").relu(name="first_conv.2").maxpool(3, stride=2, padding=1, name="maxpool")
    number = 0
    for channels, repeats in STAGES:
        for index in range(repeats):
            x = unit(x, channels, 2 if index == 0 else 1, f"features.{number}", first=number == 0)
            number += 1
    return x.globalavgpool(name="globalpool").dense(classes, bias=False, name="classifier.0").build()
