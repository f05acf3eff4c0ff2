"""The quantities by which networks are compared, a row of text for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from striate.units import format_bytes, format_count, format_shape, format_share
from striate.views.inspect_rows import field_words, output_words

if TYPE_CHECKING:
    from striate.analysis.comparison import Summary

__all__ = ["comparison_notes", "quantity_rows"]


def quantity_rows(networks: Sequence[Summary]) -> Iterator[tuple[str, ...]]:
    """A quantity in each row: its name, its value for each network, and for two networks the change.

    With more networks each value beside the first has in brackets how much that is of the first one's.
    """
    two = len(networks) == 2
    yield _words("input", [format_shape(entry.report.input) for entry in networks], two)
    yield _words("output", [output_words(entry.report) for entry in networks], two)
    yield _few("layers", [entry.layers for entry in networks], two)
    yield _few("depth", [entry.depth for entry in networks], two)
    yield _numbers("parameters", [entry.report.parameters for entry in networks], two)
    yield _numbers("MACs", [entry.report.macs for entry in networks], two)
    yield _numbers("MACs to train", [entry.training_macs for entry in networks], two)
    yield _numbers("memory to run", [entry.memory for entry in networks], two, as_bytes=True)
    yield _numbers("memory to train", [entry.training_memory for entry in networks], two, as_bytes=True)
    fields = [
        (field_words(entry.field, entry.report.input), field_words(entry.end, entry.report.input)) for entry in networks
    ]
    yield _words("receptive field", [end for _, end in fields], two)
    if any(before != end for before, end in fields):
        yield _words("before the head", [before for before, _ in fields], two)


def comparison_notes(networks: Sequence[Summary], first: str) -> Iterator[tuple[str, str]]:
    """What the rows mean, by name.

    Args:
        networks: those that are compared.
        first: what the first one is called.
    """
    yield "depth", "weighted layers on the longest way through"
    yield "memory", "at the peak, one image, float32, weights included; to train: with AdamW"
    yield "receptive field", "of the output; before the head: of the last map that is not read as a whole yet"
    if len(networks) > 2:
        yield "in brackets", f"how much it is of {first}'s"
    uncounted = sorted({name for entry in networks for name in entry.report.uncounted})
    if uncounted:
        yield "uncounted", f"{', '.join(uncounted)}: no layer describes them, so the totals are lower bounds"


def _words(name: str, values: list[str], two: bool) -> tuple[str, ...]:
    return (name, *values, *(("=" if values[0] == values[1] else "differs",) if two else ()))


def _few(name: str, values: list[int], two: bool) -> tuple[str, ...]:
    """Counts so small that a share says nothing."""
    change = (values[1] - values[0]) if two else 0
    return (name, *map(str, values), *((f"{change:+d}".replace("-", "−") if change else "=",) if two else ()))


def _numbers(name: str, values: list[int], two: bool, as_bytes: bool = False) -> tuple[str, ...]:
    show = format_bytes if as_bytes else format_count
    if two:
        return name, show(values[0]), show(values[1]), _change(values[0], values[1], as_bytes)
    first, *others = values
    return name, show(first), *(f"{show(value)}{_of_first(value, first)}" for value in others)


def _of_first(value: int, first: int) -> str:
    if first == 0:
        return ""
    return f" ({format_share(value, first)})" if value < 2 * first else f" ({_times(value, first)})"


def _times(value: int, first: int) -> str:
    ratio = value / first
    return f"×{ratio:,.0f}" if ratio >= 100 else f"×{ratio:.3g}"


def _change(before: int, after: int, as_bytes: bool) -> str:
    if before == after:
        return "="
    sign, amount = ("+" if after > before else "−"), abs(after - before)
    shown = format_bytes(amount) if as_bytes else format_count(amount)
    if before == 0:
        return f"{sign}{shown}"
    if after >= 2 * before:
        return f"{sign}{shown} ({_times(after, before)})"
    return f"{sign}{shown} ({sign}{format_share(amount, before)})"
