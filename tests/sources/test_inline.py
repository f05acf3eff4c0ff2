"""Inline text: what it means, how it is written, and where an error puts its mark."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from striate.errors import LayerError, NetworkError, ShapeError, SourceError
from striate.graph import Chain, Graph, network
from striate.sources import read_inline, to_inline


def test_the_example_of_the_design() -> None:
    net = read_inline("conv 16 3 same > relu > maxpool 2 > flatten > dense 10")
    x = network("inline", (3, 32, 32)).conv(16, 3, padding="same").relu().maxpool(2)
    assert net == x.flatten().dense(10).build()


def test_every_form_of_a_value() -> None:
    text = (
        "INPUT 2x9x12 > Conv2D 8 3x5 stride=2 padding=1,2 bias=false > lrelu 1e-1 > avgpool 2 1 > dropout 0.3 > "
        "layernorm channels > upsample 2 linear > conv 4 2,3 same > globalavgpool keep=true > flatten > dense classes"
    )
    x = network("inline", (2, 9, 12), classes=7).conv(8, (3, 5), stride=2, padding=(1, 2), bias=False)
    x = x.leakyrelu(0.1).avgpool(2, stride=1).dropout(0.3).layernorm("channels").upsample(2, "linear")
    x = x.conv(4, (2, 3), padding="same").globalavgpool(keep=True).flatten().dense(7)
    assert read_inline(text, classes=7) == x.build()


@pytest.mark.parametrize("written", ["1x28x28", "1×28×28", "1,28,28", "1 28 28", "1X28X28", "1, 28, 28"])
def test_the_input_in_many_forms(written: str) -> None:
    assert read_inline(f"input {written} > relu").input_shape == (1, 28, 28)


def test_the_option_input_wins() -> None:
    assert read_inline("input 1x28x28 > relu", input=(3, 8)).input_shape == (3, 8)
    assert read_inline("relu").input_shape == (3, 32, 32)


MARKED = [
    (
        ShapeError,
        "conv 16 3 > dense 10",
        "layer 2 (dense): dense needs a vector, and a map arrives: flatten is missing\n"
        "  got:   16×30×30\n"
        "  in:    conv 16 3 > dense 10\n"
        "                     ^^^^^^^^\n"
        "  needs: a vector\n"
        "  write: flatten before it (14,400 values), or globalavgpool (16 values)",
    ),
    (
        LayerError,
        "conv 16 3 strid=2 > relu",
        "layer 1 (conv): conv has no attribute 'strid'\n"
        "  got:   strid: 2\n"
        "  in:    conv 16 3 strid=2 > relu\n"
        "                   ^^^^^^^\n"
        "  needs: one of filters, kernel, stride, padding, dilation, groups, bias, padding_mode\n"
        "  write: stride",
    ),
    (
        LayerError,
        "relu > conv 0 3",
        "layer 2 (conv): conv cannot use this filters\n"
        "  got:   filters: 0\n"
        "  in:    relu > conv 0 3\n"
        "                     ^\n"
        "  needs: a whole number of at least 1\n"
        "  write: filters=1",
    ),
    (
        LayerError,
        "conv 16 > relu",
        "layer 1 (conv): conv needs kernel\n"
        "  got:   filters: 16\n"
        "  in:    conv 16 > relu\n"
        "         ^^^^^^^\n"
        "  write: conv kernel=3",
    ),
    (
        LayerError,
        "conv 16 3 same same > relu",
        "layer 1 (conv): conv is given one value too many\n"
        "  got:   'same'\n"
        "  in:    conv 16 3 same same > relu\n"
        "                        ^^^^\n"
        "  needs: 2 values without a name: filters, kernel;"
        " with its name: stride, padding, dilation, groups, bias, padding_mode",
    ),
    (
        LayerError,
        "adaptiveavgpool 7 5",
        "layer 1 (adaptiveavgpool): adaptiveavgpool is given one value too many\n"
        "  got:   5\n"
        "  in:    adaptiveavgpool 7 5\n"
        "                           ^\n"
        "  needs: 1 value without a name: size\n"
        "  write: adaptiveavgpool size=7x5",
    ),
    (
        SourceError,
        "conv(16,3) > relu",
        "layer 1: values follow a layer's name after a space\n"
        "  got:   conv(16,3) > relu\n"
        "         ^^^^^^^^^^\n"
        "  needs: no brackets, colons or commas\n"
        "  write: conv 16 3",
    ),
    (
        SourceError,
        "conv 16 3 >> relu",
        "inline text: a layer is missing here\n"
        "  got:   conv 16 3 >> relu\n"
        "                    ^\n"
        "  needs: a layer on each side of every '>'",
    ),
    (
        SourceError,
        "relu > ",
        "inline text: a layer is missing here\n"
        "  got:   relu > \n"
        "               ^\n"
        "  needs: a layer on each side of every '>'",
    ),
    (
        LayerError,
        "input 28 > relu",
        "inline text: this is not the shape of an image\n"
        "  got:   input 28 > relu\n"
        "         ^^^^^^^^\n"
        "  needs: channels and one to three spatial sizes, each at least 1\n"
        "  write: input 3x32x32",
    ),
    (
        SourceError,
        "conv 16 3, 5",
        "layer 1 (conv): a comma belongs between two sizes, without spaces\n"
        "  got:   conv 16 3, 5\n"
        "                 ^^\n"
        "  write: 3,5 or 3x5",
    ),
    (
        SourceError,
        "relu > add",
        "layer 2 (add): add joins several layers\n"
        "  got:   relu > add\n"
        "                ^^^\n"
        "  needs: a YAML file for several inputs or branches",
    ),
]


@pytest.mark.parametrize(("kind", "text", "message"), MARKED, ids=range(len(MARKED)))
def test_the_mark_stands_under_the_wrong_part(kind: type[NetworkError], text: str, message: str) -> None:
    with pytest.raises(kind) as caught:
        read_inline(text)
    assert type(caught.value) is kind
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("convv 16 3", "there is no layer 'convv'"),
        ("relu 3", "relu takes no values"),
        ("relu > input 1x2x2", "an input belongs at the beginning"),
        ("input 1x2x2", "no layer follows the input"),
        ("input > relu", "this is not the shape of an image"),
        ("conv 99999999999 3", "this number is too large"),
        ("conv 16 3 =2", "'=' needs a name before it and a value behind it"),
        ("conv 16 3 stride=", "'=' needs a name before it and a value behind it"),
        ("conv 16 3 stride=2 stride=3", "'stride' is given twice"),
        ("conv 16 3 filters=4", "conv is given its filters twice"),
        ("conv 16 3 stride=null", "this is not a value"),
        ("conv 16 31 > conv 16 3", "the window of conv is larger than its input"),
        ("dense classes", "'classes' stands here, and the number of classes is not given"),
        ("relu >" * 5000 + "relu", "this is too long for inline text"),
        ("upsample 999999999 > upsample 999999999", "the map that leaves upsample is too large for any machine"),
        ("", "a layer is missing here"),
    ],
)
def test_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(NetworkError) as caught:
        read_inline(text)
    assert caught.value.problem == problem


def test_a_long_text_is_shown_around_the_mark() -> None:
    with pytest.raises(LayerError) as caught:
        read_inline(" > ".join(["conv 16 3 same"] * 20 + ["relo"] + ["conv 16 3 same"] * 20))
    shown, mark = (caught.value.got or "").splitlines()
    assert len(shown) < 80
    assert shown[len(mark) - 9 - 4 : len(mark) - 9] == "relo"
    assert mark.strip() == "^^^^"


def test_classes_without_effect() -> None:
    assert read_inline("flatten > dense 10", classes=10).classes == 10
    with pytest.raises(SourceError) as caught:
        read_inline("flatten > dense 10", classes=3)
    assert (caught.value.problem, caught.value.write) == ("classes=3 has no effect", "dense classes")


@pytest.mark.parametrize(
    "text",
    [
        "input 3x32x32 > conv 16 3 same > relu > maxpool 2 > flatten > dense 10",
        "input 1x28 > conv 8 3 stride=2 padding=1 bias=false > maxpool 3 2 > dropout 0.3 > dropout > batchnorm",
        "input 1x8x9x10 > conv 4 2x3x1 valid > upsample 2x1x1 linear > layernorm channels > globalavgpool true",
        "input 4x8x8 > gelu tanh > groupnorm 2 epsilon=1e-07 > adaptiveavgpool 3x2 > convtranspose 4 2 stride=2",
    ],
)
def test_writing_and_reading_are_inverse(text: str) -> None:
    net = read_inline(text)
    assert to_inline(net) == text
    assert read_inline(to_inline(net)) == net


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (lambda x: x.relu().add(x).build(), "'add1' does not read only the layer before it"),
        (lambda x: x.relu(name="stem").build(), "a layer called 'stem'"),
        (lambda x: x.build(), "no layers"),
        (lambda x: x.conv(3, 3, padding=(0, (1, 2))).build(), "padding: (0, (1, 2))"),
        (lambda x: x.relu().build(x), "the outputs relu1, input"),
    ],
)
def test_what_has_no_inline_form_says_why(write: Callable[[Chain], Graph], why: str) -> None:
    with pytest.raises(SourceError) as caught:
        to_inline(write(network("n", (3, 8, 8))))
    assert (caught.value.got, caught.value.write) == (why, "its YAML (to_yaml)")
