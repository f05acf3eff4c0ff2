"""Every way to write a network wrongly has its own message; whole ones are in test_yaml_messages.py."""

from __future__ import annotations

import pytest

from striate.errors import LayerError, NetworkError, ShapeError, SourceError
from striate.sources import read_yaml

HEAD = "input: [3, 8, 8]\nlayers:\n"

BEGINNINGS = [
    ("", "net.yaml: there is no network in this text\n  got:   nothing"),
    ("---\n", "net.yaml: there is no network in this text"),
    ("[relu]", "net.yaml: this is a list of layers without an input\n  got:   a list of 1"),
    ("conv 16 3 > relu", "net.yaml:1: this is a text, and YAML with input and layers is needed"),
    ("input: [3, 8, 8]", "net.yaml: there are no layers"),
    ("input: [3, 8, 8]\nlayers:", "net.yaml:2: layers is not a list\n  got:   nothing"),
    ("input: [3, 8]\nlayers: {conv: 3}", "net.yaml:2: layers is not a list\n  got:   a mapping with 'conv'"),
    ("input: [3, 8, 8]\nlayers: []\nlayers: []", "net.yaml:3: 'layers' is written twice\n  got:   'layers' on line 2"),
    ("input: 32\nlayers: []", "net.yaml:1: this is not the shape of an image\n  got:   input: 32\n"),
    ("input: [a, b]\nlayers: []", "net.yaml:1: this is not the shape of an image\n  got:   input: [a, b]\n"),
    ("input: {a: 3}\nlayers: []", "net.yaml:1: this is not the shape of an image\n  got:   a mapping with 'a'"),
    ("inputs: [a]\nlayers: []", "net.yaml:1: inputs needs a name and a shape for each"),
    ("input: [1, 2]\ninputs: {a: [1, 2]}\nlayers: []", "net.yaml:2: 'input' and 'inputs' are both given"),
    ("inputs: {a: [1, 2], b: [1, 2]}\nlayers: []", "net.yaml: there are several inputs and no layers"),
    (
        "inputs: {a: [1, 2], b: [1, 2]}\nlayers: [relu]",
        "net.yaml:2, layer 1 (relu): there are several inputs, and relu does not say which it reads\n"
        "  needs: 'from' with one of a, b, or a list\n  write: from: a",
    ),
    ("input: [1, 2]\nclasses: ten\nlayers: []", "net.yaml:2: this is not a number of classes\n  got:   classes: 'ten'"),
    ("input: [1, 2]\nclasses: true\nlayers: []", "net.yaml:2: this is not a number of classes"),
    ("input: [1, 2]\nname: [a]\nlayers: []", "net.yaml:2: the name is not a text"),
    ("input: [1, 2]\nlayers: [relu]\noutputs: relu2", "net.yaml:3, outputs: there is no layer called 'relu2' before"),
    ("input: [1, 2]\nlayers: [relu]\noutputs: []", "net.yaml:3, outputs: 'outputs' needs the name of an earlier layer"),
    (HEAD + " -\n", "net.yaml:3, layer 1: nothing stands behind this '-'"),
    (HEAD + " - [relu]\n", "net.yaml:3, layer 1: a list stands where a layer is needed"),
    (HEAD + " - {as: x}\n", "net.yaml:3, layer 1: this item has no layer in it"),
    (HEAD + " - convv: 3\n", "net.yaml:3, layer 1: there is no layer 'convv'"),
    (HEAD + " - {kind: conv}\n", "net.yaml:3, layer 1: there is no layer 'kind'"),
    (HEAD + " - conv: {filters: 1, kernel: 1, kind: x}\n", "net.yaml:3, layer 1 (conv): conv has no attribute 'kind'"),
    (HEAD + " - conv: {filters: yes, kernel: 3}\n", "net.yaml:3, layer 1 (conv): conv cannot use this filters"),
    (HEAD + " - conv: {filters: 3, kernel: 3.0}\n", "net.yaml:3, layer 1 (conv): conv cannot use this kernel"),
    (HEAD + " - conv: {filters: 3, kernel: }\n", "net.yaml:3, layer 1 (conv): the kernel of conv has no value"),
    (HEAD + " - conv: {filters: 3, kernel: ~}\n", "net.yaml:3, layer 1 (conv): the kernel of conv has no value"),
    (HEAD + " - conv: {filters: 3, kernel: {a: 1}}\n", "net.yaml:3, layer 1 (conv): a mapping stands where conv needs"),
    (HEAD + " - relu: 3\n", "net.yaml:3, layer 1 (relu): relu takes no values\n  got:   3\n  needs: relu alone"),
    (HEAD + " - add\n", "net.yaml:3, layer 1 (add): add needs something to join with what arrives"),
    (HEAD + " - relu\n - {relu: , from: [relu1, input]}\n", "net.yaml:4, layer 2 (relu): relu cannot read 2 layers"),
    (HEAD + " - {relu: , from: {a: b}}\n", "net.yaml:3, layer 1 (relu): 'from' needs the name of an earlier layer"),
    (HEAD + " - {relu: , as: 3}\n", "net.yaml:3, layer 1 (relu): this is not a name for a node\n  got:   '3'"),
    (HEAD + " - {relu: , as: [a]}\n", "net.yaml:3, layer 1: 'as' needs a name"),
    (HEAD + " - {input: [1, 2], from: input}\n", "net.yaml:3, layer 1 (input): an input reads nothing"),
    (HEAD + " - residual: []\n", "net.yaml:3, layer 1 (residual): the layers of residual are not a list of layers"),
    (HEAD + " - residual: {shortcut: []}\n", "net.yaml:3, layer 1 (residual): residual needs layers\n  got:   only"),
    (HEAD + " - residual: {body: []}\n", "net.yaml:3, layer 1 (residual): residual has no part 'body'"),
    (HEAD + " - {residual: [relu], from: [input, input]}\n", "net.yaml:3, layer 1 (residual): residual begins at one"),
    (HEAD + " - branches: [[relu]]\n", "net.yaml:3, layer 1 (branches): branches needs at least two paths"),
    (HEAD + " - branches: {merge: ad, paths: [[], []]}\n", "net.yaml:3, layer 1 (branches): paths cannot be merged"),
    (HEAD + " - branches: [[], [relu], [tan]]\n", "net.yaml:3, layer 1 (branches), path 3, layer 1: there is no layer"),
    (HEAD + " - repeat: 3\n", "net.yaml:3, layer 1 (repeat): repeat needs layers\n  got:   '3'"),
    (HEAD + " - repeat: {times: 2}\n", "net.yaml:3, layer 1 (repeat): repeat needs layers\n  got:   only times"),
    (HEAD + " - repeat: {times: 0, layers: [relu]}\n", "net.yaml:3, layer 1 (repeat): repeat cannot be done this many"),
    (HEAD + " - repeat: {times: 2, layers: []}\n", "net.yaml:3, layer 1 (repeat): the layers of repeat are not a list"),
    (HEAD + " - {repeat: {times: 2, layers: [relu]}, as: x}\n", "net.yaml:3, layer 1 (repeat): 'as' names one layer"),
    (
        HEAD + " - {relu: , as: x}\n - tanh\n - {silu: , as: tanh1}\n",
        "net.yaml:5, layer 3 (silu): two nodes are called",
    ),
    ("a: b: c", "net.yaml:1, column 5: this is not YAML: mapping values are not allowed here"),
    ("layers: [", "net.yaml:1, column 10: this is not YAML: expected the node content"),
    ("%YAML 1.1\n---\na: b", "net.yaml:2: this is another version of YAML\n  got:   %YAML 1.1"),
    ("a: 1\n---\nb: 1", "net.yaml:2: a second YAML document begins here"),
    ("a: *b", "net.yaml:1: there is no anchor '&b' before this alias"),
    ("a: &a [*a]", "net.yaml:1: there is no anchor '&a' before this alias"),
    ("? [a]\n: b", "net.yaml:1: a list or mapping stands where a name is needed"),
    ("<<: {a: b}", "net.yaml:1: '<<' belongs to YAML 1.1 and is not read"),
    ("a\0", "net.yaml: this is a binary file, not YAML"),
    ("a: 1\nb: \x07", "net.yaml:2: this character is not allowed in YAML\n  got:   U+0007"),
    ('a: "\\U00110000"', "net.yaml: this is not YAML: an escape or a directive has no meaning"),
]


@pytest.mark.parametrize(("text", "beginning"), BEGINNINGS, ids=range(len(BEGINNINGS)))
def test_how_the_message_begins(text: str, beginning: str) -> None:
    with pytest.raises(NetworkError) as caught:
        read_yaml(text)
    assert str(caught.value).startswith(beginning)


def test_a_structure_is_suggested_where_it_is_meant() -> None:
    with pytest.raises(LayerError) as caught:
        read_yaml(HEAD + "  - residul: [relu]\n")
    assert caught.value.write == "residual"


def test_the_text_is_called_what_the_caller_calls_it() -> None:
    with pytest.raises(ShapeError, match="the window") as caught:
        read_yaml(HEAD + "  - maxpool: 9\n", where="nets/a, b.yaml")
    assert caught.value.where == "nets/a, b.yaml:3, layer 1 (maxpool)"


def test_classes_without_effect() -> None:
    with pytest.raises(SourceError) as caught:
        read_yaml(HEAD + "  - flatten\n  - dense: 10\n", classes=3)
    assert str(caught.value) == (
        "net.yaml: classes=3 has no effect\n"
        "  got:   a network that yields 10 whatever the number of classes\n"
        "  needs: a last layer whose size is the word 'classes'\n"
        "  write: dense: classes"
    )


def test_what_moves_a_cursor_is_not_repeated_in_a_message() -> None:
    with pytest.raises(LayerError) as caught:
        read_yaml(HEAD + '  - "conv\\e[31m\\u202e"\n')
    assert "\x1b" not in str(caught.value)
    assert "\u202e" not in str(caught.value)
