"""AxisField: which pixels of the image the units of one node see along one axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from striate.graph.layer import Rational

__all__ = ["AxisField", "Interval", "plain_rational"]

#: First and last pixel; None for a unit that reads nothing.
Interval = tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class AxisField:
    """The receptive field along one axis of the image.

    Args:
        low: first pixel that unit 0 sees; negative when it reaches into the padding.
        high: last pixel that unit 0 sees. Where there are phases, ``low`` and ``high`` lie around what all of them see.
        jump: how many pixels the field moves from one unit to the next (the effective stride); 0 when every unit
            sees the same.
        kind: ``local`` (the interval is that of each unit), ``whole`` (a layer that reads its whole input came
            before, alone or through a gate) or ``mixed`` (branches with different jumps met; the interval is the hull
            over all units).
        at_most: whether single units may see less than the interval, and how much less is not followed: the phases
            behind an upsampling are too many, or some of its units read nothing.
        phases: behind an upsampling, or bins of unequal size, where units differ: what each of units 0 to P - 1 sees.
            Unit y sees what unit y mod P sees, moved by P·jump pixels as often as P fits into y.
    """

    low: Rational
    high: Rational
    jump: Rational
    kind: Literal["local", "whole", "mixed"] = "local"
    at_most: bool = False
    phases: tuple[Interval, ...] = ()

    @property
    def size(self) -> int:
        """How many pixels a unit sees, padding counted as pixels; the unit that sees most, where they differ."""
        if self.phases:
            return max(last - first + 1 for first, last in filter(None, self.phases))
        return math.floor(self.high - self.low) + 1

    def covers(self, size: int) -> bool:
        """Whether every unit sees the whole axis of ``size`` pixels."""
        return self.jump == 0 and self.low <= 0 and self.high >= size - 1

    def interval(self, unit: int) -> Interval:
        """First and last pixel that a unit sees, padding counted as pixels; None where it reads nothing.

        >>> AxisField(-1, 1, 2).interval(3)
        (5, 7)
        """
        if not self.phases:
            return math.ceil(self.low + unit * self.jump), math.floor(self.high + unit * self.jump)
        periods, phase = divmod(unit, len(self.phases))
        seen = self.phases[phase]
        moved = int(periods * len(self.phases) * self.jump)
        return None if seen is None else (seen[0] + moved, seen[1] + moved)

    def at(self, unit: int, size: int) -> tuple[int, int]:
        """First and last pixel of a unit's field, cut to an image of ``size`` pixels."""
        low, high = self.interval(unit) or (1, 0)
        return max(low, 0), min(high, size - 1)

    def unit_covers(self, size: int, units: int) -> bool:
        """Whether one of ``units`` units sees the whole axis of ``size`` pixels.

        >>> AxisField(-8, 8, 4).unit_covers(9, 3), AxisField(-8, 8, 4).unit_covers(18, 3)
        (True, False)
        """
        if self.size < size or self.kind == "mixed":
            return False
        intervals = (self.interval(unit) for unit in range(units))
        return any(seen is not None and seen[0] <= 0 and seen[1] >= size - 1 for seen in intervals)

    def as_dict(self) -> dict[str, Any]:
        """The field as JSON-ready data; fractions as ``"1/2"``."""
        return {
            "size": self.size,
            "jump": plain_rational(self.jump),
            "low": plain_rational(self.low),
            "high": plain_rational(self.high),
            "kind": self.kind,
            "at_most": self.at_most,
        }


def plain_rational(value: Rational) -> int | str:
    """A number as JSON can hold it.

    >>> from fractions import Fraction
    >>> plain_rational(Fraction(4, 2)), plain_rational(Fraction(-1, 2))
    (2, '-1/2')
    """
    return int(value) if value.denominator == 1 else str(value)
