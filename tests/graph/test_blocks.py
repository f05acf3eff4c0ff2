"""Blocks are what they stand for, written out by hand; their nodes have names that every part of the library takes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.backend import build_module
from striate.errors import LayerError, NetworkError, ShapeError
from striate.graph import Graph, Node, network
from striate.graph.blocks import block_classes, block_names
from striate.graph.layers import layer_class, layer_names
from striate.graph.vocabulary import word_class
from striate.sources import load, read_inline, to_yaml


def names(net: Graph) -> list[str]:
    return [node.name for node in net.nodes[1:]]


def same_layers(net: Graph, other: Graph) -> bool:
    numbers = ({node.name: index for index, node in enumerate(graph.nodes)} for graph in (net, other))
    first, second = (
        [(node.layer, [number[name] for name in node.inputs]) for node in graph.nodes]
        for number, graph in zip(numbers, (net, other), strict=True)
    )
    return first == second


def test_a_separable_convolution() -> None:
    net = network("n", (6, 9, 9)).separableconv(8, (3, 5), stride=2, padding=1, dilation=1, bias=False).relu().build()
    x = network("n", (6, 9, 9)).conv(6, (3, 5), stride=2, padding=1, groups=6, bias=False).conv(8, 1, bias=False)
    assert same_layers(net, x.relu().build())
    assert names(net) == ["separableconv1.depthwise", "separableconv1.pointwise", "relu1"]
    # Chollet 2017: k²·C + C·F weights instead of k²·C·F.
    assert net.parameter_count == 3 * 5 * 6 + 6 * 8


def test_a_separable_convolution_with_a_multiplier_as_keras_counts_it() -> None:
    net = network("n", (6, 9, 9)).separableconv(8, 3, multiplier=2, depthwise_bias=False).build()
    # keras.layers.SeparableConv2D(8, 3, depth_multiplier=2) on 6 channels: 3·3·6·2 + 12·8 + 8.
    assert net.parameter_count == 3 * 3 * 6 * 2 + 12 * 8 + 8


@pytest.mark.parametrize(("shape", "parts"), [((4, 9), "length"), ((4, 9, 8), "height width")])
def test_a_spatially_separable_convolution(shape: tuple[int, ...], parts: str) -> None:
    net = network("n", shape).spatialseparableconv(5, 3, stride=2, padding="valid", name="cut").build()
    assert names(net) == [f"cut.{part}" for part in parts.split()]
    if len(shape) == 3:
        x = network("n", shape).conv(5, (3, 1), (2, 1), padding="valid").conv(5, (1, 3), (1, 2), padding="valid")
        assert same_layers(net, x.build())


@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2), st.sampled_from((1, 2, 3)))
@settings(max_examples=40)
def test_a_spatially_separable_convolution_has_the_shape_of_the_whole_one(
    kernel: int, stride: int, padding: int, dilation: int, rank: int
) -> None:
    x = network("n", (2, *(11, 12, 13)[:rank]))
    net = x.spatialseparableconv(3, kernel, stride, padding, dilation).build()
    whole = x.conv(3, kernel, stride=stride, padding=padding, dilation=dilation).build()
    assert net.output_shape == whole.output_shape


def test_spatially_separable_convolution_words_and_axes() -> None:
    x = network("n", (2, 9, 12))
    assert x.spatialseparableconv(3, (3, 5), padding="same").shape == (3, 9, 12)
    assert x.spatialseparableconv(3, (3, 5), padding=(1, 2)).shape == (3, 9, 12)
    assert x.spatialseparableconv(3, 3, padding="causal", stride=(1, 2)).shape == (3, 9, 6)


def test_a_squeeze_and_excitation_gate() -> None:
    x = network("n", (8, 6, 6)).conv(16, 1)
    net = x.squeezeexcite(ratio=4, activation="silu", gate="hardsigmoid", name="features.1.block.2").build()
    y = network("n", (8, 6, 6)).conv(16, 1)
    gate = y.globalavgpool(keep=True).conv(4, 1).silu().conv(16, 1).hardsigmoid()
    assert same_layers(net, y.multiply(gate).build())
    parts = ["avgpool", "fc1", "activation", "fc2", "gate", "scale"]
    assert names(net)[1:] == [f"features.1.block.2.{part}" for part in parts]
    # torchvision.ops.SqueezeExcitation calls its convolutions fc1 and fc2.
    assert "features.1.block.2.fc1.weight" in build_module(net).state_dict()


@pytest.mark.parametrize(("channels", "attributes", "reduced"), [(64, {}, 16), (3, {}, 1), (64, {"reduced": 5}, 5)])
def test_the_reduced_channels(channels: int, attributes: dict[str, int], reduced: int) -> None:
    net = network("n", (channels, 4, 4)).squeezeexcite(**attributes).build()
    assert net.shapes["squeezeexcite1.fc1"] == (reduced, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "separableconv 8 3 same > relu",
        "separableconv 8 3x5 stride=2 bias=false > squeezeexcite 2 > spatialseparableconv 4 3 same",
        "SE ratio=2 gate=hardsigmoid > SeparableConv2D 4 1 > separable-conv 4 1",
    ],
)
def test_every_way_of_writing_a_block_gives_one_graph(text: str) -> None:
    """Inline text, and the YAML that is written for it: plain layers under the names of the parts."""
    net = read_inline(text, input=(3, 12, 12))
    written = to_yaml(net)
    assert load(written) == net
    assert to_yaml(load(written)) == written
    module = build_module(net)
    assert module(torch.zeros(2, 3, 12, 12)).shape[1:] == net.output_shape
    assert [name for name, _ in module.named_parameters()] == [name for name, _ in net.parameters()]


def test_a_block_in_yaml_with_its_name_and_a_reference_to_it() -> None:
    net = load(
        """
input: [4, 8, 8]
layers:
  - separableconv: {filters: 8, kernel: 3, padding: same}
    as: stem
  - relu
  - add: stem
  - squeezeexcite
  - concat: squeezeexcite1
  - spatialseparableconv: [4, 3, same]
  - {conv: [4, 1], from: spatialseparableconv1}
"""
    )
    read = {node.name: node.inputs for node in net.nodes}
    assert read["add1"] == ("relu1", "stem.pointwise")
    assert read["concat1"] == ("squeezeexcite1.scale", "squeezeexcite1.scale")
    assert read["conv1"] == ("spatialseparableconv1.width",)
    assert load(to_yaml(net)) == net


def test_a_block_that_is_repeated_gets_a_number() -> None:
    net = load(
        "input: [4, 8, 8]\nlayers:\n"
        "  - repeat: {times: 3, layers: [{separableconv: [4, 1], as: unit}, {add: unit}, squeezeexcite]}\n"
    )
    assert [name for name in names(net) if name.endswith("depthwise")] == [
        "unit.depthwise",
        "unit_2.depthwise",
        "unit_3.depthwise",
    ]
    assert {node.name: node.inputs for node in net.nodes}["add3"] == ("unit_3.pointwise", "unit_3.pointwise")
    assert names(net)[-1] == "squeezeexcite3.scale"


def test_automatic_names_step_aside() -> None:
    x = network("n", (4, 8, 8)).conv(4, 1, name="separableconv1.depthwise").conv(4, 1, name="squeezeexcite1")
    net = x.separableconv(4, 1).squeezeexcite().build()
    assert names(net)[2:4] == ["separableconv2.depthwise", "separableconv2.pointwise"]
    assert names(net)[4] == "squeezeexcite2.avgpool"
    assert [n.name for n in network("n", (4, 8, 8)).relu6().relu6().build().nodes] == ["input", "relu6_1", "relu6_2"]


def test_a_name_that_is_taken() -> None:
    x = network("n", (4, 8, 8)).conv(4, 1, name="stem")
    with pytest.raises(NetworkError) as caught:
        x.separableconv(4, 1, name="stem")
    assert str(caught.value) == (
        "n: two nodes are called 'stem'\n"
        "  got:   the block separableconv with that name, after a node or a block of the same name\n"
        "  needs: a name of its own for each node and block"
    )
    with pytest.raises(NetworkError) as caught:
        load("input: [4, 8, 8]\nlayers:\n  - {squeezeexcite: , as: gate}\n  - {relu: , as: gate}\n")
    assert str(caught.value) == (
        "text:4, layer 2 (relu): two nodes are called 'gate'\n"
        "  got:   as: gate, which is also the name given on line 3\n"
        "  needs: a name of its own for each node\n"
        "  write: as: gate_2"
    )


def test_a_block_is_there_as_a_whole_or_not_at_all() -> None:
    x = network("n", (4, 8, 8))
    with pytest.raises(ShapeError):
        # The second of its convolutions does not fit.
        x.spatialseparableconv(4, (3, 9))
    assert names(x.relu().build()) == ["relu1"]
    with pytest.raises(ShapeError):
        x.spatialseparableconv(4, (3, 9), name="cut")
    assert names(x.spatialseparableconv(4, 3, name="cut").build()) == ["relu1", "cut.height", "cut.width"]


def test_names_with_dots_and_automatic_names_go_through_yaml() -> None:
    x = network("n", (4, 8, 8)).conv(4, 1, name="conv1.0").conv(4, 1).separableconv(4, 1, name="conv3").conv(4, 1)
    net = x.build()
    # conv1 and conv3 are what other names begin with, so they are left to those.
    assert names(net) == ["conv1.0", "conv2", "conv3.depthwise", "conv3.pointwise", "conv4"]
    assert load(to_yaml(net)) == net
    build_module(net)
    # A graph put together by hand may have both; it keeps them.
    both = Graph("n", (net.nodes[0], net.nodes[1], Node("conv1", net.nodes[2].layer, ("conv1.0",))))
    assert load(to_yaml(both)) == both


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "separableconv: {filters: 8, kernel: 3, stride: 0}",
            "separableconv cannot use this stride\n"
            "  got:   stride: 0\n"
            "  needs: a whole number of at least 1, or one for each axis\n"
            "  write: stride: 1 or [1, 1]",
        ),
        (
            "separableconv: {filters: 8, kernel: 3, groups: 2}",
            "separableconv has no attribute 'groups'\n"
            "  got:   groups: 2\n"
            "  needs: one of filters, kernel, stride, padding, dilation, multiplier, bias, depthwise_bias, "
            "padding_mode",
        ),
        (
            "separableconv: {kernel: 3}",
            "separableconv needs filters\n  got:   kernel: 3\n  write: separableconv: {filters: 3}",
        ),
        (
            "separableconv: [8, 9]",
            "the window of conv is larger than its input\n"
            "  got:   a window of 9 on 8 pixels, input 4×8×8\n"
            "  needs: an input of at least 9 along every axis\n"
            "  write: a kernel of at most 8, more padding, fewer poolings before it, or a larger input",
        ),
        (
            "squeezeexcite: {gate: swiss}",
            "squeezeexcite cannot use this gate\n"
            "  got:   gate: swiss\n"
            "  needs: one of sigmoid, elu, gelu, hardsigmoid, hardswish, leakyrelu, mish, prelu, relu, relu6, silu, "
            "softmax, softplus, tanh\n"
            "  write: gate: sigmoid",
        ),
        (
            "squeezeexcite: {ratio: 0}",
            "squeezeexcite cannot use this ratio\n"
            "  got:   ratio: 0\n"
            "  needs: a whole number of at least 1\n"
            "  write: ratio: 1",
        ),
        (
            "spatialseparableconv: {filters: 8, kernel: 3, padding: [[1, 2], 0]}",
            "spatialseparableconv cannot use this padding\n"
            "  got:   padding: [[1, 2], 0]\n"
            "  needs: a whole number of at least 0, or one for each axis\n"
            "  write: padding: 1 or [1, 1]",
        ),
        (
            "{separableconv: [8, 1], from: [input, input]}",
            "separableconv begins at one layer\n  got:   2 names in 'from'\n  needs: one name",
        ),
    ],
)
def test_errors_are_told_at_the_block(line: str, message: str) -> None:
    with pytest.raises(NetworkError) as caught:
        load(f"input: [4, 8, 8]\nlayers:\n  - {line}\n")
    place, _, told = str(caught.value).partition("): ")
    assert place.startswith("text:3, layer 1 (")
    assert told == message


def test_a_block_reads_one_layer() -> None:
    x = network("n", (4, 8, 8))
    with pytest.raises(NetworkError, match="separableconv reads one layer"):
        x.separableconv(x, 4, 1)


def test_words_are_known_and_misspelt_ones_are_put_right() -> None:
    assert set(block_classes()) == {"separableconv", "spatialseparableconv", "squeezeexcite"}
    assert not set(block_names()) & set(layer_names())
    assert word_class("Squeeze-And-Excitation") is block_classes()["squeezeexcite"]
    assert word_class("conv2d") is layer_class("conv")
    with pytest.raises(LayerError) as caught:
        word_class("seperableconv")
    assert caught.value.write == "separableconv"
    assert "squeezeexcite" in (caught.value.needs or "")
    with pytest.raises(AttributeError, match="did you mean 'separableconv'"):
        network("n", (4, 8, 8)).seperableconv(3, 3)
    assert {"separableconv", "conv"} <= set(dir(network("n", (4, 8, 8))))
