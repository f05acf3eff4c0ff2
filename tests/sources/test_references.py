"""Layers that take the size of another: how they name it, and how they are written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from striate.errors import SourceError
from striate.graph import Chain, Graph, network
from striate.sources import leaves_open, load, read_inline, to_yaml
from striate.sources.options import head_names, with_classes

HEAD = """\
name: net
input: [3, 12, 12]
layers:
  - maxpool: 2
    as: small
"""


def inputs(net: Graph) -> tuple[str, ...]:
    return net.nodes[-1].inputs


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("resizelike: input", ("small", "input")),
        ("resizelike: [input]", ("small", "input")),
        ("resizelike: {like: input, mode: linear}", ("small", "input")),
        ("{resizelike: {mode: linear}, from: [input, small]}", ("input", "small")),
        ("{resizelike: {like: small, mode: linear}, from: input}", ("input", "small")),
        ("{resizelike: , from: [input, small]}", ("input", "small")),
        ("{croplike: small, from: input}", ("input", "small")),
        ("{croplike: {like: small, offset: [1, 2]}, from: input}", ("input", "small")),
    ],
)
def test_every_way_to_name_the_reference(line: str, expected: tuple[str, ...]) -> None:
    net = load(f"{HEAD}  - {line}\n")
    assert inputs(net) == expected
    assert load(to_yaml(net)) == net


@pytest.mark.parametrize(
    ("build", "line"),
    [
        (lambda x, small: small.resizelike(x), "  - resizelike: input\n"),
        (lambda x, small: small.resizelike(x, mode="linear"), "  - resizelike: {like: input, mode: linear}\n"),
        (
            lambda x, small: x.croplike(small, offset=(1, 2)),
            "  - croplike: {offset: [1, 2]}\n    from: [input, small]\n",
        ),
        (lambda x, small: x.croplike(small), "  - croplike: {}\n    from: [input, small]\n"),
    ],
)
def test_the_shortest_form_is_written(build: Callable[[Chain, Chain], Chain], line: str) -> None:
    x = network("net", (3, 12, 12))
    assert to_yaml(build(x, x.maxpool(2, name="small")).build()) == HEAD + line


def test_a_word_behind_it_is_a_name() -> None:
    with pytest.raises(SourceError) as caught:
        load(f"{HEAD}  - resizelike: linear\n")
    assert caught.value.problem == "there is no layer called 'linear' before this one"
    with pytest.raises(SourceError) as caught:
        load(f"{HEAD}  - {{resizelike: {{like: [input, small]}}}}\n")
    assert str(caught.value) == (
        "text:6, layer 2 (resizelike): resizelike needs what arrives and 1 more\n"
        "  got:   3: small, input, small\n"
        "  needs: the name of an earlier layer, given there with 'as: NAME'\n"
        "  write: resizelike: NAME, or resizelike: {like: NAME}"
    )
    with pytest.raises(SourceError, match="croplike joins several layers"):
        read_inline("maxpool 2 > croplike input")


def test_several_inputs_and_a_reference_need_a_from() -> None:
    text = "inputs: {a: [3, 8, 8], b: [3, 4, 4]}\nlayers:\n  - resizelike: {like: b}\n"
    with pytest.raises(SourceError) as caught:
        load(text)
    assert caught.value.problem == "there are several inputs, and resizelike does not say which it reads"
    assert inputs(load(text.replace("- resizelike: {like: b}", "- {resizelike: {like: b}, from: a}"))) == ("a", "b")


def test_a_reference_called_classes_is_not_the_number_of_classes() -> None:
    text = "input: [3, 8, 8]\nlayers:\n  - {relu: , as: classes}\n  - resizelike: classes\n"
    assert leaves_open(text) == (False, False)
    assert inputs(load(text)) == ("classes", "classes")


def test_the_classes_are_found_before_a_crop_to_the_size_of_the_image() -> None:
    x = network("fcn", (3, 16, 16), classes=5)
    score = x.conv(4, 3, stride=2, padding=1).conv(5, 1).convtranspose(5, 4, stride=2)
    net = score.croplike(x, offset=1).build()
    assert head_names(net) == ("convtranspose1",)
    assert with_classes(net, 7).output_shape == (7, 16, 16)
    assert load(to_yaml(net)) == net
    assert "filters: classes" in to_yaml(net)
