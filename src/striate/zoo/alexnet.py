"""AlexNet, as it was in 2012 and as it is in general use.

``alexnet_two_group``: Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural networks",
2012, section 3.5 and figure 2. The two GPUs are two groups in conv2, conv4 and conv5; with local response
normalisation (section 3.3: k = 2, n = 5, alpha = 1e-4, beta = 0.75, where PyTorch's alpha is n times the paper's) and
overlapping pooling. The paper says 224×224, but its own arithmetic (55×55 maps in conv1) needs 227×227. Layers bear
the names they have in Caffe. 34,944 + 307,456 + 885,120 + 663,936 + 442,624 + 37,752,832 + 16,781,312 + 4,097,000 =
60,965,224 parameters (the paper says 60 million).

``alexnet``: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014, in torchvision's form:
one tower, without normalisation. Torchvision's weights fit under the same names, and the parameter count is its own.
"""

from __future__ import annotations

from striate.graph import Graph
from striate.units import Shape
from striate.zoo.architecture import architecture
from striate.zoo.start import start

__all__ = ["alexnet", "alexnet_two_group"]


@architecture(
    "alexnet",
    input=(3, 224, 224),
    classes=1000,
    summary="Krizhevsky 2014: five convolutions and three dense layers, in one tower",
    published=61_100_840,
    smallest=63,
)
def alexnet(input: Shape, classes: int) -> Graph:
    """Adapts to images of at least 63 pixels along each axis, in one, two or three dimensions."""
    x = start("alexnet", input, classes)
    x = x.conv(64, 11, stride=4, padding=2, name="features.0").relu(name="features.1")
    x = x.maxpool(3, stride=2, name="features.2")
    x = x.conv(192, 5, padding=2, name="features.3").relu(name="features.4")
    x = x.maxpool(3, stride=2, name="features.5")
    x = x.conv(384, 3, padding=1, name="features.6").relu(name="features.7")
    x = x.conv(256, 3, padding=1, name="features.8").relu(name="features.9")
    x = x.conv(256, 3, padding=1, name="features.10").relu(name="features.11")
    x = x.maxpool(3, stride=2, name="features.12")
    x = x.adaptiveavgpool(6, name="avgpool").flatten(name="flatten")
    x = x.dropout(0.5, name="classifier.0").dense(4096, name="classifier.1").relu(name="classifier.2")
    x = x.dropout(0.5, name="classifier.3").dense(4096, name="classifier.4").relu(name="classifier.5")
    return x.dense(classes, name="classifier.6").build()


@architecture(
    "alexnet_two_group",
    input=(3, 227, 227),
    classes=1000,
    summary="Krizhevsky et al. 2012: the original, with two groups and response normalisation",
    aliases=("alexnet_2012",),
    published=60_965_224,
    smallest=67,
)
def alexnet_two_group(input: Shape, classes: int) -> Graph:
    """Adapts to images of at least 67 pixels along each axis, in one, two or three dimensions.

    The first dense layer reads the whole last map, so that its parameters grow with the image.
    """
    x = start("alexnet_two_group", input, classes)
    x = x.conv(96, 11, stride=4, name="conv1").relu(name="relu1")
    x = x.localresponsenorm(5, alpha=5e-4, beta=0.75, k=2.0, name="norm1").maxpool(3, stride=2, name="pool1")
    x = x.conv(256, 5, padding=2, groups=2, name="conv2").relu(name="relu2")
    x = x.localresponsenorm(5, alpha=5e-4, beta=0.75, k=2.0, name="norm2").maxpool(3, stride=2, name="pool2")
    x = x.conv(384, 3, padding=1, name="conv3").relu(name="relu3")
    x = x.conv(384, 3, padding=1, groups=2, name="conv4").relu(name="relu4")
    x = x.conv(256, 3, padding=1, groups=2, name="conv5").relu(name="relu5").maxpool(3, stride=2, name="pool5")
    x = x.flatten(name="flatten").dense(4096, name="fc6").relu(name="relu6").dropout(0.5, name="drop6")
    x = x.dense(4096, name="fc7").relu(name="relu7").dropout(0.5, name="drop7")
    return x.dense(classes, name="fc8").build()
