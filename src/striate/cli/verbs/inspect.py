"""Show a network's shapes, parameters, MACs and receptive fields, exactly.

Examples:
  striate inspect simple-cnn
  striate inspect net.yaml --input 3x96x96 --json
  striate inspect "conv 16 3 same > relu > maxpool 2 > flatten > dense 10" --layer conv1
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.cli.options import add_json, add_network, read_count, read_shape

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.cli.parser import Parser

__all__ = ["arguments", "command"]


def arguments(parser: Parser) -> None:
    """``NET``, ``--input``, ``--classes``, ``--layer``, ``--json``."""
    add_network(parser)
    parser.options.add_argument("--layer", metavar="NAME", help="derive each number of this layer step by step")
    add_json(parser)


def command(options: Namespace) -> None:
    """The table of a network, or the derivation of one layer."""
    import striate as st
    from striate.cli.output import show, write_plain
    from striate.views import derivation_view, inspect_table, json_text

    graph = st.load(options.net, input=read_shape(options.input), classes=read_count(options.classes, "--classes"))
    if options.layer is None:
        report = st.inspect(graph)
        if options.json:
            write_plain(json_text(report))
        else:
            show(inspect_table(report))
    else:
        derivation = st.derive(graph, options.layer)
        if options.json:
            write_plain(json_text(derivation))
        else:
            show(derivation_view(derivation))
