"""``striate inspect NET --advice``: which input sizes fit, and branches that do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from striate.graph.layer import Rational, axis_names
from striate.units import format_shape
from striate.views.safe_text import visible
from striate.views.tables import Facts

if TYPE_CHECKING:
    from striate.analysis.advice import AxisAdvice, SizeAdvice
    from striate.analysis.alignment import Misalignment
    from striate.analysis.sizing import Misfit

__all__ = ["advice_view"]

#: So many layers are named.
_NAMED = 6


def advice_view(advice: SizeAdvice, misaligned: Sequence[Misalignment] = ()) -> RenderableType:
    """Input sizes that fit a network, and branches of it that look at different places.

    Args:
        advice: as :func:`striate.analysis.advice.advise` returns it.
        misaligned: as :func:`striate.analysis.alignment.misalignments` returns it.

    >>> from striate import zoo
    >>> from striate.analysis.advice import advise
    >>> from striate.views import make_console
    >>> make_console().print(advice_view(advise(zoo.build("simple-cnn"))))
    simple-cnn: input 3×32×32
    <BLANKLINE>
    height and width
    now            32: every layer reads every pixel, and all padding is even
    fitting        24, 28, 32, 36, 40
    smallest       4
    useful up to   any size: dense1 joins all that the units of maxpool2, the last map before the head, see
    one unit       of maxpool2 sees 10 pixels
    <BLANKLINE>
    branches       wherever branches meet, they look at the same places
    """
    return _AdviceView(advice, misaligned)


class _AdviceView:
    def __init__(self, advice: SizeAdvice, misaligned: Sequence[Misalignment]) -> None:
        self.advice = advice
        self.misaligned = misaligned

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        advice = self.advice
        yield Text.assemble((visible(advice.network), "bold"), f": input {format_shape(advice.input)}")
        for axis in advice.axes:
            yield Text()
            yield Text(_listed(axis.axes), style="bold")
            yield Facts((f"{name:<13}", text) for name, text in _facts(axis, advice))
        yield Text()
        yield Facts([("branches     ", text) for text in _branches(self.misaligned, len(advice.input) - 1)])


def _facts(axis: AxisAdvice, advice: SizeAdvice) -> Iterator[tuple[str, str]]:
    aside = ", gates left aside" if advice.gates else ""
    yield "now", f"{axis.size}: {_judged(axis.misfits)}"
    yield "fitting", _sizes(axis.even) or f"none near {axis.size} drops no pixel and pads evenly in every layer"
    if axis.whole != axis.even:
        yield "no pixel lost", (_sizes(axis.whole) or f"none near {axis.size}")
    yield "smallest", str(axis.smallest) + ("" if axis.scanned else " (found by bisection; smaller ones may run too)")
    if axis.useful is None:
        yield "useful up to", f"any size: {axis.reason}"
        if axis.sees is not None:
            seen = _pixels(axis.sees, len(advice.input) - 1)
            yield "one unit", f"of {advice.head} sees {seen}{aside}"
    else:
        yield (
            "useful up to",
            f"{axis.useful}: what one unit of {advice.head} sees before the head{aside}; "
            "in a larger image none of its units sees the whole, and the head only pools them",
        )


def _judged(misfits: tuple[Misfit, ...]) -> str:
    if not misfits:
        return "every layer reads every pixel, and all padding is even"
    parts = []
    for kind, meaning in (
        ("dropped", "the last pixels of what arrives are never read at"),
        ("uneven", "padding is used unevenly at"),
        ("bins", "bins of unequal size at"),
    ):
        names = list(dict.fromkeys(entry.node for entry in misfits if entry.kind == kind))
        if names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            parts.append(f"{meaning} {', '.join(names[:_NAMED])}{more}")
    return "; ".join(parts)


def _branches(misaligned: Sequence[Misalignment], rank: int) -> Iterator[str]:
    if not misaligned:
        yield "wherever branches meet, they look at the same places"
    causal = list(dict.fromkeys(entry.node for entry in misaligned if entry.causal))
    if causal:
        more = f" and {len(causal) - _NAMED} more" if len(causal) > _NAMED else ""
        merges = f"at {', '.join(causal[:_NAMED])}{more} the branches"
        yield f"{merges} end at one place and begin at others, as causal convolutions make them"
    apart = _by_place([entry for entry in misaligned if not entry.causal])
    for entry, axes in apart[:_NAMED]:
        ends = ", ".join(f"{branch.source} (centre {branch.centre}, jump {branch.jump})" for branch in entry.branches)
        drift = f", {entry.drift} more with each unit" if entry.drift else ""
        names = _listed([axis_names(rank)[axis] for axis in axes])
        yield f"{entry.node}, {names}: centres {_pixels(entry.centre, rank)} apart{drift}: {ends}"
    if len(apart) > _NAMED:
        yield f"and {len(apart) - _NAMED} more"


def _by_place(misaligned: Sequence[Misalignment]) -> list[tuple[Misalignment, list[int]]]:
    """Each misalignment once, with the axes along which it is the same."""
    found: dict[tuple[object, ...], tuple[Misalignment, list[int]]] = {}
    for entry in misaligned:
        found.setdefault((entry.node, entry.branches), (entry, []))[1].append(entry.axis)
    return list(found.values())


def _pixels(count: Rational, rank: int) -> str:
    """A number of pixels; along a single axis, which may be sound, of places."""
    one = "place" if rank == 1 else "pixel"
    return f"{count} {one}" if count == 1 else f"{count} {one}s"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _sizes(sizes: Sequence[int]) -> str:
    return ", ".join(map(str, sizes))
