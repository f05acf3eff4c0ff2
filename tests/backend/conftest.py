"""Networks that several tests of the backend look at."""

from __future__ import annotations

import pytest

from striate.graph import Chain, Graph, network


@pytest.fixture(scope="session")
def small() -> Graph:
    """A residual network with everything that has a name worth keeping."""
    x = network("small", (3, 12, 10), classes=5).conv(4, 3, padding=1, bias=False, name="conv1").batchnorm(name="bn1")
    shortcut = x = x.relu(name="relu").maxpool(2, name="pool")
    x = x.conv(4, 3, padding="same", bias=False, name="layer1.0.conv1").batchnorm(name="layer1.0.bn1")
    x = x.add(shortcut, name="layer1.0.add").relu(name="layer1.0.relu")
    return x.globalavgpool(name="avgpool").dropout(0.2).dense(5, name="fc").build()


@pytest.fixture(scope="session")
def everything() -> Graph:
    """A network with every kind of layer, and with the paddings that torch's own modules cannot do."""
    start = network("everything", (3, 16, 12))
    x = start.conv(8, 3, padding=((0, 1), (2, 1)), padding_mode="reflect").batchnorm().relu()
    x = x.conv(8, 2, padding="same").leakyrelu(0.1).maxpool(2, stride=1, padding="same").dropout(0.1, channels=True)
    x = x.convtranspose(8, 4, stride=2, padding=1).groupnorm(4).silu().avgpool(3, 2, padding=((1, 0), (1, 0)))
    x = x.layernorm("channels").gelu().maxpool(3, 1, padding=2, dilation=2).hardswish()
    x = x.avgpool(2, 1, padding=((0, 1), (0, 1)), count_include_pad=False).instancenorm(affine=True).tanh()
    gate = x.globalavgpool(keep=True).conv(8, 1).sigmoid()
    x = (
        x.multiply(gate)
        .add(x.identity())
        .concat(x.upsample(2, "linear").maxpool(2))
        .upsample(2)
        .adaptiveavgpool((5, 3))
    )
    x = x.add(_newer(start).adaptiveavgpool((5, 3)).conv(16, 1))
    pooled = x.globalmaxpool()
    return x.adaptivemaxpool(2).layernorm().flatten().dense(16).add(pooled).dense(5).softmax().build(pooled)


def _newer(start: Chain) -> Chain:
    """The layers that published networks and segmentation need beyond those every textbook has."""
    x = start.pad(((1, 0), 2), "reflect").pad(1, value=0.5).conv(8, 3, padding="causal", stride=2).relu6()
    small = x.pixelshuffle(2).lppool(2.0, 2).stochasticpool(2, 1).elu().fractionalmaxpool(2, 4).softplus().conv(8, 1)
    x = small.resizelike(x).croplike(small).resize((9, 7), "linear", align_corners=True).crop(((1, 0), 0)).mish()
    x = x.layerscale(0.5).rescale(0.5).stochasticdepth(0.1).channelshuffle(4).localresponsenorm(3).prelu()
    x = x.dense(6, pointwise=True).channelpad(1, 1)
    return x.slice(stop=4).concat(x.slice(start=4)).multiply(x.hardsigmoid())
