"""Networks side by side, as they are shown: shares by hand, narrow terminals, folded changes that lose nothing."""

from __future__ import annotations

import io
import re

import pytest

from striate import zoo
from striate.analysis import inspect
from striate.analysis.alignment import misalignments
from striate.analysis.comparison import Comparison, compare
from striate.analysis.editing import edit
from striate.analysis.examples import example, examples
from striate.graph import Graph, network
from striate.views import make_console
from striate.views.changed_layers import changed_rows
from striate.views.comparisons import comparison_markdown, comparison_view, example_view
from striate.views.inspect_rows import alignment_notes

NETS = ("resnet18", "resnet34", "vgg16", "lenet-5")


def shown(view: object, width: int = 400) -> str:
    stream = io.StringIO()
    console = make_console(stream)
    console.width = width
    console.print(view)
    return stream.getvalue()


def number(text: str) -> int:
    return int(text.replace(",", ""))


def row(text: str, name: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if re.match(rf"{name}  ", line)]
    return re.split(r" {2,}", line)[1:]


def test_each_share_is_one_of_the_first_network() -> None:
    text = shown(comparison_view(compare(*map(zoo.build, NETS))))
    for name in ("parameters", "MACs", "MACs to train"):
        first, *others = row(text, name)
        for cell in others:
            count, _, share = cell.partition(" ")
            ratio = number(count) / number(first)
            told = share.strip("()")
            if told.startswith("×"):
                assert float(told[1:].replace(",", "")) == pytest.approx(ratio, rel=0.01)
                assert ratio >= 2
            else:
                assert float(told.removesuffix(" %")) / 100 == pytest.approx(ratio, rel=0.25)
                assert ratio < 2
    assert "in brackets      how much it is of resnet18's" in text


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("names", [NETS, NETS[:2]])
def test_a_narrow_terminal_breaks_no_line(names: tuple[str, ...], width: int) -> None:
    nets = [zoo.build(name) for name in names]
    text = shown(comparison_view(compare(*nets, layers=False)), width)
    assert max(map(len, text.splitlines())) <= width
    for name, net in zip(names, nets, strict=True):
        assert f" {name}" in text
        assert f"{net.parameter_count:,}" in text


def test_an_example_of_pairs_compares_two_by_two() -> None:
    chosen = example("plain-vs-separable")
    text = shown(example_view(chosen, compare(*chosen.build(), layers=False)))
    # For one filter a separable convolution takes 30 weights instead of 27: 11.1 % more.
    changes = [re.split(r" {2,}", line)[1:] for line in text.splitlines() if line.startswith("parameters")]
    assert changes == [["1,728", "219", "−1,509 (−87.3 %)"], ["27", "30", "+3 (+11.1 %)"]]
    assert all(len(entry.build()) % 2 == 0 for entry in examples().values() if entry.pairs)


def test_networks_of_one_name_are_told_apart() -> None:
    nets = [network("inline", (3, 8, 8)).conv(filters, 3).build() for filters in (4, 6)]
    text = shown(comparison_view(compare(*nets)))
    assert "inline (1)  conv 4, 3×3" in text
    assert "inline (2)  conv 6, 3×3" in text


def changed(net: Graph, layer: str, **values: object) -> Comparison:
    return compare(net, edit(net, {layer: values}), layers=True)


@pytest.mark.parametrize(
    ("name", "layer", "values"),
    [
        ("resnet152", "conv1", {"stride": 1}),
        ("densenet121", "features.conv0", {"stride": 1}),
        ("resnet18", "layer2.0.conv1", {"bias": True}),
    ],
)
@pytest.mark.parametrize("depth", [None, 1, 2])
def test_folded_changes_are_the_whole_change(
    name: str, layer: str, values: dict[str, object], depth: int | None
) -> None:
    """Before and after, the rows differ by as much as the two networks do."""
    net = zoo.build(name)
    found = changed(net, layer, **values)
    rows = changed_rows(found, depth)
    reports = [entry.report for entry in found.networks]
    for place, quantity in ((3, "parameters"), (4, "macs")):
        ends = [re.split(" → ", row.cells[place]) for row in rows]
        amounts = [[0 if end in ("–",) else number(end) for end in (cell[0], cell[-1])] for cell in ends]
        change = sum(after - before for before, after in amounts)
        assert change == getattr(reports[1], quantity) - getattr(reports[0], quantity)
    visible = [pair for pair in found.layers if pair.changed]
    assert sum(row.layers for row in rows) <= len(visible)
    if name == "resnet152":
        assert len(rows) < (20 if depth == 1 else 100) < len(visible)


def test_layers_that_look_alike_are_not_shown_as_changed() -> None:
    rows = changed_rows(changed(zoo.build("resnet18"), "conv1", stride=1))
    assert all(any("→" in cell for cell in row.cells) for row in rows)


def test_markdown_has_the_same_numbers() -> None:
    found = changed(zoo.build("simple-cnn"), "conv1", filters=8)
    text = comparison_markdown(found, ("before", "after"))
    lines = text.splitlines()
    assert lines[0] == "|  | before | after | change |"
    widths = {line.count("|") for line in lines[: lines.index("")]}
    assert widths == {5}
    first, second = (entry.report for entry in found.networks)
    assert f"| parameters | {first.parameters:,} | {second.parameters:,} | " in text
    assert "| conv1 | conv 16, 3×3, same → conv 8, 3×3, same | 16×32×32 → 8×32×32 | 448 → 224 | " in text


def test_branches_that_do_not_align_are_told_below_the_table() -> None:
    x = network("shifted", (1, 8, 8)).conv(4, 1)
    net = x.conv(4, 2, padding="same").add(x).build()
    fields = {node.name: node.field for node in inspect(net).nodes}
    assert misalignments(net, fields) == misalignments(net)
    ((name, told),) = alignment_notes(misalignments(net))
    assert name == "misaligned"
    assert "that meet at add1 look at different places" in told
    # Causal branches begin at different places on purpose.
    assert alignment_notes(misalignments(zoo.build("wavenet"))) == ()
    assert alignment_notes(misalignments(zoo.build("resnet18"))) == ()
