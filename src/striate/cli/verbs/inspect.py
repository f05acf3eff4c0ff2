"""Show a network's shapes, parameters, MACs and receptive fields, exactly.

Examples:
  striate inspect simple-cnn
  striate inspect net.yaml --input 3x96x96 --json
  striate inspect "conv 16 3 same > relu > maxpool 2 > flatten > dense 10" --layer conv1
  striate inspect resnet152 --depth 2
  striate inspect model.py:Net --input 3x224x224 --kwargs width=64
  striate inspect resnet18 --unit layer2.0.relu2:10,10
  striate inspect resnet18 --set conv1.stride=1 --max-macs 2G
  striate inspect resnet50 --memory --batch 32 --fit 8GiB --depth 1
  striate inspect resnet50 --count-like fvcore
  striate inspect net.onnx --input 3x224x224
  striate inspect weights.pth
  striate inspect resnet152 --format html -o resnet152.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.cli.checkpoint_files import show_checkpoint
from striate.cli.inspect_budgets import check_budgets
from striate.cli.inspect_options import add_inspect_options, check_options, load_network, show_asked
from striate.cli.options import add_json, add_kwargs, add_network, read_count
from striate.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.analysis import Report
    from striate.cli.parser import Parser
    from striate.graph import Graph

__all__ = ["arguments", "command"]

FORMATS = ("table", "bars", "markdown", "csv", "html", "svg", "mermaid")


def arguments(parser: Parser) -> None:
    """``NET``, ``--input``, ``--classes``, ``--layer``, ``--format``, ``--depth``, ``--output``, ``--json``."""
    add_network(parser)
    add_kwargs(parser)
    parser.options.add_argument("--layer", metavar="NAME", help="derive each number of this layer step by step")
    parser.options.add_argument("--format", choices=FORMATS, help=f"one of {', '.join(FORMATS)} [table]")
    parser.options.add_argument(
        "--depth", metavar="N", help="collapse to N parts of the names (layer1.0.conv1 has 3) and fold equal blocks"
    )
    parser.options.add_argument("-o", "--output", metavar="FILE", help="write into this file")
    add_json(parser)
    add_inspect_options(parser)


def command(options: Namespace) -> None:
    """The table of a network, or the derivation of one layer."""
    import striate as st
    from striate.cli.output import deliver, show, write_plain
    from striate.views import derivation_view, json_text

    if show_checkpoint(options):
        return
    check_options(options)
    graph = load_network(options)
    if show_asked(options, graph):
        return
    if options.layer is None:
        report = st.inspect(graph)
        deliver(json_text(report) if options.json else _formatted(graph, report, options), options.output)
    else:
        derivation = st.derive(graph, options.layer)
        if options.json:
            write_plain(json_text(derivation))
        else:
            show(derivation_view(derivation))
    check_budgets(options, graph)


def _formatted(graph: Graph, report: Report, options: Namespace) -> str:
    """The network in the format that was asked for."""
    from striate import views
    from striate.analysis.alignment import misalignments
    from striate.cli.output import printed
    from striate.views.inspect_rows import alignment_notes

    depth = read_count(options.depth, "--depth")
    notes = alignment_notes(misalignments(graph, {node.name: node.field for node in report.nodes if node.field}))
    if options.format in (None, "table"):
        table = views.inspect_table(report, notes) if depth is None else views.inspect_tree(report, depth, notes)
        return printed(table, options.output)
    if options.format == "bars":
        return printed(views.bar_chart(report, depth), options.output)
    if options.format == "csv":
        if depth is not None:
            raise UsageError(
                "CSV has one line for each node", got=f"--depth {depth}", write="--format markdown --depth 2"
            )
        return views.csv_table(report)
    if options.format in ("svg", "mermaid"):
        return (views.svg_diagram if options.format == "svg" else views.mermaid_diagram)(report, depth)
    return (views.markdown_table if options.format == "markdown" else views.network_page)(report, depth, notes)
