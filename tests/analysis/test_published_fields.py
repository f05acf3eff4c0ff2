"""Receptive fields against what is published, and against closed forms worked out by hand.

Published: Araujo, Norris, Sim, "Computing receptive fields of convolutional neural networks", Distill 2019, table 1
(AlexNet-v2 195, VGG-16 212, ResNet-v1-50 483; each with an effective stride of 32).
"""

from __future__ import annotations

import pytest

from striate.analysis import AxisField, receptive_fields
from striate.graph import Chain, Graph, network

IMAGE = (3, 224, 224)


def last_field(graph: Graph) -> AxisField:
    """Of the last node; both axes must agree."""
    height, width = receptive_fields(graph)[graph.nodes[-1].name]
    assert height == width
    return height


def vgg_trunk() -> Chain:
    x = network("vgg16", IMAGE)
    for filters, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            x = x.conv(filters, 3, padding=1).relu()
        x = x.maxpool(2)
    return x


def alexnet_trunk() -> Chain:
    x = network("alexnet_v2", IMAGE).conv(64, 11, stride=4).relu().maxpool(3, 2)
    x = x.conv(192, 5, padding="same").relu().maxpool(3, 2)
    x = x.conv(384, 3, padding="same").relu().conv(384, 3, padding="same").relu()
    return x.conv(256, 3, padding="same").relu().maxpool(3, 2)


def stem(name: str) -> Chain:
    return network(name, IMAGE).conv(64, 7, stride=2, padding=3).batchnorm().relu().maxpool(3, 2, padding=1)


def joined(x: Chain, shortcut: Chain, filters: int, stride: int) -> Chain:
    if stride != 1 or shortcut.channels != filters:
        shortcut = shortcut.conv(filters, 1, stride=stride).batchnorm()
    return x.add(shortcut).relu()


def basic(x: Chain, filters: int, stride: int) -> Chain:
    """He et al. 2015, figure 5, left."""
    y = x.conv(filters, 3, stride=stride, padding=1).batchnorm().relu().conv(filters, 3, padding=1).batchnorm()
    return joined(y, x, filters, stride)


def bottleneck(x: Chain, filters: int, stride: int) -> Chain:
    """He et al. 2015, figure 5, right; the stride in the 3×3 convolution."""
    y = x.conv(filters // 4, 1).relu().conv(filters // 4, 3, stride=stride, padding=1).relu().conv(filters, 1)
    return joined(y, x, filters, stride)


def resnet18() -> Chain:
    x = stem("resnet18")
    for stage, filters in enumerate((64, 128, 256, 512)):
        for block in range(2):
            x = basic(x, filters, 2 if stage and not block else 1)
    return x


def resnet50(*, stride_in_last_block: bool) -> Chain:
    """With the stride in each stage's first block, or (TensorFlow's slim) in the last block of the stage before."""
    x = stem("resnet50")
    for stage, (filters, blocks) in enumerate(((256, 3), (512, 4), (1024, 6), (2048, 3))):
        for block in range(blocks):
            first, last = stage > 0 and block == 0, stage < 3 and block == blocks - 1
            x = bottleneck(x, filters, 2 if (last if stride_in_last_block else first) else 1)
    return x


@pytest.mark.parametrize(
    ("chain", "size"),
    [
        pytest.param(alexnet_trunk(), 195, id="alexnet_v2"),
        pytest.param(vgg_trunk(), 212, id="vgg16"),
        pytest.param(resnet18(), 435, id="resnet18"),
        pytest.param(resnet50(stride_in_last_block=False), 427, id="resnet50"),
        pytest.param(resnet50(stride_in_last_block=True), 483, id="resnet_v1_50 of slim"),
    ],
)
def test_published_networks(chain: Chain, size: int) -> None:
    field = last_field(chain.build())
    assert (field.size, field.jump, field.kind) == (size, 32, "local")


def test_vgg16_layer_by_layer() -> None:
    """The convolution before the last pooling sees 196 pixels, the pooling 16 more."""
    fields = receptive_fields(vgg_trunk().build())
    sizes = [fields[name][0].size for name in ("conv1", "conv2", "maxpool1", "conv4", "conv7", "conv10", "conv13")]
    assert sizes == [3, 5, 6, 14, 40, 92, 196]


def test_resnet50_is_centred() -> None:
    """Its paddings are half of its kernels: unit 0 sits on pixel 0 of the image, up to the even kernels it has none."""
    field = last_field(resnet50(stride_in_last_block=False).build())
    assert (field.low, field.high) == (-213, 213)


@pytest.mark.parametrize(("kernel", "dilation", "size"), [(3, 1, 3), (3, 2, 5), (3, 3, 7), (5, 2, 9), (2, 4, 5)])
def test_dilation(kernel: int, dilation: int, size: int) -> None:
    assert last_field(network("dilated", (1, 32, 32)).conv(1, kernel, dilation=dilation).build()).size == size


def test_dilation_in_steps_of_two_grows_exponentially() -> None:
    """Yu and Koltun, "Multi-scale context aggregation by dilated convolutions", 2016, figure 1: 3, 7, 15, 31."""
    x, sizes = network("context", (1, 64, 64)), []
    for dilation in (1, 2, 4, 8):
        x = x.conv(1, 3, dilation=dilation, padding=dilation)
        sizes.append(last_field(x.build()).size)
    assert sizes == [3, 7, 15, 31]


def test_axes_are_kept_apart() -> None:
    net = network("oblong", (1, 20, 30)).conv(1, (3, 5), stride=(1, 2), padding=(0, 2)).maxpool((2, 3), (2, 1)).build()
    height, width = receptive_fields(net)["maxpool1"]
    assert (height.low, height.high, height.jump, height.size) == (0, 3, 2, 4)
    assert (width.low, width.high, width.jump, width.size) == (-2, 6, 2, 9)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_one_field_for_each_axis(rank: int) -> None:
    net = network("ranks", (1, *(9,) * rank)).conv(1, 3).maxpool(2).conv(1, 3).build()
    assert receptive_fields(net)["conv2"] == (AxisField(0, 7, 2),) * rank


def test_a_transposed_convolution_undoes_the_stride() -> None:
    """Kernel 2 and stride 2 repeat each unit twice: the field stays, the jump halves; the hull is over both phases."""
    net = network("up", (1, 16, 16)).conv(1, 3, stride=2, padding=1).convtranspose(1, 2, stride=2).build()
    field = last_field(net)
    assert field.jump == 1
    assert (field.low, field.high) == (-2, 1)


def test_upsampling_has_phases() -> None:
    """Conv 3 with stride 2, twice as large again, conv 3: worked out by hand, the hull over both phases is [-3, 2].

    A unit sees 5 pixels: the even ones from -3 to 1, the odd ones, whose window lies half a pixel off, from -1 to 3.
    """
    x = network("phases", (1, 16, 16)).conv(1, 3, stride=2, padding=1).upsample(2).conv(1, 3, padding=1)
    field = last_field(x.build())
    assert (field.low, field.high, field.jump) == (-3, 2, 1)
    assert field.phases == ((-3, 1), (-1, 3))
    assert field.size == 5
