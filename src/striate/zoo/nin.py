"""Network in Network (Lin, Chen, Yan, "Network in network", 2014, section 3 and figure 2).

Each convolution is followed by two 1×1 convolutions (the paper's mlpconv; its equation 2), and the last of them yields
one map for each class, whose mean is the class's score: there is no dense layer. The paper gives no table of widths;
these are the authors' published networks for Caffe, with their names: ``nin_cifar`` for CIFAR-10 (966,986 parameters,
as the library pytorchcv counts) and ``nin`` for ImageNet (7,595,176; the paper gives no number, but the authors' file
of weights holds 29 MiB). Caffe rounds the size of a pooled map up.
"""

from __future__ import annotations

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import architecture
from striate.zoo.start import start

__all__ = ["nin", "nin_cifar"]


def _pointwise(x: Chain, name: str, filters: int) -> Chain:
    return x.conv(filters, 1, name=name).relu(name=f"relu_{name}")


@architecture(
    "nin",
    input=(3, 224, 224),
    classes=1000,
    summary="Lin et al. 2014: 1×1 convolutions behind each convolution, no dense layer",
    aliases=("nin_imagenet", "network_in_network"),
    smallest=39,
)
def nin(input: Shape, classes: int) -> Graph:
    """Adapts to images of at least 39 pixels along each axis, in one, two or three dimensions.

    The authors' last pooling is 6×6, the whole map of an image of 224×224; here it is the whole map at every size.
    """
    x = start("nin", input, classes)
    x = x.conv(96, 11, stride=4, name="conv1").relu(name="relu_conv1")
    x = _pointwise(_pointwise(x, "cccp1", 96), "cccp2", 96).maxpool(3, stride=2, ceil_mode=True, name="pool1")
    x = x.conv(256, 5, padding=2, name="conv2").relu(name="relu_conv2")
    x = _pointwise(_pointwise(x, "cccp3", 256), "cccp4", 256).maxpool(3, stride=2, ceil_mode=True, name="pool2")
    x = x.conv(384, 3, padding=1, name="conv3").relu(name="relu_conv3")
    x = _pointwise(_pointwise(x, "cccp5", 384), "cccp6", 384).maxpool(3, stride=2, ceil_mode=True, name="pool3")
    x = x.dropout(0.5, name="drop").conv(1024, 3, padding=1, name="conv4").relu(name="relu_conv4")
    return _pointwise(_pointwise(x, "cccp7", 1024), "cccp8", classes).globalavgpool(name="pool4").build()


@architecture(
    "nin_cifar",
    input=(3, 32, 32),
    classes=10,
    summary="Lin et al. 2014: 1×1 convolutions behind each convolution; small images",
    published=966_986,
    smallest=4,
)
def nin_cifar(input: Shape, classes: int) -> Graph:
    """Adapts to images of at least 4 pixels along each axis, in one, two or three dimensions."""
    x = start("nin_cifar", input, classes)
    x = x.conv(192, 5, padding=2, name="conv1").relu(name="relu_conv1")
    x = _pointwise(_pointwise(x, "cccp1", 160), "cccp2", 96).maxpool(3, stride=2, ceil_mode=True, name="pool1")
    x = x.dropout(0.5, name="drop1").conv(192, 5, padding=2, name="conv2").relu(name="relu_conv2")
    x = _pointwise(_pointwise(x, "cccp3", 192), "cccp4", 192).avgpool(3, stride=2, ceil_mode=True, name="pool2")
    x = x.dropout(0.5, name="drop2").conv(192, 3, padding=1, name="conv3").relu(name="relu_conv3")
    return _pointwise(_pointwise(x, "cccp5", 192), "cccp6", classes).globalavgpool(name="pool3").build()
