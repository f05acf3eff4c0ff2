"""Folding and collapsing lose nothing: each node is in one row, and sums are those of the network."""

from __future__ import annotations

import csv
import io
import re

import pytest
from rich.console import Console

from striate import zoo
from striate.analysis import Report, inspect
from striate.graph import network
from striate.views.cost_bars import bar_chart, bars_svg, cost_bars
from striate.views.inspection import inspect_tree
from striate.views.outline import outline, unfolded
from striate.views.outline_rows import outline_rows
from striate.views.text_tables import csv_table, markdown_table

NETWORKS = ("simple-cnn", "resnet152", "googlenet", "unet", "densenet121", "efficientnet_b0", "vgg19_bn", "resnet20")


@pytest.fixture(scope="module", params=NETWORKS)
def report(request: pytest.FixtureRequest) -> Report:
    return inspect(zoo.build(request.param))


def test_the_outline_unfolds_to_the_nodes(report: Report) -> None:
    assert tuple(unfolded(outline(report))) == report.nodes


@pytest.mark.parametrize("depth", [1, 2, 3, None])
def test_each_node_is_in_one_row(report: Report, depth: int | None) -> None:
    rows = outline_rows(report, depth)
    assert sorted(node.name for row in rows for node in row.nodes) == sorted(node.name for node in report.nodes)
    assert sum(row.parameters for row in rows) == report.parameters
    assert sum(row.macs for row in rows) == report.macs
    for row in rows:
        size, rest = divmod(len(row.nodes), row.times)
        assert rest == 0
        units = [row.nodes[start : start + size] for start in range(0, len(row.nodes), size)]
        assert len({tuple((n.kind, n.shape, n.parameters, n.macs) for n in unit) for unit in units}) == 1
        if depth == 1 and row.group:
            assert {node.name.split(".")[0] for node in row.nodes} == {row.name} or row.times > 1


def test_the_blocks_of_resnet152() -> None:
    """He et al. 2015, table 1: 3, 8, 36 and 3 blocks; the first of each stage differs in its shortcut."""
    rows = {row.name: row for row in outline_rows(inspect(zoo.build("resnet152")), 2)}
    assert {name: row.times for name, row in rows.items() if row.times > 1} == {
        **{"layer1.1–2": 2, "layer2.1–7": 7, "layer3.1–35": 35, "layer4.1–2": 2}
    }
    block = 1024 * 256 + 256 * 256 * 9 + 256 * 1024 + 2 * (256 + 256 + 1024)  # three convolutions, three batch norms
    assert rows["layer3.1–35"].parameters == 35 * block


def test_what_is_read_from_elsewhere_is_not_folded() -> None:
    """The output of the second block goes to the end: it must stay visible."""
    x = network("read", (4, 8, 8))
    outputs = []
    for block in range(4):
        x = x.conv(4, 3, padding=1, name=f"b.{block}.conv").relu(name=f"b.{block}.relu1").relu(name=f"b.{block}.relu2")
        outputs.append(x)
    plain = {row.name: row.times for row in outline_rows(inspect(x.build()), 2)}
    assert plain == {"input": 1, "b.0–3": 4}
    rows = outline_rows(inspect(x.add(outputs[1]).build()), 2)
    assert [(row.name, row.times) for row in rows[1:]] == [*((f"b.{n}", 1) for n in range(4)), ("add1", 1)]


def test_flat_names_fold_from_the_convolution() -> None:
    x = network("flat", (8, 8, 8))
    for _ in range(5):
        x = x.conv(8, 3, padding=1).batchnorm().relu()
    rows = outline_rows(inspect(x.build()))
    assert [(row.name, row.times) for row in rows] == [
        *(("input", 1), ("conv1–5", 5), ("batchnorm1–5", 5), ("relu1–5", 5))
    ]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_tree_on_a_terminal(report: Report, width: int) -> None:
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False)
    console.print(inspect_tree(report, 2))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= max(width, 60)
    assert f"{report.parameters:,}" in text
    assert f"{report.macs:,}" in text


def test_csv_says_the_numbers_of_the_report(report: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_table(report), newline="")))
    assert len(rows) == len(report.nodes)
    for row, node in zip(rows, report.nodes, strict=True):
        assert (row["name"], row["kind"]) == (node.name, node.kind)
        assert (int(row["parameters"]), int(row["macs"])) == (node.parameters, node.macs)
        assert tuple(map(int, row["shape"].split("x"))) == node.shape
        assert tuple(row["inputs"].split()) == node.inputs
        image = report.input[1:]
        seen = [size if axis.kind == "whole" else axis.size for axis, size in zip(node.field, image, strict=False)]
        assert [int(size) for size in row["field"].split("x") if size] == seen
        assert row["at_most"] == ("" if not seen else str(any(axis.at_most for axis in node.field)).lower())
        assert bool(row["field_without_gates"]) == bool(node.ungated)


@pytest.mark.parametrize("depth", [None, 1, 2])
def test_markdown_adds_up(report: Report, depth: int | None) -> None:
    lines = [line for line in markdown_table(report, depth).splitlines() if line.startswith("|")]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    assert {len(row) for row in cells} == {8}
    counts = [[int(row[place].replace(",", "").replace("–", "0")) for place in (3, 5)] for row in cells[2:-1]]
    assert [sum(column) for column in zip(*counts, strict=True)] == [report.parameters, report.macs]
    assert f"**{report.parameters:,}**" in lines[-1]


def test_bars_are_the_whole(report: Report) -> None:
    for depth in (None, 1):
        bars = cost_bars(report, depth)
        assert sum(bar.parameters for bar in bars) == report.parameters
        assert sum(bar.macs for bar in bars) == report.macs
    assert len(cost_bars(report)) <= 24
    console = Console(file=io.StringIO(), width=200, markup=False, highlight=False)
    console.print(bar_chart(report))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert text.count("\n") == len(cost_bars(report)) + 4


def test_bars_are_as_long_as_their_share() -> None:
    report = inspect(zoo.build("resnet18"))
    lengths = [float(width) for width in re.findall(r'<rect [^>]*width="([0-9.]+)" height="9"', bars_svg(report))]
    bars = cost_bars(report)
    for whole, drawn, counts in (
        (report.parameters, lengths[::2], [bar.parameters for bar in bars]),
        (report.macs, lengths[1::2], [bar.macs for bar in bars]),
    ):
        scale = sum(drawn) / whole
        assert drawn == pytest.approx([count * scale for count in counts], abs=0.05)
