"""The worked examples, "Receptive fields: RF += (K-1)·J, then J *= s, from RF 1, J 1"."""

from __future__ import annotations

import pytest

import striate as st

SIX_LAYERS = "conv 4 3 > conv 4 3 > maxpool 2 > conv 4 3 > conv 4 3 > maxpool 2"


def fields(net: str) -> list[int]:
    """The receptive field of every layer, along both axes the same."""
    found = [node.field for node in st.inspect(net, input=(1, 32, 32)).nodes[1:]]
    assert all(height.size == width.size for height, width in found)
    return [height.size for height, _ in found]


@pytest.mark.parametrize(
    ("net", "field", "jump"),
    [
        ("conv 1 3 > conv 1 3 > conv 1 3", 7, 1),
        ("conv 1 3 > conv 1 3 > conv 1 3 > conv 1 3", 9, 1),
        ("conv 1 3 > conv 1 3 stride=2 > conv 1 3 stride=2", 9, 4),
        ("conv 1 3 > conv 1 3 stride=2", 5, 2),
        ("conv 1 3 > conv 1 3", 5, 1),
        ("conv 1 5", 5, 1),
        ("conv 1 7", 7, 1),
    ],
)
def test_receptive_field_and_jump(net: str, field: int, jump: int) -> None:
    last = st.inspect(net, input=(1, 32, 32)).nodes[-1]
    assert [(axis.size, axis.jump) for axis in last.field] == [(field, jump), (field, jump)]


def test_the_stride_of_a_pool_counts() -> None:
    assert fields(SIX_LAYERS) == [3, 5, 6, 10, 14, 16]


def test_what_seed_004_prints_forgets_the_stride() -> None:
    printed = [3, 5, 6, 8, 10, 11]
    assert fields(SIX_LAYERS)[3:] != printed[3:]
    # Exactly what comes out when the pools take windows of 2 at every pixel.
    assert fields(SIX_LAYERS.replace("maxpool 2", "maxpool 2 stride=1")) == printed


def test_the_recursion_is_what_the_derivation_shows() -> None:
    steps = {step.quantity: step for step in st.derive(SIX_LAYERS, "conv3", input=(1, 32, 32)).field}
    assert steps["field height"].formula == "RF + (K - 1)·J"
    assert (steps["field height"].numbers, steps["field height"].result) == ("6 + 2·2", "10")
    assert (steps["jump width"].numbers, steps["jump width"].result) == ("2 · 1", "2")
