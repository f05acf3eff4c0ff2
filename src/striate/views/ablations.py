"""An ablation on a terminal: each trick with what it gains, its interval, and what is to be thought of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rich.console import Group, RenderableType
from rich.text import Text

from striate.units import format_count
from striate.views.safe_text import visible
from striate.views.tables import Column, Grid, GridRow

__all__ = ["AblationLike", "LeavingLike", "ablation_view"]

_STYLES = {"pays": "green", "hurts": "red"}


class LeavingLike(Protocol):
    """A trick that was left out; see :class:`striate.training.ablation.Leaving`."""

    @property
    def trick(self) -> str:
        """As it stands in the recipe."""
        ...

    @property
    def gain(self) -> float:
        """Accuracy with it minus without it."""
        ...

    @property
    def low(self) -> float:
        """Lower end of the interval of the gain."""
        ...

    @property
    def high(self) -> float:
        """Upper end."""
        ...

    @property
    def seconds(self) -> float:
        """Seconds with it minus without it."""
        ...

    @property
    def verdict(self) -> str:
        """What is to be thought of it."""
        ...


class AblationLike(Protocol):
    """Several of them; see :class:`striate.training.ablation.Ablation`."""

    @property
    def seeds(self) -> Sequence[int]:
        """That were trained with."""
        ...

    @property
    def images(self) -> int:
        """Validation images."""
        ...

    @property
    def whole(self) -> Sequence[float]:
        """Accuracy of the whole recipe, by seed."""
        ...

    @property
    def tricks(self) -> Sequence[LeavingLike]:
        """By gain."""
        ...

    @property
    def stopped(self) -> bool:
        """Whether the time ended it."""
        ...


def ablation_view(ablation: AblationLike) -> RenderableType:
    """A line for each trick, by gain; points are per cent of the validation images."""
    columns = [
        Column("trick", flexible=True),
        Column("gain", right=True),
        Column("95 % interval", right=True),
        Column("seconds", right=True),
        Column(""),
    ]
    rows = [
        GridRow(
            (
                Text(visible(entry.trick), "cyan"),
                Text(f"{100 * entry.gain:+.2f}"),
                Text(f"{100 * entry.low:+.2f} to {100 * entry.high:+.2f}", "dim"),
                Text(f"{entry.seconds:+.1f}", "dim"),
                Text(entry.verdict, _STYLES.get(entry.verdict, "")),
            )
        )
        for entry in ablation.tricks
    ]
    mean = sum(ablation.whole) / len(ablation.whole)
    lines = [
        f"whole recipe: {mean:.2%} of {format_count(ablation.images)} validation images, mean of"
        f" {len(ablation.seeds)} seeds",
        "gain: points of accuracy lost without the trick, all others kept; seconds: of training that it costs",
    ]
    if ablation.stopped:
        lines.append("the time ended it before all seeds were trained")
    if len(ablation.tricks) > 1:
        lines.append(f"of {len(ablation.tricks)} intervals at 95 %, about one in twenty misses the true gain by chance")
    return Group(Grid(columns, rows), Text(), *(Text(line) for line in lines))
