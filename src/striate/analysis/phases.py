"""Phases: what the units behind an upsampling see, each by itself.

Behind a layer that reads its input at places y·a/b the units differ, and repeat themselves after a whole number of
units: after ``P·b / gcd(P, a)`` where its input repeats itself after P. Branches repeat together after the least common
multiple. So each node's units are described exactly by those of one period.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction

from striate.analysis.axis_field import AxisField, Interval
from striate.graph import Layer
from striate.graph.layer import Reach
from striate.units import Shape

__all__ = ["MOST_PHASES", "joined", "passed"]

#: More phases than this are not followed.
MOST_PHASES = 4096

Phases = tuple[Interval, ...]


def passed(
    field: AxisField, layer: Layer, shapes: tuple[Shape, ...], position: int, axis: int, reach: Reach
) -> Phases | None:
    """What each phase sees behind a layer, as if the map had no ends; None where that is not followed.

    Args:
        field: of what arrives.
        layer: of which output y reads the inputs from ``step·y + low`` to ``step·y + high``.
        shapes: what arrives at it.
        position: which of its inputs is meant.
        axis: along which axis.
        reach: of the layer, there.
    """
    if field.at_most or field.kind == "mixed":
        return None
    step = Fraction(reach.step)
    period = len(field.phases) or 1
    count = period * step.denominator // math.gcd(period, step.numerator) if step else 1
    if count > MOST_PHASES:
        return None
    rising = _rising(field)
    found: list[Interval] = []
    for output in range(count):
        read = layer.interval(shapes, position, axis, output)
        if read is None:
            found.append(None)
            continue
        if not rising and read[0] != read[1]:
            # What all of them see together does not follow from the first and the last.
            return None
        first, last = field.interval(read[0]), field.interval(read[1])
        found.append(None if first is None or last is None else (first[0], last[1]))
    return tuple(found) if any(found) else None


def joined(parts: Sequence[AxisField]) -> Phases | None:
    """What each phase sees of branches with one jump that meet; None where that is not followed.

    >>> joined([AxisField(0, 3, 1), AxisField(-1, 1, 1)])
    ((-1, 3),)
    """
    count = math.lcm(*(len(part.phases) or 1 for part in parts))
    if count > MOST_PHASES or any(part.at_most for part in parts):
        return None
    found: list[Interval] = []
    for unit in range(count):
        seen = [interval for part in parts if (interval := part.interval(unit)) is not None]
        found.append((min(low for low, _ in seen), max(high for _, high in seen)) if seen else None)
    return tuple(found)


def _rising(field: AxisField) -> bool:
    """Whether every unit sees something, which begins and ends no earlier than what the unit before it sees."""
    seen = [interval for unit in range(len(field.phases) + 1) if (interval := field.interval(unit)) is not None]
    in_order = all(a[0] <= b[0] and a[1] <= b[1] for a, b in itertools.pairwise(seen))
    return in_order and None not in field.phases
