"""derive: its last result is the number that inspect reports, and its arithmetic is right as it stands there."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import pytest
from hypothesis import given, settings

from properties.strategies import graphs
from striate import zoo
from striate.analysis import NodeReport, derive, inspect
from striate.errors import UsageError
from striate.graph import Graph, Step, network
from striate.graph.layer import axis_names
from striate.units import format_count, format_shape

#: Nodes of a large network that are looked at; deriving one follows the receptive field through the whole network.
SAMPLE = 24

ARITHMETIC = re.compile(r"(floor|ceil|[-+*/·() ,\d])+")


def value_of(text: str) -> Fraction:
    """The value of the arithmetic in a derivation: ``floor((32 + 1 + 1 - 3) / 1) + 1``."""
    source = text.replace("·", "*").replace(",", "")
    source = re.sub(r"\d+", r"Fraction(\g<0>)", source)
    return Fraction(eval(source, {"Fraction": Fraction, "floor": math.floor, "ceil": math.ceil, "__builtins__": {}}))


def result_of(steps: tuple[Step, ...], quantity: str) -> str:
    (found,) = [step.result for step in steps if step.quantity == quantity]
    return found


def assert_agrees(graph: Graph, node: NodeReport) -> None:
    derivation = derive(graph, node.name)
    assert derivation.inputs == tuple((name, graph.shapes[name]) for name in node.inputs)
    assert derivation.shape[-1].result.replace(",", "") == format_shape(node.shape)
    assert derivation.parameters[-1].result == format_count(node.parameters)
    assert derivation.macs[-1].result == format_count(node.macs)
    assert bool(derivation.field) is bool(node.field)
    for axis, field in zip(axis_names(len(node.field)), node.field, strict=True):
        assert result_of(derivation.field, f"field {axis}") == str(field.size)
        starts = [step.result for step in derivation.field if step.quantity == f"start {axis}"]
        jumps = [step.result for step in derivation.field if step.quantity == f"jump {axis}"]
        if starts:
            assert value_of(starts[0]) == field.low
        if jumps and field.kind != "mixed":
            assert value_of(jumps[0]) == field.jump


@pytest.mark.parametrize("name", zoo.names())
def test_every_network_of_the_zoo(name: str) -> None:
    graph = zoo.build(name)
    nodes = inspect(graph).nodes
    for node in {node.name: node for node in (*nodes[:: max(len(nodes) // SAMPLE, 1)], nodes[-1])}.values():
        assert_agrees(graph, node)


@given(graphs())
@settings(max_examples=60)
def test_random_networks(graph: Graph) -> None:
    for node in inspect(graph).nodes:
        assert_agrees(graph, node)


@given(graphs())
@settings(max_examples=150)
def test_the_numbers_put_in_give_the_result(graph: Graph) -> None:
    """Whatever is arithmetic on both sides of its last equals sign is evaluated."""
    for node in graph.nodes:
        derivation = derive(graph, node.name)
        for step in (*derivation.shape, *derivation.parameters, *derivation.macs, *derivation.field):
            if ARITHMETIC.fullmatch(step.numbers) and ARITHMETIC.fullmatch(step.result):
                assert value_of(step.numbers) == value_of(step.result), step


def test_fractions_of_a_pixel_are_told_by_their_ends() -> None:
    """Worked out by hand: a unit behind a linear enlargement by 3 sees 4/3 of a pixel's width, and 2 pixels at most."""
    net = network("thirds", (1, 8)).upsample(3, "linear").conv(1, 3).build()
    first, second = (derive(net, name).field[0] for name in ("upsample1", "conv1"))
    assert (first.formula, first.numbers, first.result) == (
        *("whole pixels from its first to its last", "floor((1/3) - (-1)) + 1"),
        "2",
    )
    assert (second.numbers, second.result) == ("floor(1 - (-1)) + 1", "3")


def test_a_convolution_word_by_word() -> None:
    net = network("tiny", (3, 32, 32)).conv(16, 5, stride=2, padding=1, dilation=2).build()
    derivation = derive(net, "conv1")
    assert [(step.quantity, step.formula, step.numbers, step.result) for step in derivation.shape[:2]] == [
        ("window height", "K = d·(k - 1) + 1", "2·(5 - 1) + 1", "9"),
        ("output height", "floor((n + before + after - K) / s) + 1", "floor((32 + 1 + 1 - 9) / 2) + 1", "13"),
    ]
    assert [(step.numbers, step.result) for step in derivation.parameters] == [
        ("16 · 3 · 5 · 5", "1,200"),
        ("16", "16"),
        ("1200 + 16", "1,216"),
    ]
    assert (derivation.macs[0].numbers, derivation.macs[0].result) == ("13 · 13 · 16 · 3 · 5 · 5", "202,800")
    assert [(step.quantity, step.numbers, step.result) for step in derivation.field[:3]] == [
        ("field height", "1 + 8·1", "9"),
        ("jump height", "1 · 2", "2"),
        ("start height", "0 + (-1)·1", "(-1)"),
    ]


def test_a_mixed_field_says_so() -> None:
    x = network("misaligned", (1, 9, 9))
    net = x.conv(1, 3, stride=2, padding=1).add(x.adaptiveavgpool(5)).build()
    last = [step for step in derive(net, "add1").field if step.quantity == "jump height"]
    assert [(step.formula, step.result) for step in last] == [("branches with different jumps met", "none")]


def test_an_input_pixel_sees_itself() -> None:
    derivation = derive(network("input", (3, 5, 6)).conv(1, 3).build(), "input")
    assert [(step.quantity, step.result) for step in derivation.field] == [("field height", "1"), ("field width", "1")]
    assert derivation.inputs == ()
    assert derivation.parameters[-1].numbers == "no parameters"


def test_as_dict_holds_every_step() -> None:
    derivation = derive(zoo.build("simple-cnn"), "conv2")
    listed = derivation.as_dict()
    assert list(listed) == [
        "format",
        "network",
        "node",
        "kind",
        "inputs",
        "shape",
        "parameters",
        "macs",
        "receptive_field",
    ]
    assert (listed["network"], listed["node"], listed["kind"]) == ("simple-cnn", "conv2", "conv")
    assert listed["inputs"] == {"maxpool1": [16, 16, 16]}
    assert isinstance(listed["shape"], list)
    assert listed["shape"][0] == {
        "quantity": "output height",
        "formula": "floor((n + before + after - K) / s) + 1",
        "numbers": "floor((16 + 1 + 1 - 3) / 1) + 1",
        "result": "16",
    }


def test_a_layer_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="the network simple-cnn has no node 'conv3'") as caught:
        derive(zoo.build("simple-cnn"), "conv3")
    assert caught.value.needs is not None
    assert "conv1, relu1" in caught.value.needs
