"""Options that several verbs share."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.errors import UsageError
from striate.units import Shape, parse_shape

__all__ = ["Classes", "Input", "Json", "Net", "Runs", "read_shape"]

Net = Annotated[
    str,
    typer.Argument(
        help="A zoo name (simple-cnn), a YAML file, a run folder, or inline text such as"
        " 'conv 16 3 same > relu > flatten > dense 10'.",
        show_default=False,
    ),
]
Input = Annotated[
    str | None, typer.Option("--input", help="Another input shape, channels first: 3x64x48.", show_default=False)
]
Classes = Annotated[int | None, typer.Option("--classes", help="Another number of classes.", show_default=False, min=1)]
Json = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]
Runs = Annotated[str, typer.Option("--runs", help="The folder of all runs.")]


def read_shape(text: str | None) -> Shape | None:
    """The shape behind ``--input``.

    Raises:
        UsageError: when it is not one.
    """
    if text is None:
        return None
    try:
        return parse_shape(text)
    except ValueError:
        raise UsageError(
            "this is not a shape", where="--input", got=text, needs="channels and sizes", write="--input 3x64x48"
        ) from None
