"""Changed attributes and the text they are read from."""

from __future__ import annotations

import pytest

from striate import zoo
from striate.analysis.editing import edit
from striate.errors import LayerError, ShapeError, UsageError
from striate.graph import network
from striate.sources.assignments import read_assignments


def test_an_edited_network_is_the_one_written_so() -> None:
    first = network("n", (3, 32, 32), classes=10).conv(8, 3, padding=1).relu().flatten().dense(10).build()
    other = network("n", (3, 32, 32), classes=10).conv(4, 5, stride=2, padding=1).relu().flatten().dense(10).build()
    assert edit(first, {"conv1": {"filters": 4, "kernel": 5, "stride": 2}}) == other
    assert first.nodes[1].layer.filters == 8  # type: ignore[attr-defined]


def test_the_number_of_classes_follows_the_head() -> None:
    assert edit(zoo.build("lenet-5"), {"output": {"units": 7}}).classes == 7


def test_no_such_node() -> None:
    with pytest.raises(UsageError, match="has no node 'conv9'") as caught:
        edit(zoo.build("simple-cnn"), {"conv9": {"stride": 2}})
    assert caught.value.write in ("conv1", "conv2")


def test_no_such_attribute() -> None:
    with pytest.raises(LayerError, match="conv has no attribute 'strid'") as caught:
        edit(zoo.build("simple-cnn"), {"conv1": {"strid": 2}})
    assert caught.value.write == "stride"
    assert "conv1" in str(caught.value)


def test_an_impossible_value() -> None:
    with pytest.raises(LayerError, match="conv cannot use this stride"):
        edit(zoo.build("simple-cnn"), {"conv1": {"stride": 0}})


def test_the_layer_that_breaks_is_named() -> None:
    with pytest.raises(ShapeError, match="node 'c3'"):
        edit(zoo.build("lenet-5"), {"c1": {"stride": 16}})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=2", 2),
        ("a.b= 0.5", 0.5),
        ("a.b=true", True),
        ("a.b=yes", "yes"),
        ("a.b=same", "same"),
        ("a.b=3x5", (3, 5)),
        ("a.b=[3, 5]", (3, 5)),
        ("a.b=[[0, 1], 2]", ((0, 1), 2)),
        ("a.b='3'", "3"),
    ],
)
def test_values_are_read_as_yaml_reads_them(text: str, value: object) -> None:
    (found,) = read_assignments([text])["a"].values()
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["", "a", "a=2", "a.=2", ".b=2", "a.b=", "a.b", "=2"])
def test_what_is_no_assignment(text: str) -> None:
    with pytest.raises(UsageError, match="does not change an attribute") as caught:
        read_assignments([text])
    assert caught.value.write == "--set conv1.stride=2"


@pytest.mark.parametrize("text", ["a.b=null", "a.b={c: 1}", "a.b=[1, {c: 2}]", "a.b=[1", "a.b=99999999999"])
def test_what_is_no_value(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_assignments([text])
    assert text in (caught.value.got or "")


def test_one_attribute_set_twice() -> None:
    with pytest.raises(UsageError, match="set twice"):
        read_assignments(["a.b=1", "a.b=2"])
