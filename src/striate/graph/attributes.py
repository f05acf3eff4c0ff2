"""Checks and canonical forms of layer attributes.

A per-axis attribute is stored in its shortest form: one number when all axes agree, else a tuple. So ``kernel=(3, 3)``
and ``kernel=3`` are the same layer, and text and layer translate into each other without loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate.errors import LayerError, ShapeError, near_miss
from striate.units import Shape, format_shape

__all__ = [
    "Pads",
    "Sizes",
    "check_choice",
    "check_count",
    "check_flag",
    "check_number",
    "check_pads",
    "check_sizes",
    "fill",
    "need_spatial",
    "per_axis",
    "per_axis_pads",
]

Sizes = int | tuple[int, ...]
Pads = str | int | tuple[int | tuple[int, int], ...]


def fill(layer: object, **values: object) -> None:
    """Store checked values in a frozen dataclass, from its ``__post_init__``."""
    for name, value in values.items():
        object.__setattr__(layer, name, value)


def _wrong(kind: str, attribute: str, value: object, needs: str, write: str) -> LayerError:
    return LayerError(
        f"{kind} cannot use this {attribute}", got=f"{attribute}: {value!r}", needs=needs, write=f"{attribute}: {write}"
    )


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def check_count(kind: str, attribute: str, value: Any, *, minimum: int = 1) -> int:
    """A whole number of at least ``minimum``."""
    if not _is_int(value) or value < minimum:
        # 1e3 is 1000.0 in YAML, and meant as the number.
        meant = int(value) if isinstance(value, float) and abs(value) < 1e15 else 0
        needs = f"a whole number of at least {minimum}"
        raise _wrong(kind, attribute, value, needs, str(max(minimum, 1, meant)))
    return int(value)


def check_number(
    kind: str, attribute: str, value: Any, *, low: float, high: float | None = None, below: bool = False
) -> float:
    """A finite number from ``low`` to ``high`` (``below``: high itself excluded)."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and value == value and value >= low
    if good and high is not None:
        good = value < high if below else value <= high
    if not good or value in (float("inf"), float("-inf")):
        bound = f"at least {low}" if high is None else f"from {low} to {'below ' if below else ''}{high}"
        example = low if high is None else (low + high) / 2
        raise _wrong(kind, attribute, value, f"a number {bound}", f"{example:g}")
    return float(value)


def check_flag(kind: str, attribute: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise _wrong(kind, attribute, value, "true or false", "true")
    return value


def check_choice(kind: str, attribute: str, value: Any, choices: Sequence[str]) -> str:
    """One of a few words."""
    if value not in choices:
        hint = near_miss(value, choices) if isinstance(value, str) else None
        raise _wrong(kind, attribute, value, f"one of {', '.join(choices)}", hint or choices[0])
    return str(value)


def check_sizes(kind: str, attribute: str, value: Any, *, minimum: int = 1) -> Sizes:
    """One whole number for all axes, or one for each; returned in the shortest form."""
    if _is_int(value) and value >= minimum:
        return int(value)
    if isinstance(value, (list, tuple)) and 1 <= len(value) <= 3 and all(_is_int(v) and v >= minimum for v in value):
        sizes = tuple(int(v) for v in value)
        return sizes[0] if len(set(sizes)) == 1 else sizes
    example = max(minimum, 1)
    needs = f"a whole number of at least {minimum}, or one for each axis"
    raise _wrong(kind, attribute, value, needs, f"{example} or [{example}, {example}]")


def check_pads(kind: str, attribute: str, value: Any, words: Sequence[str]) -> Pads:
    """Padding: a word, one number, one for each axis, or a (before, after) pair for each axis; shortest form."""
    if isinstance(value, str) and value in words:
        return value
    if _is_int(value) and value >= 0:
        return int(value)
    if isinstance(value, (list, tuple)) and 1 <= len(value) <= 3:
        entries: list[int | tuple[int, int]] = []
        for entry in value:
            if _is_int(entry) and entry >= 0:
                entries.append(int(entry))
            elif isinstance(entry, (list, tuple)) and len(entry) == 2 and all(_is_int(e) and e >= 0 for e in entry):
                before, after = int(entry[0]), int(entry[1])
                entries.append(before if before == after else (before, after))
            else:
                break
        else:
            if len(set(entries)) == 1 and isinstance(entries[0], int):
                return entries[0]
            return tuple(entries)
    hint = near_miss(value, words) if isinstance(value, str) else None
    numbers = "a whole number of at least 0, one for each axis, or [before, after] for each axis"
    needs = ", ".join([*words, numbers])
    raise _wrong(kind, attribute, value, needs, hint or ("same" if "same" in words else "0"))


def per_axis(kind: str, attribute: str, value: Sizes, rank: int) -> tuple[int, ...]:
    """One number for each spatial axis.

    Raises:
        ShapeError: when the attribute lists another number of axes than the input has.
    """
    if isinstance(value, int):
        return (value,) * rank
    if len(value) != rank:
        raise _wrong_rank(kind, attribute, value, rank)
    return value


def per_axis_pads(kind: str, attribute: str, value: Pads, rank: int) -> tuple[tuple[int, int], ...]:
    """A (before, after) pair for each spatial axis, from a padding that is not a word."""
    if isinstance(value, int):
        return ((value, value),) * rank
    if isinstance(value, str):
        raise TypeError(f"padding {value!r} is a word")
    if len(value) != rank:
        raise _wrong_rank(kind, attribute, value, rank)
    return tuple((entry, entry) if isinstance(entry, int) else entry for entry in value)


def _wrong_rank(kind: str, attribute: str, value: tuple[object, ...], rank: int) -> ShapeError:
    return ShapeError(
        f"{kind} lists its {attribute} for {len(value)} axes, but its input has {rank}",
        got=f"{attribute}: {list(value)}",
        needs=f"one number, or {rank}",
        write=f"{attribute}: {value[0] if isinstance(value[0], int) else list(value[:1])}",
    )


def need_spatial(kind: str, shape: Shape) -> int:
    """The number of spatial axes of an input that must have one to three of them."""
    rank = len(shape) - 1
    if not 1 <= rank <= 3:
        raise ShapeError(
            f"{kind} needs a map with spatial axes",
            got=format_shape(shape) + (" (a vector)" if rank == 0 else ""),
            needs="channels and one to three spatial axes, such as 16×32×32",
            write=f"put {kind} before flatten or global pooling",
        )
    return rank
