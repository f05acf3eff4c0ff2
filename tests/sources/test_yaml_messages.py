"""Whole messages: the file, the line, the layer, what was got, what is needed, what to write."""

from __future__ import annotations

import pytest

from striate.errors import LayerError, NetworkError, ShapeError, SourceError
from striate.sources import read_yaml

HEAD = "input: [3, 8, 8]\nlayers:\n"

WHOLE = [
    (
        LayerError,
        HEAD + "  - relu\n  - conv: {filters: 16, kernal: 3}\n",
        "net.yaml:4, layer 2 (conv): conv has no attribute 'kernal'\n"
        "  got:   kernal: 3\n"
        "  needs: one of filters, kernel, stride, padding, dilation, groups, bias, padding_mode\n"
        "  write: kernel",
    ),
    (
        LayerError,
        HEAD + "  - conv:\n      filters: 16\n      kernel: 3\n      stride: zero\n",
        "net.yaml:6, layer 1 (conv): conv cannot use this stride\n"
        "  got:   stride: zero\n"
        "  needs: a whole number of at least 1, or one for each axis\n"
        "  write: stride: 1 or [1, 1]",
    ),
    (
        LayerError,
        HEAD + '  - conv: {filters: "16", kernel: 3}\n',
        "net.yaml:3, layer 1 (conv): the filters of conv stands in quotes, which make it text\n"
        '  got:   filters: "16"\n'
        "  needs: a number without quotes\n"
        "  write: filters: 16",
    ),
    (
        LayerError,
        HEAD + "  - conv: {filters: true, kernel: 3}\n",
        "net.yaml:3, layer 1 (conv): conv cannot use this filters\n"
        "  got:   filters: true\n"
        "  needs: a whole number of at least 1\n"
        "  write: filters: 1",
    ),
    (
        LayerError,
        HEAD + "  - conv: {kernel: 3, padding: same}\n",
        "net.yaml:3, layer 1 (conv): conv needs filters\n"
        "  got:   kernel: 3, padding: same\n"
        "  write: conv: {filters: 3}",
    ),
    (
        LayerError,
        HEAD + "  - flatten\n  - dense: classes\n",
        "net.yaml:4, layer 2 (dense): 'classes' stands here, and the number of classes is not given\n"
        "  got:   classes\n"
        "  needs: the number of classes\n"
        "  write: classes: 10 at the top of the file, or the option classes",
    ),
    (
        LayerError,
        HEAD + "  - conv 16 3\n",
        "net.yaml:3, layer 1: there is no layer 'conv 16 3'\n"
        "  got:   'conv 16 3'\n"
        "  needs: values behind a colon\n"
        "  write: conv: [16, 3]",
    ),
    (
        LayerError,
        HEAD + "  - adaptiveavgpool: [7, 5]\n",
        "net.yaml:3, layer 1 (adaptiveavgpool): adaptiveavgpool is given one value too many\n"
        "  got:   5\n"
        "  needs: 1 value without a name: size\n"
        "  write: adaptiveavgpool: {size: [7, 5]}",
    ),
    (
        ShapeError,
        HEAD + "  - maxpool: 2\n  - conv: {filters: 4, kernel: 11}\n",
        "net.yaml:4, layer 2 (conv): the window of conv is larger than its input\n"
        "  got:   a window of 11 on 4 pixels, input 3×4×4\n"
        "  needs: an input of at least 11 along every axis\n"
        "  write: a kernel of at most 4, more padding, fewer poolings before it, or a larger input",
    ),
    (
        ShapeError,
        HEAD + "  - dense: 5\n",
        "net.yaml:3, layer 1 (dense): dense needs a vector, and a map arrives: flatten is missing\n"
        "  got:   3×8×8\n"
        "  needs: a vector\n"
        "  write: flatten before it (192 values), or globalavgpool (3 values)",
    ),
    (
        ShapeError,
        HEAD + "  - residual:\n      - conv: {filters: 8, kernel: 3, stride: 2, padding: 1}\n",
        "net.yaml:3, layer 1 (residual): these shapes cannot be added\n"
        "  got:   8×4×4 and 3×8×8\n"
        "  needs: one shape\n"
        "  write: residual: {layers: […], shortcut: [{conv: {filters: 8, kernel: 1, stride: 2}}]}",
    ),
    (
        ShapeError,
        HEAD + "  - relu\n  - repeat:\n      times: 4\n      layers:\n        - maxpool: 3\n",
        "net.yaml:7, layer 2 (repeat), time 2, layer 1 (maxpool): the window of maxpool is larger than its input\n"
        "  got:   a window of 3 on 2 pixels, input 3×2×2\n"
        "  needs: an input of at least 3 along every axis\n"
        "  write: a kernel of at most 2, more padding, fewer poolings before it, or a larger input",
    ),
    (
        SourceError,
        HEAD + "  - {relu: , as: stem}\n  - {add: sten}\n",
        "net.yaml:4, layer 2 (add): there is no layer called 'sten' before this one\n"
        "  got:   'sten'\n"
        "  needs: one of input, stem; 'as: NAME' gives a layer a name\n"
        "  write: stem",
    ),
    (
        SourceError,
        HEAD + "  - {add: late}\n  - {relu: , as: late}\n",
        "net.yaml:3, layer 1 (add): 'late' comes later: a network has no cycles\n"
        "  got:   'late'\n"
        "  needs: the name of an earlier layer",
    ),
    (
        SourceError,
        HEAD + "  - {relu: , as: stem}\n  - relu:\n    as: stem\n",
        "net.yaml:5, layer 2 (relu): two nodes are called 'stem'\n"
        "  got:   as: stem, which is also the name given on line 3\n"
        "  needs: a name of its own for each node\n"
        "  write: as: stem_2",
    ),
    (
        SourceError,
        HEAD + "  - conv: {filters: 3, kernel: 3, as: stem}\n",
        "net.yaml:3, layer 1 (conv): 'as' stands among the attributes of conv\n"
        "  got:   as: 'stem'\n"
        "  needs: it beside conv, not inside its braces\n"
        "  write: - {conv: {…}, as: …}",
    ),
    (
        SourceError,
        HEAD + "  - conv:\n    filters: 3\n",
        "net.yaml:3, layer 1: this item holds more than one name where one layer belongs\n"
        "  got:   'conv' and 'filters'\n"
        "  needs: one layer behind each '-', its attributes in braces or indented below it\n"
        "  write: conv: {filters: …}, or a '-' before the second",
    ),
    (
        SourceError,
        HEAD + "  - branches: [relu, tanh]\n",
        "net.yaml:3, layer 1 (branches): path 1 of branches is not a list of layers\n"
        "  got:   'relu'\n"
        "  needs: a list, even for one layer\n"
        "  write: [relu]",
    ),
    (
        SourceError,
        "# a comment\n\n",
        "net.yaml: there is no network in this text\n"
        "  got:   only comments\n"
        "  needs: input and layers\n"
        "  write: input: [3, 32, 32], and below it layers: with one '- layer' on each line",
    ),
    (
        SourceError,
        "input: [3, 8, 8]\nlayer: [relu]\n",
        "net.yaml:2: there is no key 'layer' at the top of a network\n"
        "  got:   'layer'\n"
        "  needs: one of name, input, inputs, classes, layers, outputs\n"
        "  write: layers",
    ),
    (
        SourceError,
        "layers: [relu]\n",
        "net.yaml: there is no input\n  needs: the shape of an image\n  write: input: [3, 32, 32]",
    ),
    (
        LayerError,
        "layers: [relu]\ninput: [1, -2, 3]\n",
        "net.yaml:2: this is not the shape of an image\n"
        "  got:   input: [1, -2, 3]\n"
        "  needs: channels and one to three spatial sizes, each at least 1\n"
        "  write: input: [3, 32, 32]",
    ),
    (
        SourceError,
        HEAD + "  - conv: {filters: 4, kernel: 3, kernel: 5}\n",
        "net.yaml:3: 'kernel' is written twice\n  got:   'kernel' on line 3 and on line 3\n  needs: each name once",
    ),
    (
        SourceError,
        HEAD + "\t- relu\n",
        "net.yaml:3, column 1: a tab stands where YAML allows only spaces\n"
        "  got:   ' - relu'\n"
        "  needs: spaces to indent\n"
        "  write: two spaces for each level",
    ),
    (
        SourceError,
        HEAD + "  - conv: {filters: 4 kernel: 3}\n",
        "net.yaml:3, column 29: this is not YAML: expected ',' or '}', but got ':'"
        " (while parsing a flow mapping that begins on line 3)\n"
        "  got:   '  - conv: {filters: 4 kernel: 3}'",
    ),
    (
        SourceError,
        'input: !!python/object/apply:os.system ["true"]\nlayers: []\n',
        "net.yaml:1: YAML tags are not read: a network is words, numbers, lists and mappings\n"
        "  got:   'tag:yaml.org,2002:python/object/apply:os.system'\n"
        "  needs: the value without a tag; quotes make a number text",
    ),
]


@pytest.mark.parametrize(("kind", "text", "message"), WHOLE, ids=range(len(WHOLE)))
def test_the_whole_message(kind: type[NetworkError], text: str, message: str) -> None:
    with pytest.raises(kind) as caught:
        read_yaml(text)
    assert type(caught.value) is kind
    assert str(caught.value) == message
