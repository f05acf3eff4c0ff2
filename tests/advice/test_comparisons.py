"""Networks side by side: the worked examples' numbers, published ones, and the pairing of layers."""

from __future__ import annotations

import pytest

from striate import zoo
from striate.analysis.comparison import compare, depth
from striate.analysis.editing import edit
from striate.analysis.examples import example, examples
from striate.analysis.pairing import pair_nodes
from striate.errors import UsageError
from striate.graph import network


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("dense-vs-conv", [150_529_000, 1_792, 75_648]),
        ("one-5x5-vs-two-3x3", [25 * 64**2, 18 * 64**2]),
        ("one-7x7-vs-three-3x3", [49 * 64**2, 27 * 64**2]),
        ("plain-vs-separable", [1_728, 219, 27, 30]),
        ("spatially-separable", [9, 6]),
        ("bottleneck", [1_179_648, 311_296]),
        ("groups", [73_728, 36_864]),
    ],
)
def test_the_worked_examples(name: str, parameters: list[int]) -> None:
    assert [graph.parameter_count for graph in example(name).build()] == parameters


@pytest.mark.parametrize("name", ["one-5x5-vs-two-3x3", "one-7x7-vs-three-3x3", "spatially-separable", "bottleneck"])
def test_examples_that_promise_the_same_field_keep_it(name: str) -> None:
    fields = {tuple(axis.size for axis in entry.field) for entry in compare(*example(name).build()).networks}
    assert len(fields) == 1


def test_every_example_compares_two_or_more() -> None:
    for entry in examples().values():
        found = compare(*entry.build(), layers=False)
        assert len({network.report.input for network in found.networks}) == 1


@pytest.mark.parametrize(
    ("name", "layers"),
    [("resnet18", 18), ("resnet152", 152), ("vgg16", 16), ("vgg19_bn", 19), ("googlenet", 22), ("densenet121", 121)],
)
def test_depth_is_the_number_in_the_paper(name: str, layers: int) -> None:
    assert depth(zoo.build(name)) == layers


def test_an_edit_changes_the_layers_it_should() -> None:
    before = zoo.build("lenet-5")
    found = compare(before, edit(before, {"f6": {"units": 50}}), layers=True)
    changed = [pair.first.name for pair in found.layers if pair.changed and pair.first is not None]
    assert changed == ["f6", "tanh4", "output"]
    assert [entry.report.parameters for entry in found.networks] == [61_706, 61_706 - 34 * 121 - 34 * 10]


def test_networks_without_common_names_have_no_layers_side_by_side() -> None:
    assert compare(zoo.build("lenet-5"), zoo.build("resnet18")).layers == ()
    assert compare(zoo.build("lenet-5"), zoo.build("resnet18"), layers=True).layers


def test_layers_are_paired_by_name_then_by_order() -> None:
    first = network("a", (3, 8, 8)).conv(4, 3, name="x").relu().conv(4, 3, name="y").flatten().build()
    second = network("b", (3, 8, 8)).conv(4, 3, name="x").tanh().conv(4, 3, name="z").batchnorm().flatten().build()
    assert pair_nodes(first, second) == (
        ("input", "input"),
        ("x", "x"),
        ("relu1", None),
        (None, "tanh1"),
        ("y", "z"),
        (None, "batchnorm1"),
        ("flatten1", "flatten1"),
    )


def test_every_node_of_both_is_in_one_pair() -> None:
    first, second = zoo.build("resnet18"), zoo.build("resnet50")
    pairs = pair_nodes(first, second)
    assert [ours for ours, _ in pairs if ours is not None] == [node.name for node in first.nodes]
    assert [theirs for _, theirs in pairs if theirs is not None] == [node.name for node in second.nodes]


def test_what_cannot_be_compared() -> None:
    with pytest.raises(UsageError, match="two networks or more"):
        compare(zoo.build("lenet-5"))
    with pytest.raises(UsageError, match="two networks only"):
        compare(*[zoo.build("lenet-5")] * 3, layers=True)
    with pytest.raises(UsageError, match="there is no example 'dense'") as caught:
        example("dense")
    assert "dense-vs-conv" in (caught.value.needs or "")
