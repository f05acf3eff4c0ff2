"""Show a network's exact numbers: shapes, parameters, MACs, receptive fields."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli.options import Classes, Input, Json, Net, read_shape

__all__ = ["command"]


def command(
    net: Net,
    input: Input = None,
    classes: Classes = None,
    layer: Annotated[
        str | None,
        typer.Option("--layer", help="Derive each number of this layer step by step.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Show a network's exact numbers: shapes, parameters, MACs, receptive fields. No weights needed."""
    import striate as st
    from striate.cli.output import show, write_plain
    from striate.views import derivation_view, inspect_table, json_text

    graph = st.load(net, input=read_shape(input), classes=classes)
    if layer is not None:
        derivation = st.derive(graph, layer)
        if json:
            write_plain(json_text(derivation.as_dict()))
        else:
            show(derivation_view(derivation))
        return
    report = st.inspect(graph)
    if json:
        write_plain(json_text(report.as_dict()))
    else:
        show(inspect_table(report))
