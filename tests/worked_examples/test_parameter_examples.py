"""The worked examples, "Parameters": each number as a network's own."""

from __future__ import annotations

import pytest

import striate as st
from striate.units import Shape, format_share


def parameters(net: str, input: Shape) -> int:
    """Counted by Striate; torch has to count the same."""
    count = st.inspect(net, input=input).parameters
    if count < 10_000_000:
        assert count == sum(tensor.numel() for tensor in st.build(net, input=input).parameters())
    return count


@pytest.mark.parametrize(
    ("net", "input", "expected"),
    [
        ("conv 16 3", (3, 8, 8), 448),
        ("conv 32 3", (3, 8, 8), 896),
        ("conv 64 3", (3, 8, 8), 1_792),
        ("conv 64 3", (32, 8, 8), 18_496),
        ("conv 128 3", (64, 8, 8), 73_856),
        ("conv 256 3", (128, 8, 8), 295_168),
        ("conv 512 3", (512, 8, 8), 2_359_808),
        ("conv 64 7", (3, 8, 8), 9_472),
        ("conv 32 3", (16, 8, 8), 4_640),
        ("flatten > dense 128", (32, 8, 8), 262_272),
        ("flatten > dense 10", (128, 1, 1), 1_290),
        ("flatten > dense 1000", (3, 224, 224), 150_529_000),
        ("conv 64 3 > conv 64 3 > conv 64 3", (3, 8, 8), 75_648),
        ("conv 64 7 > conv 128 3 > conv 256 3", (3, 16, 16), 378_496),
        ("conv 128 3 bias=false", (64, 8, 8), 73_728),
        ("conv 128 3 bias=false groups=2", (64, 8, 8), 36_864),
        ("conv 512 3 bias=false", (256, 8, 8), 1_179_648),
        ("conv 64 1 bias=false", (256, 8, 8), 16_384),
        ("conv 512 3 bias=false", (64, 8, 8), 294_912),
        ("conv 64 1 bias=false > conv 512 3 bias=false", (256, 8, 8), 311_296),
        ("conv 1 3 bias=false", (1, 8, 8), 9),
        ("conv 1 3x1 bias=false > conv 1 1x3 bias=false", (1, 8, 8), 6),
        ("conv 3 3 groups=3 bias=false", (3, 8, 8), 27),
        ("conv 1 1 bias=false", (3, 8, 8), 3),
        ("conv 3 3 groups=3 bias=false > conv 1 1 bias=false", (3, 8, 8), 30),
        ("conv 1 3 bias=false", (3, 8, 8), 27),
        ("conv 3 3 groups=3 bias=false > conv 64 1 bias=false", (3, 8, 8), 219),
        ("conv 64 3 bias=false", (3, 8, 8), 1_728),
    ],
)
def test_parameters(net: str, input: Shape, expected: int) -> None:
    assert parameters(net, input) == expected


def test_the_derivation_of_a_convolution_shows_weights_and_biases() -> None:
    steps = st.derive("conv 16 3", "conv1", input=(3, 8, 8)).parameters
    assert [step.result for step in steps] == ["432", "16", "448"]


@pytest.mark.parametrize("filters", [32, 64])
def test_28_for_each_filter_of_an_rgb_image(filters: int) -> None:
    assert parameters(f"conv {filters} 3", (3, 8, 8)) == 28 * filters


@pytest.mark.parametrize("channels", [1, 16, 64])
def test_two_3x3_instead_of_one_5x5(channels: int) -> None:
    one = parameters(f"conv {channels} 5 bias=false", (channels, 8, 8))
    two = parameters(f"conv {channels} 3 bias=false > conv {channels} 3 bias=false", (channels, 8, 8))
    assert (one, two) == (25 * channels**2, 18 * channels**2)
    assert format_share(two, one) == "72.0 %"


def test_a_convolution_instead_of_a_dense_layer() -> None:
    dense, conv = parameters("flatten > dense 1000", (3, 224, 224)), parameters("conv 64 3", (3, 224, 224))
    assert format_share(dense - conv, dense) == "99.999 %"
    three = parameters("conv 64 3 > conv 64 3 > conv 64 3", (3, 224, 224))
    assert format_share(dense - three, dense) == "99.95 %"


def test_what_seed_004_rounds_to_everything_is_not_everything() -> None:
    dense, conv = parameters("flatten > dense 1000", (3, 224, 224)), parameters("conv 64 3", (3, 224, 224))
    assert f"{100 * (dense - conv) / dense:.2f}%" == "100.00%"
    assert not format_share(dense - conv, dense).startswith("100")


def test_a_bottleneck_saves_about_three_quarters() -> None:
    straight = parameters("conv 512 3 bias=false", (256, 8, 8))
    through = parameters("conv 64 1 bias=false > conv 512 3 bias=false", (256, 8, 8))
    assert format_share(straight - through, straight) == "73.6 %"
