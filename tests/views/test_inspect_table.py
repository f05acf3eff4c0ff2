"""The inspect table says what the report says, at every width."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from striate import zoo
from striate.analysis import AxisField, NodeReport, Report, inspect
from striate.graph import Graph, network
from striate.units import format_count, format_shape
from striate.views.inspect_rows import field_words, inspect_rows
from striate.views.inspection import inspect_table
from striate.views.layer_wording import layer_words, report_words

Show = Callable[..., str]


def table_lines(text: str) -> tuple[str, list[str], str]:
    """Header, rows (descriptions between them left out) and the line of totals."""
    lines = text.splitlines()
    rules = [number for number, line in enumerate(lines) if line and set(line) == {"─"}]
    assert len(rules) == 2, text
    rows = [line for line in lines[rules[0] + 1 : rules[1]] if not line.startswith("  ")]
    return lines[rules[0] - 1], rows, lines[rules[1] + 1]


def column(header: str, line: str, title: str) -> str:
    """The entry of a column that is aligned to the right: what ends where its title ends."""
    found = re.search(r"(\S+)$", line[: header.index(title) + len(title)])
    assert found, (header, line)
    return found[1]


def number(entry: str) -> int:
    return 0 if entry == "–" else int(entry.replace(",", ""))


@pytest.mark.parametrize("width", [72, 80, 100, 120, 10_000])
def test_columns_add_up_to_the_totals(show: Show, residual: Graph, width: int) -> None:
    for report in (inspect(residual), inspect(zoo.build("simple-cnn")), inspect(zoo.build("lenet-5"))):
        header, rows, total = table_lines(show(inspect_table(report), width))
        assert len(rows) == len(report.nodes)
        for title, whole in (("parameters", report.parameters), ("MACs", report.macs)):
            entries = [number(column(header, row, title)) for row in rows]
            assert sum(entries) == whole
            assert number(column(header, total, title)) == whole
        for row, node in zip(rows, report.nodes, strict=True):
            assert row.split()[0] == node.name
            assert column(header, row, "output") == format_shape(node.shape)
            assert number(column(header, row, "parameters")) == node.parameters
            assert number(column(header, row, "MACs")) == node.macs


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 120, 200])
def test_nothing_is_cut_off_and_no_line_is_too_long(show: Show, residual: Graph, width: int) -> None:
    report = inspect(residual)
    text = show(inspect_table(report), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    squeezed = re.sub(r"\s", "", text)
    for node, words in zip(report.nodes, report_words(report), strict=True):
        assert node.name in squeezed
        assert all(word in squeezed for word in words.split())


def test_no_line_ends_in_spaces(show: Show, residual: Graph) -> None:
    for width in (80, 120, 500):
        assert not [
            line for line in show(inspect_table(inspect(residual)), width).splitlines() if line != line.rstrip()
        ]


def test_without_colours_there_are_no_escapes(show: Show) -> None:
    report = inspect(zoo.build("simple-cnn"))
    assert "\x1b" not in show(inspect_table(report))
    coloured = show(inspect_table(report), colour=True)
    assert "\x1b" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == show(inspect_table(report))


def test_the_notes_below(show: Show) -> None:
    report = inspect(zoo.build("simple-cnn"))
    text = show(inspect_table(report))
    assert f"{format_count(268650)} = 1.0 MiB of weights as float32" in text  # 268,650 · 4 / 2²⁰ = 1.02
    assert text.count("FLOPs = 2 × MACs") == 1
    assert "every output sees the whole image" in text
    assert "shares of the totals are left out" not in text


def test_left_out_shares_are_said(show: Show, residual: Graph) -> None:
    report = inspect(residual)
    text = show(inspect_table(report), 80)
    (needed,) = re.findall(r"shares of the totals are left out: (\d+) columns show them", text)
    header, _, _ = table_lines(show(inspect_table(report), int(needed)))
    assert header.count("share") == 2
    assert table_lines(show(inspect_table(report), int(needed) - 1))[0].count("share") == 0


def test_shares_add_up_to_the_whole(residual: Graph) -> None:
    shares = [row.parameters_share for row in inspect_rows(inspect(residual)) if row.parameters != "–"]
    assert sum(float(share.removesuffix(" %")) for share in shares) == pytest.approx(100, abs=0.05 * len(shares))


def test_uncounted_nodes_are_named(show: Show) -> None:
    nodes = (
        NodeReport("input", "input", {"shape": (3, 8, 8)}, (), (3, 8, 8), 0, 0, ()),
        NodeReport("fft", "opaque", {"operation": "fft2"}, ("input",), (3, 8, 8), 0, 0, ()),
    )
    text = show(inspect_table(Report("odd", (3, 8, 8), (3, 8, 8), nodes)))
    assert "uncounted" in text
    assert "fft: no layer describes them, so the totals are lower bounds" in " ".join(text.split())
    assert "the output does not depend on the image" in text


@pytest.mark.parametrize(
    ("field", "image", "words"),
    [
        ((AxisField(-2, 2, 1), AxisField(-2, 2, 1)), (3, 32, 32), "5×5"),
        ((AxisField(-2, 2, 1), AxisField(-3, 3, 1)), (3, 32, 32), "5×7"),
        ((AxisField(-2, 2, 2),), (1, 100), "5"),
        ((AxisField(-1, 1, 1),) * 3, (1, 9, 9, 9), "3×3×3"),
        ((AxisField(-1, 40, 0, "whole"),) * 2, (3, 32, 32), "whole"),
        ((AxisField(0, 29, 0, "whole"),) * 2, (3, 32, 32), "30×30"),
        ((AxisField(-9, 40, 0, "mixed"),) * 2, (3, 32, 32), "≤50×50"),
        ((), (3, 32, 32), "–"),
    ],
)
def test_receptive_fields_in_words(field: tuple[AxisField, ...], image: tuple[int, ...], words: str) -> None:
    assert field_words(field, image) == words


def test_layers_in_words() -> None:
    x = network("words", (3, 32, 32))
    x = x.conv(8, (3, 5), padding=(1, 2), name="a").conv(16, 3, stride=2, padding=((0, 1), 1), groups=8, bias=False)
    x = x.conv(16, 3, padding="same", groups=4, padding_mode="reflect", dilation=2)
    x = x.maxpool(3, stride=2, padding=1, ceil_mode=True).avgpool(2, count_include_pad=False)
    y = x.upsample(2, "linear").batchnorm(epsilon=0.001).leakyrelu()
    y = y.conv(16, 1, stride=2).add(x).globalavgpool(keep=True).flatten().dropout().dense(5, bias=False)
    assert list(report_words(inspect(y.build()))) == [
        "image",
        "conv 8, 3×5, padding 1×2",
        "conv 16, 3×3, stride 2, padding (0+1)×1, depthwise, no bias",
        "conv 16, 3×3, same, dilation 2, groups 4, reflect padding",
        "maxpool 3×3, stride 2, padding 1, ceil mode",
        "avgpool 2×2, padding not counted",
        "upsample 2×2, linear",
        "batchnorm, epsilon 0.001",
        "leakyrelu 0.01",
        "conv 16, 1×1, stride 2",
        "add of conv3, avgpool1",
        "globalavgpool keep",
        "flatten",
        "dropout 0.5",
        "dense 5, no bias",
    ]


def test_what_a_node_reads_is_said_where_it_is_not_the_one_before() -> None:
    x = network("branch", (3, 8, 8)).conv(4, 1, name="stem")
    left = x.conv(4, 1, name="left")
    net = left.concat(x.conv(4, 1, name="right")).build()
    assert report_words(inspect(net))[3:] == ("conv 4, 1×1, from stem", "concat of left, right")


def test_a_layer_that_is_not_known_is_described_all_the_same() -> None:
    assert (
        layer_words("opaque", {"operation": "aten.fft", "count": 3, "flag": True}, 2)
        == "opaque, aten.fft, count 3, flag"
    )


def test_one_dimension(show: Show) -> None:
    report = inspect(network("audio", (1, 1000)).conv(8, 5, stride=2).maxpool(2).globalavgpool().dense(2).build())
    text = show(inspect_table(report))
    header, rows, _ = table_lines(text)
    assert [column(header, row, "field") for row in rows] == ["1", "5", "7", "999", "999"]
    assert "conv 8, 5, stride 2" in text
