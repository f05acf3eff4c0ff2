"""Mending YAML: only what has to change is touched, and what comes out is the network that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.strategies import graphs
from striate import zoo
from striate.graph import Graph
from striate.graph.layers.convolution import Conv
from striate.graph.layers.dense import Dense
from striate.lint import Edit, Evidence, Rule, Subject
from striate.lint.mending import CannotEdit, apply_edits, mend
from striate.lint.mending.graph_edits import alike, spelled_out
from striate.lint.mending.yaml_edits import edit_text
from striate.lint.selection import choose_rules
from striate.lint.target import read_target
from striate.sources import read_inline, read_yaml, to_yaml
from striate.sources.yaml_reader import read_located_yaml

HEAD = "input: [3, 32, 32]\nclasses: 10\nlayers:\n"


def edited(layers: str, *edits: Edit) -> str:
    text = HEAD + layers
    graph, items = read_located_yaml(text)
    meant = apply_edits(graph, edits)
    after = edit_text(text, items, spelled_out(graph, meant, edits))
    assert after.startswith(HEAD)
    assert alike(read_yaml(after), meant)
    return after[len(HEAD) :]


BIAS = Edit("conv1", "bias", False)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  - conv: {filters: 4, kernel: 3}  # a\n", "  - conv: {filters: 4, kernel: 3, bias: false}  # a\n"),
        ("  - conv: {filters: 4, kernel: 3, bias: true}\n", "  - conv: {filters: 4, kernel: 3, bias: false}\n"),
        ("  - conv: [4, 3]  # a\n", "  - conv: {filters: 4, kernel: 3, bias: false}  # a\n"),
        ("  - conv: [4, 3, same]\n", "  - conv: {filters: 4, kernel: 3, padding: same, bias: false}\n"),
        (
            "  - conv:\n      filters: 4  # four\n      kernel: 3  # three\n\n  - relu\n",
            "  - conv:\n      filters: 4  # four\n      kernel: 3  # three\n      bias: false\n\n  - relu\n",
        ),
        (
            "  - conv:\n      kernel: [3,\n        3]\n      filters: 4\n    as: stem\n  - add: stem",
            "  - conv:\n      kernel: [3,\n        3]\n      filters: 4\n      bias: false\n    as: stem\n"
            "  - add: stem",
        ),
        (
            "  - branches: [[{conv: {filters: 4, kernel: 1}}], []]\n",
            "  - branches: [[{conv: {filters: 4, kernel: 1, bias: false}}], []]\n",
        ),
        (
            "  - repeat:\n      times: 1\n      layers: [conv: {filters: 3, kernel: 1}]\n",
            "  - repeat:\n      times: 1\n      layers: [conv: {filters: 3, kernel: 1, bias: false}]\n",
        ),
    ],
)
def test_an_attribute_is_set(before: str, after: str) -> None:
    name = "stem" if "as: stem" in before else "conv1"
    assert edited(before, Edit(name, "bias", False)) == after


@pytest.mark.parametrize(
    ("before", "edit", "after"),
    [
        ("  - batchnorm\n", Edit("batchnorm1", "momentum", 0.2), "  - batchnorm: {momentum: 0.2}\n"),
        ("  - batchnorm:\n", Edit("batchnorm1", "momentum", 0.2), "  - batchnorm: {momentum: 0.2}\n"),
        ("  - batchnorm: {}\n", Edit("batchnorm1", "momentum", 0.2), "  - batchnorm: {momentum: 0.2}\n"),
        ("  - {batchnorm: , as: x}\n", Edit("x", "momentum", 0.2), "  - {batchnorm: {momentum: 0.2} , as: x}\n"),
        (
            "  - residual: [batchnorm]\n",
            Edit("batchnorm1", "momentum", 0.2),
            "  - residual: [{batchnorm: {momentum: 0.2}}]\n",
        ),
        ("  - maxpool: 2\n", Edit("maxpool1", "kernel", 3), "  - maxpool: {kernel: 3, stride: 2}\n"),
        ("  - maxpool: 2\n", Edit("maxpool1", "padding", 1), "  - maxpool: {kernel: 2, padding: 1}\n"),
        ("  - conv: [4, [3, 3]]\n", Edit("conv1", "kernel", (5, 1)), "  - conv: [4, [5, 1]]\n"),
        (
            "  - globalavgpool\n  - dense: classes\n",
            Edit("dense1", "bias", False),
            "  - globalavgpool\n  - dense: {units: classes, bias: false}\n",
        ),
    ],
)
def test_a_layer_without_braces_gets_them(before: str, edit: Edit, after: str) -> None:
    assert edited(before, edit) == after


@pytest.mark.parametrize(
    ("before", "node", "after"),
    [
        (
            "  - relu\n  - relu  # again\n  # about what follows\n  - tanh\n",
            "relu2",
            "  - relu\n  # about what follows\n  - tanh\n",
        ),
        ("  - relu\n\n  - dropout:\n      probability: 0.5\n\n  - tanh", "dropout1", "  - relu\n\n\n  - tanh"),
        ("  - relu\n  - relu", "relu2", "  - relu\n"),
        ("  - residual: [relu, tanh, relu]\n", "tanh1", "  - residual: [relu, relu]\n"),
        ("  - residual: [relu, tanh]\n", "tanh1", "  - residual: [relu]\n"),
        ("  - residual: [relu, {dropout: 0.5}]\n", "dropout1", "  - residual: [relu]\n"),
    ],
)
def test_a_layer_is_left_out(before: str, node: str, after: str) -> None:
    assert edited(before, Edit(node)) == after


@pytest.mark.parametrize(
    ("layers", "edits", "reason"),
    [
        ("  - relu\n", [Edit("relu1")], "relu1 stands alone in its list"),
        ("  - residual: [relu]\n", [Edit("add1", "bias", False)], "add1 is made by residual"),
        (
            "  - squeezeexcite: 2\n",
            [Edit("squeezeexcite1.fc1", "bias", False)],
            "squeezeexcite1.fc1 is made by squeezeexcite",
        ),
        (
            "  - repeat: {times: 2, layers: [{conv: [3, 1]}]}\n",
            [BIAS],
            "it is written once for 2 layers (conv1, conv2), and 1 of them",
        ),
        ("  - &a relu\n  - *a\n", [Edit("relu2")], "it is written once for 2 layers"),
        ("  - residual: [relu, # first\n      tanh]\n", [Edit("relu1")], "a comment would go with relu1"),
        ("  - conv:\n    - 4\n    - 3\n", [BIAS], "written in a way that is not edited"),
        ("  - relu\n", [Edit("input", "shape", (1, 2, 2))], "input is not written as a layer"),
    ],
)
def test_what_is_refused(layers: str, edits: list[Edit], reason: str) -> None:
    text = HEAD + layers
    _, items = read_located_yaml(text)
    with pytest.raises(CannotEdit) as caught:
        edit_text(text, items, edits)
    assert reason in str(caught.value)


def test_edits_of_a_graph_that_make_no_network() -> None:
    net = read_inline("conv 4 3 > relu > globalavgpool > dense 10")
    for edit in (Edit("globalavgpool1"), Edit("conv1", "kernel", 99), Edit("conv1", "size", 1), Edit("input")):
        with pytest.raises(CannotEdit):
            apply_edits(net, [edit])


SEVERAL = """\
# kept
input: [3, 32, 32]
classes: 10
layers:
  - conv: [8, 3]
  - batchnorm
  - relu
  - relu            # goes
  - relu            # goes too
  - repeat:
      times: 2
      layers:
        - conv: {filters: 8, kernel: 3}   # stays
        - batchnorm
        - relu
        - relu
  - globalavgpool
  - dense: classes
"""
RULES = choose_rules(["N301", "N302"])


def test_mending_goes_on_until_nothing_is_left() -> None:
    mended = mend(read_target(SEVERAL), RULES)
    assert mended.target.yaml is not None
    text = mended.target.yaml.text
    assert text == SEVERAL.replace("  - relu            # goes\n", "").replace(
        "  - relu            # goes too\n", ""
    ).replace("        - relu\n        - relu\n", "        - relu\n")
    assert {finding.code for finding in mended.done} == {"N302"}
    assert mended.left == ()
    unsafe = mend(read_target(SEVERAL), RULES, unsafe=True)
    assert unsafe.target.yaml is not None
    assert unsafe.target.yaml.text.count("bias: false") == 2
    assert mend(unsafe.target, RULES, unsafe=True).done == ()


def test_what_depends_on_a_name_is_left_to_the_author() -> None:
    text = (
        HEAD + "  - relu\n  - relu\n  - conv: [3, 1]\n  - relu\n  - add: relu3\n  - globalavgpool\n  - dense: classes\n"
    )
    mended = mend(read_target(text), RULES)
    assert mended.done == ()
    [(finding, reason)] = mended.left
    assert finding.where == "relu2"
    assert "depend on the name" in reason or "cannot be edited here" in reason


def test_what_is_allowed_is_not_mended() -> None:
    text = HEAD + "  - relu\n  - relu  # striate: allow two-activations\n  - globalavgpool\n  - dense: classes\n"
    assert mend(read_target(text), RULES).done == ()


def test_line_ends_stay() -> None:
    mended = mend(read_target(SEVERAL.replace("\n", "\r\n")), RULES, unsafe=True)
    assert mended.target.yaml is not None
    text = mended.target.yaml.text
    assert text.count("\n") == text.count("\r\n")
    once = HEAD + "  - conv:\n      filters: 4\n      kernel: 3\n  - batchnorm\n"
    _, items = read_located_yaml(once.replace("\n", "\r\n"))
    changed = edit_text(once.replace("\n", "\r\n"), items, [BIAS])
    assert "      kernel: 3\r\n      bias: false\r\n  - batchnorm\r\n" in changed


def drawn_rule(data: st.DataObject, asked: list[Edit]) -> Rule:
    """A rule that fires once, on a node that is drawn, and then never again."""

    def check(net: Subject) -> Iterator[Evidence]:
        possible = [
            Edit(node.name, "bias", not node.layer.bias) if hasattr(node.layer, "bias") else Edit(node.name)
            for node in net.graph.nodes
            if hasattr(node.layer, "bias")
            or node.layer.kind in ("relu", "tanh", "sigmoid", "gelu", "dropout", "batchnorm")
        ]
        if possible and not asked:
            asked.append(data.draw(st.sampled_from(possible)))
            yield Evidence(asked[0].node, "drawn", edits=(asked[0],))

    return Rule("N999", "drawn", "warning", "safe", check, "Drawn", {})


@given(graphs(), st.data())
def test_any_network_is_mended_rightly_or_left_as_it_is(graph: Graph, data: st.DataObject) -> None:
    text = to_yaml(graph)
    asked: list[Edit] = []
    mended = mend(read_target(text if "\n" in text else text + "\n"), [drawn_rule(data, asked)])
    assert mended.target.yaml is not None
    after = mended.target.yaml.text
    if not mended.done:
        assert after == text
        return
    assert not mended.left
    assert alike(read_yaml(after), apply_edits(read_yaml(text), asked))
    changed = [line for line in difflib.ndiff(text.splitlines(), after.splitlines()) if line[0] in "+-"]
    # A layer is at most two lines here: itself and 'as: NAME'.
    assert len(changed) <= 2


def test_most_edits_of_the_zoo_are_carried_out() -> None:
    """The layers of written-out networks can all be edited, whatever the structure around them."""
    for name in ("resnet18", "googlenet", "mobilenet_v2", "unet", "densenet121"):
        text = to_yaml(zoo.build(name))
        graph, items = read_located_yaml(text)
        edits = [
            Edit(node.name, "bias", not node.layer.bias) for node in graph.nodes if isinstance(node.layer, Conv | Dense)
        ]
        after = edit_text(text, items, spelled_out(graph, apply_edits(graph, edits), edits))
        assert alike(read_yaml(after), apply_edits(graph, edits))
