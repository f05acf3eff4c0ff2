"""inspect: the totals, the JSON that programs read, and the work it takes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings

from properties.strategies import graphs
from striate import zoo
from striate.analysis import inspect
from striate.analysis.report import describe
from striate.graph import Graph, layer_class, network


@given(graphs())
@settings(max_examples=60)
def test_the_totals_are_the_sums_of_the_nodes(graph: Graph) -> None:
    report = inspect(graph)
    assert [node.name for node in report.nodes] == [node.name for node in graph.nodes]
    assert report.parameters == sum(node.parameters for node in report.nodes) == graph.parameter_count
    assert report.macs == sum(node.macs for node in report.nodes)
    assert report.output == graph.output_shape
    assert report.uncounted == ()


def test_the_json_is_this_and_stays_this() -> None:
    """A program that reads it can count on every key; docs/inspect-json.md lists them."""
    net = network("tiny", (1, 8, 8)).conv(2, 3, stride=2, padding=1).upsample(2).flatten().build()
    data = json.loads(json.dumps(inspect(net).as_dict()))
    pixel = {"size": 1, "jump": 1, "low": 0, "high": 0, "kind": "local", "at_most": False}
    window = {"size": 3, "jump": 2, "low": -1, "high": 1, "kind": "local", "at_most": False}
    phases = {"size": 3, "jump": 1, "low": -2, "high": 1, "kind": "local", "at_most": False}
    whole = {"size": 9, "jump": 0, "low": -1, "high": 7, "kind": "whole", "at_most": False}
    assert data == {
        "format": 1,
        "name": "tiny",
        "input": [1, 8, 8],
        "output": [128],
        "outputs": [{"name": "flatten1", "shape": [128]}],
        "totals": {"parameters": 20, "macs": 288, "uncounted": []},
        "nodes": [
            node("input", "input", {"shape": [1, 8, 8]}, [], [1, 8, 8], 0, 0, pixel),
            node(
                *("conv1", "conv", {"filters": 2, "kernel": 3, "stride": 2, "padding": 1}),
                *(["input"], [2, 4, 4], 20, 288, window),
            ),
            node("upsample1", "upsample", {"scale": 2}, ["conv1"], [2, 8, 8], 0, 0, phases),
            node("flatten1", "flatten", {}, ["upsample1"], [128], 0, 0, whole),
        ],
    }


def node(
    name: str,
    kind: str,
    attributes: dict[str, Any],
    inputs: list[str],
    shape: list[int],
    parameters: int,
    macs: int,
    field: dict[str, Any],
) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "attributes": attributes,
        "inputs": inputs,
        "shape": shape,
        "parameters": parameters,
        "macs": macs,
        "receptive_field": [field, field],
    }


def test_fractions_of_a_pixel_are_text() -> None:
    net = network("thirds", (1, 8)).upsample(3, "linear").build()
    (field,) = inspect(net).as_dict()["nodes"][1]["receptive_field"]
    assert field == {"size": 2, "jump": "1/3", "low": -1, "high": "1/3", "kind": "local", "at_most": False}


@pytest.mark.parametrize("name", zoo.names())
def test_every_network_of_the_zoo_is_json(name: str) -> None:
    report = inspect(zoo.build(name))
    data = json.loads(json.dumps(report.as_dict()))
    assert data["totals"]["parameters"] == report.parameters
    assert len(data["nodes"]) == len(report.nodes)


@given(graphs())
@settings(max_examples=60)
def test_the_attributes_of_a_layer_make_the_same_layer(graph: Graph) -> None:
    for entry in graph.nodes:
        assert layer_class(entry.layer.kind)(**describe(entry.layer)) == entry.layer


def chain(length: int) -> Graph:
    x = network("chain", (1, 16, 16))
    for _ in range(length):
        x = x.conv(1, 3, padding=1)
    return x.build()


def ladder(length: int) -> Graph:
    """Every step joins all that came two steps before: branches that meet again and again."""
    x = y = network("ladder", (1, 16, 16))
    for _ in range(length):
        x, y = x.conv(1, 3, padding=1).add(y), x
    return x.build()


def calls(function: Callable[[], object]) -> int:
    """How many Python functions are called: work, without a clock."""
    count = 0

    def tick(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(tick)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("make", [chain, ladder])
def test_the_work_grows_with_the_number_of_layers(make: Callable[[int], Graph]) -> None:
    small, large = make(50), make(200)
    ratio = calls(lambda: inspect(large)) / calls(lambda: inspect(small))
    assert ratio == pytest.approx(4, rel=0.1)


def test_the_work_does_not_depend_on_the_size_of_the_image() -> None:
    small, large = zoo.build("simple-cnn", (3, 32, 32)), zoo.build("simple-cnn", (3, 4096, 4096))
    assert calls(lambda: inspect(large)) == calls(lambda: inspect(small))
