"""The trunk of the DeepLab networks: a ResNet whose last stages widen their windows instead of halving the map.

Chen, Papandreou, Schroff, Adam, "Rethinking atrous convolution for semantic image segmentation", 2017, section 3.1.
As torchvision builds it (``replace_stride_with_dilation``): the first block of such a stage keeps the dilation from
before, the others have twice that.
"""

from __future__ import annotations

from striate.graph import Chain

__all__ = ["dilated_resnet"]

WIDTHS = (64, 128, 256, 512)


def _bottleneck(x: Chain, name: str, width: int, stride: int, dilation: int) -> Chain:
    y = x.conv(width, 1, bias=False, name=f"{name}.conv1").batchnorm(name=f"{name}.bn1").relu(name=f"{name}.relu1")
    y = y.conv(width, 3, stride=stride, padding=dilation, dilation=dilation, bias=False, name=f"{name}.conv2")
    y = y.batchnorm(name=f"{name}.bn2").relu(name=f"{name}.relu2")
    y = y.conv(4 * width, 1, bias=False, name=f"{name}.conv3").batchnorm(name=f"{name}.bn3")
    if stride > 1 or x.channels != y.channels:
        x = x.conv(y.channels, 1, stride=stride, bias=False, name=f"{name}.downsample.0")
        x = x.batchnorm(name=f"{name}.downsample.1")
    return y.add(x, name=f"{name}.add").relu(name=f"{name}.relu3")


def dilated_resnet(x: Chain, depths: tuple[int, ...], output_stride: int, name: str) -> tuple[Chain, ...]:
    """The maps behind the four stages of a bottleneck ResNet.

    Args:
        x: the image.
        depths: blocks of the stages, (3, 4, 6, 3) for ResNet-50.
        output_stride: by how much the last map is smaller than the image: 8, 16 or 32.
        name: what the names of its nodes begin with.
    """
    x = x.conv(64, 7, stride=2, padding=3, bias=False, name=f"{name}.conv1").batchnorm(name=f"{name}.bn1")
    x = x.relu(name=f"{name}.relu").maxpool(3, stride=2, padding=1, name=f"{name}.maxpool")
    maps, total, dilation = [], 4, 1
    for stage, (width, depth) in enumerate(zip(WIDTHS, depths, strict=True), start=1):
        stride, before = 1 if stage == 1 else 2, dilation
        if total * stride > output_stride:
            stride, dilation = 1, dilation * stride
        total *= stride
        for index in range(depth):
            first = index == 0
            place = f"{name}.layer{stage}.{index}"
            x = _bottleneck(x, place, width, stride if first else 1, before if first else dilation)
        maps.append(x)
    return tuple(maps)
