"""Any text at all is a network or an error of ours, soon."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.errors import StriateError
from striate.graph import Graph, layer_class, layer_classes
from striate.sources import leaves_open, load, read_inline, read_yaml, to_yaml

KINDS = list(layer_classes())
NAMES = sorted({field for kind in KINDS for field in layer_class(kind).__dataclass_fields__})
WORDS = [*KINDS, *NAMES, "same", "classes", "true", "null", "as", "from", "residual", "branches", "repeat", "times"]

number = st.one_of(st.integers(-2, 40), st.sampled_from([0.5, 1e-5, 2**31 - 1, 2**31, 10**30])).map(str)
word = st.one_of(st.sampled_from(WORDS), number, st.text("ab\"'{}[],:#&*!|>-? \n\t", max_size=4), st.text(max_size=3))
inline = st.lists(st.one_of(word, st.sampled_from([">", " > ", "=", "x", ","])), max_size=14).map(" ".join)


def value(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    listed = st.lists(children, max_size=4).map(lambda items: "[" + ", ".join(items) + "]")
    mapped = st.lists(st.tuples(st.sampled_from(WORDS), children), max_size=4).map(
        lambda items: "{" + ", ".join(f"{key}: {text}" for key, text in items) + "}"
    )
    return st.one_of(listed, mapped)


leaf = st.one_of(st.sampled_from(WORDS), number, st.sampled_from(["", "relu1", "input", "'3'", "*a", "&a x", "!t x"]))
flow = st.recursive(leaf, value, max_leaves=25)
entry = st.one_of(
    st.sampled_from(["relu", "flatten", "maxpool: 2", "conv: [4, 3]", "conv: [3, 3, same]", "dense: classes"]),
    st.tuples(st.sampled_from([*KINDS, "residual", "branches", "repeat"]), flow).map(": ".join),
    st.tuples(st.sampled_from(KINDS), leaf, leaf).map(lambda e: f"{{{e[0]}: , as: {e[1]}, from: {e[2]}}}"),
)
header = st.sampled_from(["input: [3, 8, 8]\n", "inputs: {a: [1, 8], b: [2, 8]}\n", "classes: 3\ninput: 4x9\n", ""])
document = st.builds(
    lambda top, layers, end: top + "layers:\n" + "".join(f"  - {layer}\n" for layer in layers) + end,
    header,
    st.lists(entry, max_size=6),
    st.sampled_from(["", "outputs: relu1\n", "outputs: [input, a]\n", "name: x\n"]),
)


def outcome(read: Callable[[], object]) -> object:
    """What reading gives; an error of ours is fine, and every other one is not."""
    try:
        return read()
    except StriateError as error:
        return str(error)


def network_or_error(text: str) -> None:
    for classes in (None, 3):
        net = outcome(lambda classes=classes: read_yaml(text, classes=classes))
        assert net
        if isinstance(net, Graph):
            assert read_yaml(to_yaml(net)) == net


@given(document)
@settings(max_examples=400)
def test_what_looks_like_a_network(text: str) -> None:
    network_or_error(text)


@given(flow)
def test_any_flow_yaml(text: str) -> None:
    network_or_error(text)
    network_or_error(f"input: [1, 8, 8]\nlayers: {text}\n")


@given(st.text())
def test_any_text_as_yaml(text: str) -> None:
    network_or_error(text)


@given(inline)
@settings(max_examples=400)
def test_what_looks_like_inline_text(text: str) -> None:
    for classes in (None, 3):
        assert outcome(lambda classes=classes: read_inline(text, input=(3, 9, 9), classes=classes))


@given(st.one_of(st.text(), inline))
def test_any_text_as_a_source(text: str) -> None:
    assert outcome(lambda: load(text))
    assert outcome(lambda: leaves_open(text))


def test_any_bytes_as_a_file(tmp_path: Path) -> None:
    path = tmp_path / "any.yaml"

    @given(st.one_of(st.binary(), document.map(str.encode), document.map(lambda text: text.encode("utf-16"))))
    def check(content: bytes) -> None:
        path.write_bytes(content)
        read = outcome(lambda: load(path))
        assert isinstance(read, Graph) or str(read).startswith(str(path))

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_every_attribute_with_a_value_of_every_kind(kind: str) -> None:
    values = [
        "",
        "~",
        "yes",
        "true",
        "-1",
        "0",
        "1",
        "1.5",
        ".nan",
        ".inf",
        "'1'",
        "[]",
        "[1, [2, 3]]",
        "{a: 1}",
        "classes",
    ]
    for name in [*layer_class(kind).__dataclass_fields__, "kind", "as"]:
        for text in values:
            network_or_error(f"input: [3, 8, 8]\nlayers:\n  - {kind}: {{{name}: {text}}}\n")
            network_or_error(f"input: [3, 8, 8]\nlayers:\n  - {kind}: {text}\n")
