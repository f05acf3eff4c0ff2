"""A random network written as YAML and read again is the same network."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from properties.strategies import ALL_KINDS, graphs, single_layer_graphs
from striate.graph import Graph

sources = pytest.importorskip("striate.sources")


@given(graphs())
@settings(max_examples=100)
def test_yaml_and_back(graph: Graph) -> None:
    text = sources.to_yaml(graph)
    assert sources.load(text) == graph
    assert sources.to_yaml(sources.load(text)) == text


@pytest.mark.parametrize("kind", [kind for kind in ALL_KINDS if kind != "input"])
def test_every_layer_goes_through_yaml(kind: str) -> None:
    @given(single_layer_graphs(kind))
    @settings(max_examples=15)
    def check(graph: Graph) -> None:
        assert sources.load(sources.to_yaml(graph)) == graph

    check()


def test_a_file_is_read_like_the_text(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"

    @given(graphs(max_nodes=4))
    @settings(max_examples=10)
    def check(graph: Graph) -> None:
        path.write_text(sources.to_yaml(graph), encoding="utf-8")
        assert sources.load(path) == graph

    check()
