"""The cases on which counters of operations disagree: the multiply-adds by hand, forward and backward.

Maps of 8×8 unless said. The truth is written as the product it is: places × what each of them multiplies.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

from striate import zoo
from striate.analysis import inspect
from striate.analysis.cost_report import cost
from striate.backend import build_module
from striate.graph import Chain, Graph, Node, network
from striate.graph.layers.convolution import Conv
from striate.graph.layers.input import Input

CONV = 64 * 9 * 16 * 16

#: What stands behind a map of 16 channels, and the multiply-adds of its forward pass.
PROBES: dict[str, tuple[Callable[[Chain], Chain], int]] = {
    "convolution": (lambda x: x.conv(16, 3, padding=1, bias=False, name="probe"), CONV),
    # A bias is added, not multiplied.
    "convolution with bias": (lambda x: x.conv(16, 3, padding=1, name="probe"), CONV),
    "padding same": (lambda x: x.conv(16, 3, padding="same", bias=False, name="probe"), CONV),
    # Each of the 64 inputs meets 4×4 weights for each of 16 filters: its own places count, not the 16×16 of the output.
    "transposed convolution": (
        lambda x: x.convtranspose(16, 4, stride=2, padding=1, bias=False, name="probe"),
        64 * 16 * 16 * 16,
    ),
    "transposed convolution, 4 groups": (
        lambda x: x.convtranspose(32, 2, stride=2, groups=4, bias=False, name="probe"),
        64 * 16 * 4 * (32 // 4),
    ),
    "depthwise": (lambda x: x.conv(16, 3, padding=1, groups=16, bias=False, name="probe"), 64 * 9 * 16),
    "batch normalisation": (lambda x: x.batchnorm(name="probe"), 0),
    "matrix product": (lambda x: x.globalavgpool().dense(16, bias=False, name="probe"), 16 * 16),
    "matrix product at each position": (lambda x: x.dense(32, pointwise=True, name="probe"), 64 * 16 * 32),
}


@pytest.mark.parametrize(("probe", "macs"), PROBES.values(), ids=PROBES)
def test_forward_and_backward(probe: Callable[[Chain], Chain], macs: int) -> None:
    # A trained layer before it, so that a gradient flows through.
    net = probe(network("n", (16, 8, 8)).conv(16, 1, bias=False, name="before")).build()
    (node,) = [entry for entry in cost(net).nodes if entry.name == "probe"]
    assert next(entry.macs for entry in inspect(net).nodes if entry.name == "probe") == macs
    # Each product of a weight and an input comes back twice: for the input's gradient and for the weight's.
    trained = macs if net["probe"].layer.kind != "batchnorm" else 0
    assert (node.macs, node.input_gradient, node.weight_gradient) == (macs, trained, trained)


def test_a_depthwise_training_step() -> None:
    net = network("n", (16, 8, 8)).conv(16, 1, name="before").conv(16, 3, padding=1, groups=16, bias=False).build()
    node = cost(net).nodes[-1]
    assert node.macs + node.backward == 27_648 == 3 * 64 * 9 * 16


def test_the_first_layer_has_no_gradient_of_its_input() -> None:
    report = cost(network("n", (16, 8, 8)).conv(16, 3, padding=1, bias=False).build())
    assert (report.macs, report.backward) == (CONV, CONV)


def test_a_matrix_of_256_by_256() -> None:
    assert inspect(network("n", (256, 1, 1)).flatten().dense(256, bias=False).build()).macs == 65_536


def shared_three_times() -> Graph:
    layer = Conv(16, 3, padding=1, bias=False)
    return Graph(
        "n",
        (
            Node("x", Input((16, 8, 8))),
            Node("conv", layer, ("x",)),
            Node("second", layer, ("conv",), shares="conv"),
            Node("third", layer, ("second",), shares="conv"),
        ),
    )


def test_one_convolution_three_times() -> None:
    net = shared_three_times()
    report = inspect(net)
    assert (report.macs, report.parameters) == (3 * CONV, 2304) == (442_368, 16 * 16 * 9)
    # Its weight gets a gradient from each use; the map's gradient ends at the first.
    assert cost(net).backward == (2 + 3) * CONV


def test_one_convolution_three_times_is_one_in_torch_too() -> None:
    net = shared_three_times()
    module = build_module(net).double()
    assert sum(parameter.numel() for parameter in module.parameters()) == 2304
    weight = next(module.parameters()).detach()
    x = y = torch.rand((1, 16, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for _ in range(3):
        y = functional.conv2d(y, weight, padding=1)
    torch.testing.assert_close(module(x), y)


def test_a_parameter_that_belongs_to_no_module_of_torchs_own() -> None:
    x = network("n", (16, 8, 8)).conv(16, 3, padding=1, bias=False).layerscale().conv(16, 1, bias=False)

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(16, 1, 1))
            self.one, self.two = nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.Conv2d(16, 16, 1, bias=False)

    count = sum(parameter.numel() for parameter in Plain().parameters())
    assert inspect(x.build()).parameters == count == 2_576


@pytest.mark.parametrize(
    ("name", "macs"), [("resnet18", 1_814_073_344), ("mobilenet_v2", 300_774_272), ("densenet121", 2_834_161_664)]
)
def test_whole_networks(name: str, macs: int) -> None:
    net = zoo.build(name)
    assert (inspect(net).macs, cost(net).macs) == (macs, macs)
