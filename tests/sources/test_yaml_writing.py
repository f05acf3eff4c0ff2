"""Graph → YAML: it reads well, and reading it gives the same Graph."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from striate import zoo
from striate.errors import SourceError
from striate.graph import Chain, Graph, Node, layer_class, network
from striate.graph.layers.activation import ReLU
from striate.graph.layers.input import Input
from striate.sources import load, read_yaml, to_yaml


def layers(graph: Graph) -> str:
    """What stands below ``layers:``."""
    assert read_yaml(to_yaml(graph)) == graph
    return to_yaml(graph).split("layers:\n", 1)[1]


def start(classes: int | None = None) -> Chain:
    return network("n", (8, 16, 16), classes)


def test_a_plain_network_reads_as_a_person_would_write_it() -> None:
    x = network("simple-cnn", (3, 32, 32), classes=10).conv(16, 3, padding="same").relu().maxpool(2)
    x = x.maxpool(3, stride=2, padding=1).dropout().dropout(0.1).globalavgpool(keep=True).flatten()
    assert to_yaml(x.dense(64).leakyrelu(0.2).dense(10, bias=False).build()) == (
        "name: simple-cnn\n"
        "input: [3, 32, 32]\n"
        "classes: 10\n"
        "layers:\n"
        "  - conv: {filters: 16, kernel: 3, padding: same}\n"
        "  - relu\n"
        "  - maxpool: 2\n"
        "  - maxpool: {kernel: 3, stride: 2, padding: 1}\n"
        "  - dropout\n"
        "  - dropout: 0.1\n"
        "  - globalavgpool: {keep: true}\n"
        "  - flatten\n"
        "  - dense: 64\n"
        "  - leakyrelu: 0.2\n"
        "  - dense: {units: classes, bias: false}\n"
    )


def test_per_axis_values_and_pairs() -> None:
    x = start().conv(4, (3, 5), padding=((0, 1), 2)).upsample((2, 1)).layernorm("channels").gelu("tanh")
    assert layers(x.adaptiveavgpool((3, 2)).groupnorm(2, epsilon=1e-7).build()) == (
        "  - conv: {filters: 4, kernel: [3, 5], padding: [[0, 1], 2]}\n"
        "  - upsample: {scale: [2, 1]}\n"
        "  - layernorm: channels\n"
        "  - gelu: tanh\n"
        "  - adaptiveavgpool: {size: [3, 2]}\n"
        "  - groupnorm: {groups: 2, epsilon: 1e-07}\n"
    )


def test_residual_blocks_are_found_again() -> None:
    x = start()
    inner = x.conv(8, 3, padding="same").relu()
    inner = inner.silu().add(inner)
    x = inner.add(x).relu()
    body = x.conv(16, 3, stride=2, padding=1).batchnorm()
    x = body.add(x.conv(16, 1, stride=2, name="down"), name="joined").relu()
    assert layers(x.build()) == (
        "  - residual:\n"
        "      - conv: {filters: 8, kernel: 3, padding: same}\n"
        "      - relu\n"
        "      - residual:\n"
        "          - silu\n"
        "  - relu\n"
        "  - residual:\n"
        "      layers:\n"
        "        - conv: {filters: 16, kernel: 3, stride: 2, padding: 1}\n"
        "        - batchnorm\n"
        "      shortcut:\n"
        "        - conv: {filters: 16, kernel: 1, stride: 2}\n"
        "          as: down\n"
        "    as: joined\n"
        "  - relu\n"
    )


def test_branches_are_found_again() -> None:
    x = start()
    gate = x.globalavgpool(keep=True).conv(8, 1).sigmoid()
    x = x.multiply(gate)
    left = x.conv(4, 1)
    middle = x.conv(4, 1).conv(6, 3, padding=1, name="wide")
    x = left.concat(middle, x.maxpool(3, stride=1, padding=1), x)
    body = x.relu()
    assert layers(x.add(body).build()) == (
        "  - branches:\n"
        "      merge: multiply\n"
        "      paths:\n"
        "        - []\n"
        "        - [{globalavgpool: {keep: true}}, {conv: {filters: 8, kernel: 1}}, sigmoid]\n"
        "  - branches:\n"
        "      - [{conv: {filters: 4, kernel: 1}}]\n"
        "      - [{conv: {filters: 4, kernel: 1}}, {conv: {filters: 6, kernel: 3, padding: 1}, as: wide}]\n"
        "      - [{maxpool: {kernel: 3, stride: 1, padding: 1}}]\n"
        "      - []\n"
        "  - branches:\n"
        "      merge: add\n"
        "      paths:\n"
        "        - []\n"
        "        - [relu]\n"
    )


def test_a_long_path_is_written_line_by_line() -> None:
    x = start()
    long = x.conv(8, 3, padding="same", bias=False).batchnorm().relu().conv(8, 3, padding="same", bias=False)
    assert layers(x.concat(long).build()).splitlines()[1:4] == [
        "      - []",
        "      - - conv: {filters: 8, kernel: 3, padding: same, bias: false}",
        "        - batchnorm",
    ]


def test_a_long_skip_is_told_by_name() -> None:
    fine = start().conv(4, 3, padding="same").relu()
    deep = fine.maxpool(2).conv(8, 3, padding="same").upsample(2)
    assert layers(deep.concat(fine).conv(2, 1).build()) == (
        "  - conv: {filters: 4, kernel: 3, padding: same}\n"
        "  - relu\n"
        "  - maxpool: 2\n"
        "  - conv: {filters: 8, kernel: 3, padding: same}\n"
        "  - upsample: 2\n"
        "  - concat: relu1\n"
        "  - conv: {filters: 2, kernel: 1}\n"
    )


def test_what_has_no_structure_keeps_names() -> None:
    x = start()
    a, b = x.relu(), x.tanh()
    joined = b.add(a)
    assert layers(joined.add(joined).add(x, a).build(a)) == (
        "  - relu\n"
        "  - tanh: {}\n"
        "    from: input\n"
        "  - add: relu1\n"
        "  - add: add1\n"
        "  - add: [input, relu1]\n"
        "outputs: [add3, relu1]\n"
    )


def test_the_word_classes_goes_to_the_layers_that_decide_them() -> None:
    x = start(10).conv(10, 1).relu()
    main, auxiliary = x.conv(10, 1).globalavgpool().softmax(), x.globalavgpool().dense(10)
    net = main.build(auxiliary)
    assert layers(net).count("classes") == 2
    assert load(to_yaml(net), classes=3).shapes["dense1"] == (3,)
    assert load(to_yaml(net), classes=3).shapes["conv1"] == (10, 16, 16)
    assert "dense: 10" in layers(start(7).flatten().dense(10).build())


def test_the_word_classes_does_not_go_to_layers_that_only_look_like_it() -> None:
    hidden = start(10).conv(10, 1)
    assert layers(hidden.convtranspose(10, 2).build()).count("classes") == 1
    assert "convtranspose: {filters: classes, kernel: 2}" in layers(hidden.convtranspose(10, 2).build())
    assert "classes" not in layers(hidden.flatten().build())
    assert "classes" not in layers(hidden.convtranspose(6, 2).build())
    assert "classes" not in layers(start().flatten().dense(10).build())


@pytest.mark.parametrize(
    "nodes",
    [
        (Node("x", Input((1, 4))),),
        (Node("input", Input((1, 4))), Node("y", Input((2, 4)))),
        (Node("x", Input((1, 4))), Node("relu1", ReLU(), ("x",)), Node("input1", Input((2, 4)))),
        (Node("a", Input((1, 4))), Node("b", Input((1, 4))), Node("relu1", ReLU(), ("a",))),
        (Node("a", Input((1, 4))), Node("relu1", ReLU(), ("a",)), Node("input", Input((1, 4)))),
        (Node("input", Input((1, 4))), Node("relu2", ReLU(), ("input",)), Node("relu1", ReLU(), ("input",))),
        (Node("input1", Input((1, 4))), Node("input2", Input((1, 4))), Node("relu3", ReLU(), ("input2",))),
        (Node("input", Input((1, 4))), Node("x", layer_class("add")(), ("input", "input"))),
    ],
)
def test_unusual_graphs(nodes: tuple[Node, ...]) -> None:
    for outputs in ((), (nodes[0].name,), tuple(node.name for node in nodes), (nodes[0].name, nodes[0].name)):
        net = Graph("unusual", nodes, outputs, classes=4)
        assert read_yaml(to_yaml(net)) == net


@pytest.mark.parametrize(
    "name", ["yes", "No", "null", "NULL", "true", "on", "y", "e1", "_", "a.b", "a.1.2", "as", "from", "classes", "conv"]
)
def test_names_survive(name: str) -> None:
    x = start().relu(name=name)
    net = x.tanh().concat(x).silu(name=f"{name}_2").build(x)
    assert load(to_yaml(net)) == net


@given(st.text())
@example("no")
@example("1e3")
@example("~")
@example("")
@example("a: b # c")
@example("\ud800\u2028\x85\ufeff\U0001f600\x00\\\"'\t\r\n")
def test_any_name_of_a_network_survives(name: str) -> None:
    net = Graph(name, (Node("input", Input((1, 4))),))
    assert read_yaml(to_yaml(net)).name == name


@pytest.mark.parametrize("name", zoo.names())
def test_the_zoo_goes_through_yaml(name: str) -> None:
    net = zoo.build(name)
    assert load(to_yaml(net)) == net


def test_another_yaml_reader_reads_the_same_values() -> None:
    """A plain YAML 1.2 loader sees data, with nothing that needs a tag."""
    from ruamel.yaml import YAML

    x = start(5).conv(4, (3, 5), bias=False).leakyrelu(1e-05).relu(name="yes")
    data = YAML(typ="safe", pure=True).load(io.StringIO(to_yaml(x.globalavgpool().dense(5).build())))
    assert data == {
        "name": "n",
        "input": [8, 16, 16],
        "classes": 5,
        "layers": [
            {"conv": {"filters": 4, "kernel": [3, 5], "bias": False}},
            {"leakyrelu": 1e-05},
            {"relu": {}, "as": "yes"},
            "globalavgpool",
            {"dense": "classes"},
        ],
    }


def test_what_could_not_be_read_is_not_written() -> None:
    with pytest.raises(SourceError, match="this network is too large for a YAML file"):
        to_yaml(start().relu(name="a" * 2000).build())


def test_writing_takes_time_in_proportion() -> None:
    x = start()
    for _ in range(3000):
        x = x.relu().add(x)
    net = x.build()
    assert len(net) == 6001
    assert read_yaml(to_yaml(net)) == net
