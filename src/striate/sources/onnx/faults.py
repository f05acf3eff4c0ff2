"""The errors of this package, told at the place in the file."""

from __future__ import annotations

from striate.errors import NetworkError, SourceError
from striate.sources.wording import printable

__all__ = ["damaged", "fault", "short", "told"]


def short(text: object, limit: int = 80) -> str:
    """Text of a file that may be anything, on one line, safe to print and not endless.

    >>> short("conv\\n1"), len(short("x" * 500))
    ('conv 1', 80)
    """
    whole = str(text)
    return printable(whole if len(whole) <= limit else whole[: limit - 1] + "…")


def damaged(where: str, got: str) -> SourceError:
    """The file as a whole cannot be read."""
    return SourceError(
        "this is not an ONNX file, or it is cut off or damaged",
        where=where,
        got=short(got, 200),
        needs="a whole .onnx file",
    )


def fault(problem: str, got: object = None, needs: str | None = None, write: str | None = None) -> SourceError:
    """Something is wrong at one operation; whoever reads it adds where."""
    return SourceError(problem, got=None if got is None else short(got, 200), needs=needs, write=write)


def told(error: NetworkError, where: str) -> SourceError:
    """Any error of a network as one of this file, at a place that its reader can find."""
    return SourceError(error.problem, where=where, got=error.got, needs=error.needs, write=error.write)
