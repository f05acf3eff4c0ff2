"""ResNeXt (Xie, Girshick, Dollár, Tu, He, "Aggregated residual transformations for deep neural networks", 2016).

ResNet whose 3×3 convolutions see their channels in groups (table 1: 32×4d is 32 groups, the cardinality, of 4 channels
in conv2_x, then 8, 16 and 32). As in the paper's figure 3(c) and in torchvision, whose weights fit under the same
names; the parameter counts are torchvision's (the paper's table 1 says 25.0 million for ResNeXt-50).
"""

from __future__ import annotations

from functools import partial

from striate.zoo.architecture import Architecture
from striate.zoo.resnet import bottleneck, resnet

__all__ = ["resnexts"]


def _entry(layers: int, groups: int, per_group: int, depths: tuple[int, ...], published: int) -> Architecture:
    name = f"resnext{layers}_{groups}x{per_group}d"
    block = partial(bottleneck, groups=groups, per_group=per_group)
    return Architecture(
        name=name,
        input=(3, 224, 224),
        classes=1000,
        summary=f"Xie et al. 2016: ResNet-{layers} with {groups} groups in its 3×3 convolutions",
        function=partial(resnet, name=name, block=block, depths=depths),
        aliases=(f"resnext{layers}",),
        published=published,
    )


resnexts = (
    _entry(50, 32, 4, (3, 4, 6, 3), 25_028_904),
    _entry(101, 32, 8, (3, 4, 23, 3), 88_791_336),
)
