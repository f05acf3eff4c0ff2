"""``striate inspect weights.pth``: what a file of weights holds, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from rich.console import Group, RenderableType
from rich.text import Text

from striate.units import Shape, format_bytes, format_count, format_shape
from striate.views.safe_text import visible
from striate.views.tables import Column, Grid, GridRow

__all__ = ["CheckpointLike", "checkpoint_view"]

_MOST_METADATA = 20


class CheckpointLike(Protocol):
    """What is shown of :class:`striate.sources.checkpoint.Checkpoint`; views do not import sources."""

    @property
    def path(self) -> str: ...  # noqa: D102
    @property
    def format(self) -> str: ...  # noqa: D102
    @property
    def file_bytes(self) -> int: ...  # noqa: D102
    @property
    def tensors(self) -> Sequence[Any]: ...  # noqa: D102
    @property
    def metadata(self) -> Sequence[tuple[str, str]]: ...  # noqa: D102
    @property
    def imports(self) -> Sequence[Any]: ...  # noqa: D102
    @property
    def unexpected(self) -> Sequence[Any]: ...  # noqa: D102
    @property
    def notes(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def guesses(self) -> Sequence[Any]: ...  # noqa: D102
    @property
    def count(self) -> int: ...  # noqa: D102
    @property
    def bytes(self) -> int: ...  # noqa: D102


def checkpoint_view(checkpoint: CheckpointLike) -> RenderableType:
    """Its tensors as a table; then what it fits, what it would import, and what is odd about it.

    Args:
        checkpoint: as :func:`striate.sources.checkpoint.read_checkpoint` returns it.
    """
    parts: list[RenderableType] = [_table(checkpoint), Text("")]
    parts += [Text.assemble((f"{name:<10}", "bold"), visible(text)) for name, text in _facts(checkpoint)]
    parts += [Text.assemble((f"{'note':<10}", "yellow"), visible(note)) for note in checkpoint.notes]
    if checkpoint.unexpected:
        parts.append(Text(""))
        parts.append(Text("Loading this file with pickle would run what no tensor needs:", "bold red"))
        for entry in checkpoint.unexpected:
            place = f" (in {entry.where})" if entry.where else ""
            parts.append(
                Text(f"  {visible(entry.name)}{' is called' if entry.called else ' is imported'}{place}", "red")
            )
    return Group(*parts)


def _table(checkpoint: CheckpointLike) -> Grid:
    columns = (Column("tensor", flexible=True), Column("type"), Column("shape", right=True), Column("size", right=True))
    rows = []
    for tensor in checkpoint.tensors:
        name = f"{tensor.group}: {tensor.name}" if tensor.group else tensor.name
        texts = (tensor.dtype, _sizes(tensor.shape), format_bytes(tensor.bytes))
        rows.append(GridRow((Text(visible(name), "cyan"), *(Text(visible(text)) for text in texts))))
    return Grid(columns, rows)


def _sizes(shape: Shape) -> str:
    return format_shape(shape) if shape else "one number"


def _facts(checkpoint: CheckpointLike) -> list[tuple[str, str]]:
    total = f"{format_count(len(checkpoint.tensors))} tensors, {format_count(checkpoint.count)} numbers"
    facts = [
        ("file", f"{checkpoint.path}, {format_bytes(checkpoint.file_bytes)}, {checkpoint.format}"),
        ("total", f"{total}, {format_bytes(checkpoint.bytes)}"),
    ]
    facts += [("network", text) for text in _guessed(checkpoint.guesses)]
    expected = len(checkpoint.imports) - len(checkpoint.unexpected)
    if checkpoint.imports:
        facts.append(("imports", f"{expected} that PyTorch's tensors need, {len(checkpoint.unexpected)} others"))
    facts += [("metadata", f"{key}: {value}") for key, value in checkpoint.metadata[:_MOST_METADATA]]
    if len(checkpoint.metadata) > _MOST_METADATA:
        facts.append(("metadata", f"{len(checkpoint.metadata) - _MOST_METADATA} more; --json has all"))
    return facts


def _guessed(guesses: Sequence[Any]) -> list[str]:
    if not guesses:
        return ["none of the zoo's"]
    first = guesses[0]
    names = " or ".join(guess.network for guess in guesses[:4])
    classes = f", {first.classes} classes" if first.classes is not None else ""
    group = f", in {first.group}" if first.group else ""
    prefix = f", behind {first.prefix!r}" if first.prefix else ""
    channels = f", {first.channels} channel{'s' if first.channels != 1 else ''} in"
    how = {
        "names": "every name and shape fits",
        "shapes": "the shapes fit, under other names",
        "part": f"{first.matched} of {first.count} tensors fit",
    }[first.fit]
    return [f"{names}: {how}{classes}{channels}{prefix}{group}", *(f"  {text}" for text in first.differences)]
