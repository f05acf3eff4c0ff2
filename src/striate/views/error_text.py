"""A user's error as text: where, what is wrong, what was got, what is needed, what to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from striate.views.safe_text import visible

if TYPE_CHECKING:
    from striate.errors import StriateError

__all__ = ["error_view"]

_LABELS = (("got", "yellow"), ("needs", ""), ("write", "bold green"))


def error_view(error: StriateError) -> Text:
    """An error with its lines aligned; coloured where the console has colours.

    >>> from striate.errors import SourceError
    >>> print(error_view(SourceError("unknown layer", where="net.yaml:4", got="convv", write="conv")).plain)
    error: net.yaml:4: unknown layer
      got:   convv
      write: conv
    """
    text = Text(overflow="fold")
    text.append("error: ", style="bold red")
    if error.where is not None:
        text.append(f"{visible(error.where)}: ", style="bold")
    text.append(_under(error.problem, "  "))
    for label, style in _LABELS:
        value: str | None = getattr(error, label)
        if value is not None:
            text.append(f"\n  {label + ':':<6} ", style="dim")
            text.append(_under(value, " " * 9), style=style)
    return text


def _under(text: str, indent: str) -> str:
    """Text of several lines, the further ones below the first."""
    return f"\n{indent}".join(visible(text, lines=True).splitlines())
