"""The arithmetic of resampling: which inputs each output of a resized axis reads.

An axis of n pixels becomes one of m. With the ratio n / m, output y stands at the source place

- ``nearest``: floor(y · n / m);
- ``linear``, pixel centres aligned: (y + 1/2) · n / m - 1/2, between its two neighbours, cut off at the edges;
- ``linear``, corners aligned: y · (n - 1) / (m - 1), between its two neighbours.

These are PyTorch's definitions, computed here in whole numbers, so that a place that falls on a pixel is exactly that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from striate.errors import LayerError
from striate.graph.layer import SAME_PLACE, Indices, Reach

__all__ = ["Sampling", "check_corners"]


def check_corners(kind: str, mode: str, align_corners: bool) -> None:
    """Refuse corners for ``nearest``, where they would mean nothing.

    Raises:
        LayerError: it is asked for.
    """
    if align_corners and mode != "linear":
        raise LayerError(
            f"{kind} can align corners only where it interpolates",
            got=f"align_corners: true, mode: {mode}",
            needs="mode: linear with align_corners",
            write="mode: linear",
        )


@dataclass(frozen=True, slots=True)
class Sampling:
    """One axis of ``size`` pixels resampled to ``outputs`` pixels.

    >>> Sampling(4, 8, "linear").sources(0), Sampling(4, 8, "linear").sources(3)
    ((0, 0), (1, 2))
    >>> Sampling(5, 3, "linear", corners=True).sources(1)
    (2, 2)
    """

    size: int
    outputs: int
    mode: str
    corners: bool = False

    def sources(self, output: int) -> tuple[int, int]:
        """First and last input of one output."""
        if self.mode == "nearest":
            place = output * self.size // self.outputs
            return place, place
        step, start, below = self._line()
        place, rest = divmod(start + output * step, below)
        first = min(max(place, 0), self.size - 1)
        last = min(max(place + (1 if rest else 0), 0), self.size - 1)
        return first, last

    def reads(self, outputs: Indices) -> Indices:
        """Every input that the given outputs read."""
        return frozenset(place for output in outputs for place in self.sources(output))

    @property
    def reach(self) -> Reach:
        """The hull over all phases of an output between two inputs; the edges count as if the map went on."""
        if self.size == self.outputs:
            return SAME_PLACE
        if self.size == 1 or (self.corners and self.outputs == 1):
            return Reach(0, 0, 0)
        step, start, below = self._line()
        # The remainders of (start + y·step) / below are, over all y, every number that differs from start by a
        # multiple of the greatest common divisor.
        spacing = math.gcd(step, below)
        least = start % spacing
        most = below - spacing + least
        smallest = least or spacing
        low = Fraction(start - most, below)
        if self.mode == "nearest":
            high = Fraction(start - least, below)
        else:
            high = Fraction(start - smallest, below) + 1 if smallest < below else Fraction(start, below)
        return Reach(_plain(low), _plain(high), _plain(Fraction(step, below)))

    def _line(self) -> tuple[int, int, int]:
        """``(step, start, below)``: the source place is ``(step·y + start) / below``, in whole numbers."""
        if self.mode == "nearest":
            return self.size, 0, self.outputs
        if not self.corners:
            return 2 * self.size, self.size - self.outputs, 2 * self.outputs
        # A single output stands on the first pixel.
        return self.size - 1, 0, max(self.outputs - 1, 1)


def _plain(value: Fraction) -> int | Fraction:
    return value.numerator if value.denominator == 1 else value
