"""The zoo as a list: names, aliases, near misses, and what every entry promises."""

from __future__ import annotations

from collections import Counter

import pytest

from striate import zoo
from striate.errors import SourceError


def folded(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def test_names_are_in_order_and_mean_one_network_each() -> None:
    assert zoo.names() == tuple(sorted(zoo.architectures()))
    known = [folded(name) for entry in zoo.architectures().values() for name in {entry.name, *entry.aliases}]
    assert [name for name, count in Counter(known).items() if count > 1] == []


@pytest.mark.parametrize("typed", ["simple-cnn", "Simple_CNN", "SIMPLECNN", "simple_cnn"])
def test_case_and_dashes_do_not_matter(typed: str) -> None:
    entry = zoo.find(typed)
    assert entry is not None
    assert entry.name == "simple-cnn"
    assert zoo.build(typed) == zoo.build("simple-cnn")


@pytest.mark.parametrize("name", zoo.names())
def test_every_entry(name: str) -> None:
    entry = zoo.architectures()[name]
    assert entry.summary
    assert "\n" not in entry.summary
    assert not entry.summary.endswith(".")
    graph = entry.build()
    assert graph.input_shape == entry.input
    assert folded(graph.name) in {folded(known) for known in (entry.name, *entry.aliases)}
    for alias in entry.aliases:
        assert zoo.find(alias) is entry


@pytest.mark.parametrize("typed", ["", "simple", "resnet 18", "../simple-cnn"])
def test_what_is_not_in_the_zoo(typed: str) -> None:
    assert zoo.find(typed) is None


def test_an_unknown_name_is_refused_with_a_near_miss() -> None:
    with pytest.raises(SourceError, match="the zoo has no network 'simple-cn'") as caught:
        zoo.build("simple-cn")
    assert caught.value.write == "simple-cnn"
    assert caught.value.needs is not None
    assert "simple-cnn" in caught.value.needs


@pytest.mark.parametrize("name", ["simple-cnn", "mnist-cnn", "keras-mnist", "lenet-5"])
@pytest.mark.parametrize("input", [(1, 28, 28), (3, 32, 48)])
def test_another_input_and_other_classes(name: str, input: tuple[int, ...]) -> None:
    graph = zoo.build(name, input, 3)
    assert (graph.input_shape, graph.output_shape, graph.classes) == (input, (3,), 3)
