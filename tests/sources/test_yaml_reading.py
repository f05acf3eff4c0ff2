"""YAML text means what the same chain of builder calls builds."""

from __future__ import annotations

import pytest

from striate.errors import SourceError, UsageError
from striate.graph import Graph, network
from striate.sources import read_yaml

HEAD = "input: [3, 32, 32]\nlayers:\n"


def read(layers: str) -> Graph:
    return read_yaml(HEAD + layers)


def test_the_example_of_the_design() -> None:
    text = """
name: simple-cnn
input: [3, 32, 32]
classes: 10
layers:
  - conv: {filters: 16, kernel: 3, padding: same}
  - relu
  - maxpool: 2
  - residual:
      - conv: {filters: 16, kernel: 3, padding: same, bias: false}
      - batchnorm
      - relu
  - branches:            # concatenated
      - [{conv: {filters: 16, kernel: 1}}]
      - [{conv: {filters: 16, kernel: 3, padding: 1}}]
  - repeat: {times: 2, layers: [{conv: {filters: 32, kernel: 3, padding: same}}, relu]}
  - globalavgpool
  - dense: classes
"""
    x = network("simple-cnn", (3, 32, 32), classes=10).conv(16, 3, padding="same").relu().maxpool(2)
    x = x.conv(16, 3, padding="same", bias=False).batchnorm().relu().add(x)
    left = x.conv(16, 1)
    x = left.concat(x.conv(16, 3, padding=1))
    for _ in range(2):
        x = x.conv(32, 3, padding="same").relu()
    assert read_yaml(text) == x.globalavgpool().dense(10).build()


@pytest.mark.parametrize(
    "written",
    [
        "conv: {filters: 8, kernel: [3, 5], padding: [1, 2]}",
        "conv: {filters: 8, kernel: 3x5, padding: 1x2}",
        "Conv2D: {filters: 8, kernel: [3, 5], padding: [[1, 1], [2, 2]]}",
        "con_v:\n      filters: 8\n      kernel:\n      - 3\n      - 5\n      padding: same",
    ],
)
def test_one_layer_in_many_forms(written: str) -> None:
    net = read(f"  - {written}\n")
    assert net.shapes["conv1"] == (8, 32, 32)
    assert net.parameter_count == 8 * 3 * 15 + 8


@pytest.mark.parametrize(
    ("written", "kind", "attributes"),
    [
        ("maxpool: 2", "maxpool", {"kernel": 2, "stride": 2}),
        ("maxpool: [3, 2]", "maxpool", {"kernel": 3, "stride": 2}),
        ("maxpool: 3x2", "maxpool", {"kernel": (3, 2)}),
        ("maxpool: [3, 1, same]", "maxpool", {"kernel": 3, "stride": 1, "padding": "same"}),
        ("conv: [16, 3, same]", "conv", {"filters": 16, "kernel": 3, "padding": "same"}),
        ("upsample: [2, linear]", "upsample", {"scale": 2, "mode": "linear"}),
        ("layernorm: channels", "layernorm", {"over": "channels"}),
        ("gelu: tanh", "gelu", {"approximate": "tanh"}),
        ("dropout: 0", "dropout", {"probability": 0.0}),
        ("leakyrelu: 1e-1", "leakyrelu", {"slope": 0.1}),
        ("batchnorm: {epsilon: .001, affine: False}", "batchnorm", {"epsilon": 0.001, "affine": False}),
        ("relu:", "relu", {}),
        ("relu: {}", "relu", {}),
        ("relu: []", "relu", {}),
        ("'relu'", "relu", {}),
    ],
)
def test_values_without_names(written: str, kind: str, attributes: dict[str, object]) -> None:
    layer = read(f"  - {written}\n").nodes[1].layer
    assert layer.kind == kind
    assert {name: getattr(layer, name) for name in attributes} == attributes


def test_from_reads_another_layer_and_as_names_one() -> None:
    net = read("  - conv: [8, 1]\n    as: stem\n  - maxpool: 2\n  - {relu: , from: stem, as: late}\n")
    assert [(node.name, node.inputs) for node in net.nodes[1:]] == [
        ("stem", ("input",)),
        ("maxpool1", ("stem",)),
        ("late", ("stem",)),
    ]


def test_names_are_taken_as_they_are_written() -> None:
    names = ["yes", "null", "true", "off", "e1", "layer1.0.conv1"]
    net = read("".join(f"  - {{relu: , as: {name}}}\n" for name in names) + f"  - add: [{', '.join(names[:-1])}]\n")
    assert [node.name for node in net.nodes[1:-1]] == names
    assert net.nodes[-1].inputs == ("layer1.0.conv1", *names[:-1])


def test_given_names_do_not_use_up_automatic_ones() -> None:
    net = read("  - {relu: , as: relu2}\n  - relu\n  - relu\n")
    assert [node.name for node in net.nodes[1:]] == ["relu2", "relu1", "relu3"]


def test_joining_takes_what_arrives_and_what_is_named() -> None:
    net = read(
        "  - {relu: , as: a}\n  - {tanh: , as: b}\n  - concat: a\n  - {concat: [a, b], from: input}\n"
        "  - {add: , from: [a, b]}\n"
    )
    assert [node.inputs for node in net.nodes[3:]] == [("b", "a"), ("input", "a", "b"), ("a", "b")]


def test_shortcut_and_its_order() -> None:
    net = read(
        "  - residual:\n      layers: [{conv: [8, 3, same]}, relu]\n      shortcut: [{conv: [8, 1]}]\n    as: block\n"
        "  - residual: {layers: [relu], shortcut: []}\n"
    )
    assert net["block"].inputs == ("relu1", "conv2")
    assert net["add1"].inputs == ("relu2", "block")


def test_branches_with_a_path_that_changes_nothing() -> None:
    net = read("  - branches: [[relu], [], [tanh, relu]]\n  - branches: {merge: multiply, paths: [[], []]}\n")
    assert net["concat1"].inputs == ("relu1", "input", "relu2")
    assert net["multiply1"].inputs == ("concat1", "concat1")


def test_structures_begin_where_from_says() -> None:
    net = read(
        "  - {relu: , as: a}\n  - tanh\n  - {residual: [relu], from: a}\n  - {branches: [[relu], [relu]], from: a}\n"
        "  - {repeat: {times: 2, layers: [silu]}, from: a}\n"
    )
    assert net["relu1"].inputs == net["relu2"].inputs == net["relu3"].inputs == net["silu1"].inputs == ("a",)
    assert net["silu2"].inputs == ("silu1",)


def test_a_name_inside_repeat_counts_on_and_means_the_last() -> None:
    net = read(
        "  - repeat:\n      times: 3\n      layers:\n        - {relu: , as: skip}\n        - tanh\n"
        "        - add: skip\n  - add: skip\n  - add: skip_2\n"
    )
    assert [node.name for node in net.nodes if node.layer.kind == "relu"] == ["skip", "skip_2", "skip_3"]
    assert [net[f"add{n}"].inputs[1] for n in range(1, 6)] == ["skip", "skip_2", "skip_3", "skip_3", "skip_2"]


def test_a_yaml_alias_is_used_again_like_a_repetition() -> None:
    net = read("  - &block {relu: , as: step}\n  - *block\n  - {tanh: , as: step_3}\n  - *block\n")
    assert [node.name for node in net.nodes[1:]] == ["step", "step_2", "step_3", "step_4"]


def test_nested_repetition_multiplies() -> None:
    inner = "{repeat: {times: 3, layers: [relu, {residual: [tanh]}]}}"
    net = read(f"  - repeat: {{times: 4, layers: [{inner}]}}\n")
    assert [sum(node.layer.kind == kind for node in net.nodes) for kind in ("relu", "tanh", "add")] == [12, 12, 12]


def test_several_inputs_and_outputs() -> None:
    text = "inputs: {a: [1, 4, 4], b: 2x4x4}\nlayers:\n  - {concat: b, from: a}\n  - {relu: , as: r}\noutputs: [r, a]\n"
    net = read_yaml(text)
    assert [node.name for node in net.inputs] == ["a", "b"]
    assert net["concat1"].inputs == ("a", "b")
    assert net.outputs == ("r", "a")


def test_an_input_in_the_middle() -> None:
    net = read("  - relu\n  - {input: [1, 32, 32], as: mask}\n  - concat: relu1\n")
    assert net["concat1"].inputs == ("mask", "relu1")


@pytest.mark.parametrize(
    ("declared", "option", "classes"), [("classes: 4", None, 4), ("classes: 4", 7, 7), ("", 7, 7), ("name: n", 7, 7)]
)
def test_classes_reach_the_layers_that_say_so(declared: str, option: int | None, classes: int) -> None:
    text = f"{declared}\n{HEAD}  - conv: {{filters: classes, kernel: 1}}\n  - globalavgpool\n  - dense: [classes]\n"
    net = read_yaml(text, classes=option)
    assert (net.classes, net.shapes["conv1"][0], net.output_shape) == (classes, classes, (classes,))


def test_classes_that_change_nothing_are_accepted() -> None:
    text = HEAD + "  - flatten\n  - dense: 5\n"
    assert read_yaml(text).classes is None
    assert read_yaml(text, classes=5).classes == 5
    assert read_yaml("classes: 9\n" + text, classes=9).classes == 9


def test_the_option_input_wins_and_may_stand_alone() -> None:
    assert read_yaml(HEAD + "  - relu\n", input=(1, 8, 8)).output_shape == (1, 8, 8)
    assert read_yaml("layers: [relu]", input=(1, 8)).output_shape == (1, 8)
    assert read_yaml("inputs: {x: [1, 9]}\nlayers: [relu]", input=(2, 8))["x"].layer.shape == (2, 8)


@pytest.mark.parametrize("classes", [0, -1, True, "3", 2.0])
def test_an_option_that_is_no_number_of_classes(classes: object) -> None:
    with pytest.raises(UsageError, match="this is not a number of classes"):
        read_yaml("input: [1, 2]\nlayers: [relu]", classes=classes)  # type: ignore[arg-type]


def test_input_for_one_of_several_is_refused() -> None:
    text = "inputs: {a: [1, 4], b: [1, 4]}\nlayers: [{add: b, from: a}]"
    with pytest.raises(SourceError, match="the option input fits a network with one input"):
        read_yaml(text, input=(1, 8))


def test_line_endings_of_other_systems() -> None:
    net = read_yaml("input: [1, 4]\r\nlayers:\r\n  - relu\r\n")
    assert len(net) == 2


def test_an_empty_list_of_layers_is_the_input_alone() -> None:
    assert read_yaml("input: [1, 4]\nlayers: []\n").outputs == ("input",)
