"""Receptive fields where branches meet, behind gates and behind layers that read everything."""

from __future__ import annotations

import pytest

from striate.analysis import AxisField, inspect, receptive_fields, unit_field
from striate.errors import UsageError
from striate.graph import Graph, Node, network
from striate.graph.layers.convolution import Conv
from striate.graph.layers.input import Input
from striate.graph.layers.merge import Add


def test_a_shortcut_widens_nothing() -> None:
    x = network("residual", (4, 16, 16))
    y = x.conv(4, 3, padding=1).conv(4, 3, padding=1)
    assert receptive_fields(y.add(x).build())["add1"] == (AxisField(-2, 2, 1),) * 2


def test_unequal_branches_meet_in_their_hull() -> None:
    x = network("inception", (4, 16, 16))
    branches = x.conv(4, 1), x.conv(4, 3, padding=1), x.conv(4, 5, padding=((0, 4), 2)), x.maxpool(3, 1, padding=1)
    net = branches[0].concat(*branches[1:]).build()
    assert receptive_fields(net)["concat1"] == (AxisField(-1, 4, 1), AxisField(-2, 2, 1))


def test_branches_with_different_jumps_are_mixed_and_never_refused() -> None:
    """9 pixels to 5 units: a stride of 2 here, bins of 9/5 there. Together they see no more than the whole."""
    x = network("misaligned", (1, 9, 9))
    net = x.conv(1, 3, stride=2, padding=1).add(x.adaptiveavgpool(5)).build()
    field, _ = receptive_fields(net)["add1"]
    assert (field.kind, field.jump) == ("mixed", 0)
    assert field.low <= -1
    assert field.high >= 9
    for unit in range(5):
        exact = unit_field(net, "add1", (unit, 0))
        assert exact is not None
        first, last = field.at(unit, 9)
        assert first <= exact[0][0] <= exact[0][1] <= last


def test_a_mixed_field_stays_mixed() -> None:
    x = network("misaligned", (1, 9, 9))
    net = x.conv(1, 3, stride=2, padding=1).add(x.adaptiveavgpool(5)).conv(1, 3).globalavgpool().dense(2).build()
    kinds = [field[0].kind for field in receptive_fields(net).values()]
    assert kinds == ["local", "local", "local", "mixed", "mixed", "mixed", "mixed"]


@pytest.mark.parametrize("pool", ["globalavgpool", "globalmaxpool"])
def test_behind_a_gate_every_unit_sees_everything(pool: str) -> None:
    """Squeeze and excitation (Hu et al. 2018): each unit is scaled by what the whole map holds."""
    x = network("gated", (4, 12, 10)).conv(4, 3, padding=1)
    gate = getattr(x, pool)(keep=True).conv(4, 1).sigmoid()
    net = x.multiply(gate).conv(4, 3).build()
    for name in (gate.node, "multiply1", "conv3"):
        height, width = receptive_fields(net)[name]
        assert height.kind == width.kind == "whole"
        assert height.covers(12)
        assert width.covers(10)
    assert unit_field(net, "conv3", (0, 0)) == ((0, 11), (0, 9))


def test_a_gate_along_one_axis_leaves_the_other_local() -> None:
    x = network("strip", (4, 12, 10))
    net = x.multiply(x.adaptiveavgpool((1, 10))).build()
    height, width = receptive_fields(net)["multiply1"]
    assert (height.kind, height.covers(12)) == ("whole", True)
    assert width == AxisField(0, 0, 1)
    assert unit_field(net, "multiply1", (3, 4)) == ((0, 11), (4, 4))


def test_a_gate_that_misses_pixels_is_no_whole_view() -> None:
    """The last 2 of 12 rows are never read by the gate."""
    x = network("blind", (4, 12, 12))
    gate = x.maxpool(5, 5).globalavgpool(keep=True)
    field, _ = receptive_fields(x.multiply(gate).build())["multiply1"]
    assert field.kind == "mixed"
    assert (field.low, field.high) == (0, 11)


@pytest.mark.parametrize("layer", ["flatten", "globalavgpool", "globalmaxpool"])
def test_layers_that_read_the_whole_map(layer: str) -> None:
    x = network("whole", (1, 12, 9)).conv(2, 3).maxpool(2)
    net = getattr(x, layer)().dense(3).relu().build()
    for name in (net.nodes[-3].name, "dense1", "relu1"):
        height, width = receptive_fields(net)[name]
        # 12 → 10 → 5 units of 4 pixels, 2 apart; of 9 columns 7 are convolved, 6 pooled, so the last is never seen.
        assert height == AxisField(0, 11, 0, "whole")
        assert width == AxisField(0, 7, 0, "whole")
        assert height.covers(12)
        assert not width.covers(9)


def test_a_network_with_two_inputs_is_measured_on_one() -> None:
    nodes = (
        Node("left", Input((1, 8, 8))),
        Node("right", Input((1, 8, 8))),
        Node("conv", Conv(1, 3, padding=1), ("left",)),
        Node("add", Add(), ("conv", "right")),
    )
    net = Graph("pair", nodes)
    assert "right" not in receptive_fields(net)
    assert receptive_fields(net)["add"] == (AxisField(-1, 1, 1),) * 2
    assert receptive_fields(net, source="right")["add"] == (AxisField(0, 0, 1),) * 2
    assert "conv" not in receptive_fields(net, source="right")
    assert inspect(net).nodes[1].field == ()


def test_only_an_input_can_be_the_source() -> None:
    net = network("one", (1, 8, 8)).conv(1, 3).build()
    with pytest.raises(UsageError, match="'conv1' is not an input of one") as caught:
        receptive_fields(net, source="conv1")
    assert caught.value.needs == "one of input"
    with pytest.raises(UsageError, match="no node 'inptu'"):
        receptive_fields(net, source="inptu")
